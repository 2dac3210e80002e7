"""Feature pipeline: ingest accidents, build features."""

from pipelines.defaults import ConfigurationParameter, resolve_configuration, resolve_fingerprint
from pipelines.definition import pipeline
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest


@pipeline("features", reads_source=True)
def features(configuration: ConfigurationParameter = None, fingerprint: str | None = None) -> None:
    """Build the features of the accidents of a source; the ingestion is cached.

    Args:
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        fingerprint: checksum of the files of the source; computed where None.
    """
    settings = resolve_configuration(configuration).ingestion
    accidents, vehicles, people, *_ = ingest(
        settings=settings, fingerprint=resolve_fingerprint(settings.source, fingerprint)
    )
    build_features(accidents, vehicles, people)
