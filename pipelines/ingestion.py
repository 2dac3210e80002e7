"""Ingestion pipeline."""

from pipelines.defaults import ConfigurationParameter, ingest_source, resolve_configuration, resolve_fingerprint
from pipelines.definition import pipeline


@pipeline("ingestion", reads_source=True)
def ingestion(configuration: ConfigurationParameter = None, fingerprint: str | None = None) -> None:
    """Read, validate and clean the files of a source.

    Args:
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        fingerprint: checksum of the files of the source; computed where None, and in the steps where empty.
    """
    configuration = resolve_configuration(configuration)
    fingerprint = resolve_fingerprint(configuration.ingestion.source, fingerprint)
    ingest_source(configuration, fingerprint)
