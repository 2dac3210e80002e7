"""Feature pipeline: ingest accidents, build features."""

from zenml import pipeline

from accidents.configuration.loading import Configuration
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest


@pipeline(name="features")
def features(configuration: Configuration, fingerprint: str) -> None:
    """Build the features of the accidents of a source; the ingestion is cached."""
    accidents, vehicles, people, *_ = ingest(settings=configuration.ingestion, fingerprint=fingerprint)
    build_features(accidents, vehicles, people)
