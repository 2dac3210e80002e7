"""Training: clean accidents in, compared models out."""

from zenml import pipeline
from zenml.client import Client

from accidents.configuration.effective import Configuration
from steps.caching import cache_policy
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest
from steps.training import train_model as train_module
from steps.training.compare_models import compare_models
from steps.training.train_model import train_model


@pipeline(name="training")
def training(configuration: Configuration, fingerprint: str, without_place: str | None = None) -> None:
    """Train every chosen model on one split of the accidents, evaluate them and compare them.

    Args:
        configuration: the effective configuration.
        fingerprint: checksum of the files of the source.
        without_place: id of the `evaluations` of a training without the place, for the model card to compare.
    """
    accidents, vehicles, people, *_ = ingest(settings=configuration.ingestion, fingerprint=fingerprint)
    features = build_features(accidents, vehicles, people)
    trained = [
        train_model.with_options(
            substitutions={"model_type": model_type},
            cache_policy=cache_policy(train_module.__name__, f"accidents.models.{model_type}"),
        )(
            features=features,
            accidents=accidents,
            model_type=model_type,
            settings=configuration.training.only(model_type),
            information=configuration.features,
            fingerprint=fingerprint,
            id=f"train_{model_type}",
        )
        for model_type in configuration.training.models
    ]
    compare_models(
        models=[model for model, _ in trained],
        predictions=[predictions for _, predictions in trained],
        features=features,
        accidents=accidents,
        settings=configuration.evaluation,
        source=configuration.ingestion.source.location,
        without_place=Client().get_artifact_version(without_place) if without_place else None,
    )
