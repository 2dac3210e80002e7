"""Ingestion pipeline."""

from zenml import pipeline

from accidents.configuration.loading import Configuration
from steps.ingestion.ingest import ingest


@pipeline(name="ingestion")
def ingestion(configuration: Configuration, fingerprint: str) -> None:
    """Read, validate and clean the files of a source."""
    ingest(settings=configuration.ingestion, fingerprint=fingerprint)
