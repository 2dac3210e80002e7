"""Evaluation pipeline: ingest accidents, build features, evaluate a trained model."""

from pipelines.defaults import ConfigurationParameter, ingest_source, resolve_configuration, resolve_fingerprint
from pipelines.definition import pipeline
from pipelines.models import model_input
from steps.evaluation.evaluate_model import evaluate_model
from steps.features.build_features import build_features


@pipeline("evaluation", reads_source=True)
def evaluation(
    configuration: ConfigurationParameter = None,
    fingerprint: str | None = None,
    bundle: str | None = None,
    model_name: str | None = None,
    version: str | None = None,
) -> None:
    """Evaluate a model on the accidents of a source.

    Args:
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        fingerprint: checksum of the files of the source; computed where None, and in the steps where empty.
        bundle: id of a model artifact, or the path of a bundle.
        model_name: a registered model; without it and `bundle` the best one of the latest training.
        version: its number, stage or alias; Production where None.
    """
    configuration = resolve_configuration(configuration)
    fingerprint = resolve_fingerprint(configuration.ingestion.source, fingerprint)
    accidents, vehicles, people, *_ = ingest_source(configuration, fingerprint)
    features = build_features(accidents, vehicles, people, engine=configuration.engine)
    evaluate_model(
        model=model_input(configuration, bundle, model_name, version, evaluated=True),
        features=features,
        accidents=accidents,
        settings=configuration.evaluation,
        source=configuration.ingestion.source.location,
        fingerprint=fingerprint,
        engine=configuration.engine,
    )
