"""Training pipeline: ingest, build features, train, compare, track, promote."""

import hashlib
from typing import Any

from zenml.client import Client
from zenml.config.cache_policy import CachePolicy
from zenml.models import PipelineRunResponse
from zenml.steps import BaseStep

from accidents.configuration.loading import Configuration
from accidents.configuration.source import SAMPLE
from accidents.configuration.training import FINAL_DIFFERENCE_AT_MOST
from accidents.errors import ConfigurationError
from accidents.sources.manifest import recorded_editions
from accidents.training import plan_models
from accidents.training.final_model import FINAL_ACCIDENTS_AT_LEAST
from pipelines.defaults import ConfigurationParameter, ingest_source, resolve_configuration, resolve_fingerprint
from pipelines.definition import configured_model, pipeline, set_extra
from steps.caching import cache_policy, code_digest
from steps.features.build_features import build_features
from steps.promotion.promote_models import promote_models
from steps.tracking.provenance import CODE_VERSION, TRAINING_DIGEST, code_version
from steps.tracking.track_training import track_training
from steps.training.compare_models import compare_models
from steps.training.fit_final import fit_final
from steps.training.train_model import train_model
from tracking import zenml_sync
from tracking.connection import store_identity
from tracking.promotion import automatic_stages

_DIGESTED_STEPS = (
    "ingestion.ingest",
    "features.build_features",
    "training.train_model",
    "training.fit_final",
    "training.compare_models",
)


def _link_versions(run: PipelineRunResponse) -> None:
    """Let a run belong to the versions of its models, also where an earlier run has registered them."""
    if "track_training" in run.steps and run.status.is_successful:
        registered = run.steps["track_training"].outputs["registered_models"][0].load()
        zenml_sync.link_run(run, [(model["name"], model["version"]) for model in registered.values()])


@pipeline("training", reads_source=True, after_run=_link_versions)
def training(
    configuration: ConfigurationParameter = None,
    fingerprint: str | None = None,
    without_place: str | None = None,
    store: str | None = None,
    track: bool = True,
) -> None:
    """Train every configured model type on the same split, compare the models, track and register them.

    Args:
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        fingerprint: checksum of the files of the source; computed where None, and in the steps where empty.
        without_place: id of the artifact `evaluations` of a training without place columns, for the model card.
        store: identity of the MLflow that tracks the training; looked up where None.
        track: whether the training is tracked, where the configuration does not turn it off.

    Raises:
        ConfigurationError: the pipeline has a ZenML model, and it registers one for each model type.
        TrackingError: MLflow does not answer.
    """
    if model := configured_model():
        raise ConfigurationError(
            f"model {model.name}: a training registers a version of one model for each of its model types; leave "
            "`model` out of its run configuration, and choose the types with training.models"
        )
    configuration = resolve_configuration(configuration)
    refuse_small_samples(configuration)
    fingerprint = resolve_fingerprint(configuration.ingestion.source, fingerprint)
    set_extra(**{CODE_VERSION: code_version()})
    if fingerprint:
        set_extra(**{TRAINING_DIGEST: training_digest(configuration, fingerprint)})
    editions = recorded_editions(configuration.ingestion.source.data_folder, fingerprint) if fingerprint else None
    store = (store or store_identity(configuration.tracking)) if track else None
    accidents, vehicles, people, *_ = ingest_source(configuration, fingerprint)
    features = build_features(accidents, vehicles, people, engine=configuration.engine)
    plan_models({name: configuration.training.for_model_type(name) for name in configuration.training.models})
    trained = [
        train_model.with_options(
            substitutions={"model_type": model_type},
            cache_policy=_cache_policy(train_model, model_type),
        )(
            features=features,
            accidents=accidents,
            vehicles=vehicles,
            people=people,
            model_type=model_type,
            settings=configuration.training.for_model_type(model_type),
            information=configuration.features,
            fingerprint=fingerprint,
            editions=editions,
            engine=configuration.engine,
            id=f"train_{model_type}",
        )
        for model_type in configuration.training.models
    ]
    finals = _fit_finals(configuration, [model for model, _ in trained], features, accidents, vehicles, people)
    models, predictions = [model for model, _ in trained], [predictions for _, predictions in trained]
    _, evaluations, best, comparison_report, _, _, model_card, reports = compare_models.with_options(
        cache_policy=_cache_policy(compare_models, *configuration.training.models)
    )(
        models=models,
        predictions=predictions,
        features=features,
        accidents=accidents,
        settings=configuration.evaluation,
        source=configuration.ingestion.source.location,
        finals=finals,
        engine=configuration.engine,
        without_place=Client().get_artifact_version(without_place) if without_place else None,
    )
    if store is not None:
        registered = track_training.with_options(
            enable_cache=False if configuration.tracking.allow_untracked else None
        )(
            models=models,
            predictions=predictions,
            evaluations=evaluations,
            reports=reports,
            accidents=accidents,
            vehicles=vehicles,
            people=people,
            best=best,
            comparison_report=comparison_report,
            model_card=model_card,
            settings=configuration.tracking,
            source=configuration.ingestion.source.location,
            store=store,
            finals=finals,
            engine=configuration.engine,
        )
        if automatic_stages(configuration.promotion):
            promote_models(
                registered=registered,
                features=features,
                accidents=accidents,
                source=configuration.ingestion.source.location,
                evaluation=configuration.evaluation,
                rule=configuration.promotion,
                settings=configuration.tracking,
            )


