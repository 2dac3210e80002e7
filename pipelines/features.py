"""Features: clean accidents in, features out."""

from zenml import pipeline

from accidents.configuration.loading import Configuration
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest


@pipeline(name="features")
def features(configuration: Configuration, fingerprint: str) -> None:
    """Turn accidents into features; the ingestion is reused where nothing about it has changed."""
    accidents, vehicles, people, *_ = ingest(settings=configuration.ingestion, fingerprint=fingerprint)
    build_features(accidents, vehicles, people)
