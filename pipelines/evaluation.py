"""Evaluation pipeline: ingest accidents, build features, evaluate a trained model."""

from zenml import pipeline

from accidents.configuration.loading import Configuration
from pipelines.models import model_input
from steps.evaluation.evaluate_model import evaluate_model
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest


@pipeline(name="evaluation")
def evaluation(configuration: Configuration, fingerprint: str, bundle: str) -> None:
    """Evaluate a model on the accidents of a source.

    Args:
        configuration: the effective configuration.
        fingerprint: checksum of the files of the source.
        bundle: id of a model artifact, or the path of a bundle.
    """
    accidents, vehicles, people, *_ = ingest(settings=configuration.ingestion, fingerprint=fingerprint)
    features = build_features(accidents, vehicles, people)
    evaluate_model(
        model=model_input(bundle),
        features=features,
        accidents=accidents,
        settings=configuration.evaluation,
        source=configuration.ingestion.source.location,
        fingerprint=fingerprint,
    )