def refuse_small_samples(configuration: Configuration) -> None:
    """Refuse final models of so few synthetic accidents that they cannot agree with their evaluated twins."""
    source, settings = configuration.ingestion.source, configuration.training
    accidents = source.sample.accidents * max(len(source.years or ()), 1)
    is_strict = settings.final_difference_at_most <= FINAL_DIFFERENCE_AT_MOST
    if settings.final and is_strict and source.location == SAMPLE and accidents < FINAL_ACCIDENTS_AT_LEAST:
        raise ConfigurationError(
            f"--final needs a sample of {FINAL_ACCIDENTS_AT_LEAST:,} accidents or more, this one has {accidents:,}: a "
            "final model of fewer differs too much from its evaluated twin; use more, or train without --final"
        )


def _fit_finals(
    configuration: Configuration, twins: list[Any], features: Any, accidents: Any, vehicles: Any, people: Any
) -> list[Any]:
    """The final model of every evaluated one, each from a step of its own; none unless they are configured."""
    settings = configuration.training
    if not settings.final:
        return []
    return [
        fit_final.with_options(
            substitutions={"model_type": model_type}, cache_policy=_cache_policy(fit_final, model_type)
        )(
            twin=twin,
            features=features,
            accidents=accidents,
            vehicles=vehicles,
            people=people,
            model_type=model_type,
            settings=settings.for_model_type(model_type),
            difference_at_most=settings.final_difference_at_most,
            engine=configuration.engine,
            id=f"fit_final_{model_type}",
        )
        for model_type, twin in zip(settings.models, twins, strict=True)
    ]


def _cache_policy(step: BaseStep, *model_types: str) -> CachePolicy:
    """Cache policy of a step that runs the code of some model types, which are imported by name."""
    return cache_policy(step.entrypoint.__module__, *(f"accidents.models.{name}" for name in model_types))


def training_digest(configuration: Configuration, fingerprint: str) -> str:
    """SHA-256 of what a training depends on: data, configuration, and the code that it runs."""
    models = (f"accidents.models.{model_type}" for model_type in configuration.training.models)
    code = code_digest(*(f"steps.{step}" for step in _DIGESTED_STEPS), *models)
    return hashlib.sha256(f"{fingerprint}{configuration.model_dump_json()}{code}".encode()).hexdigest()
