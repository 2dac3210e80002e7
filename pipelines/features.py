"""Feature pipeline: ingest accidents, build features."""

from pipelines.defaults import ConfigurationParameter, ingest_source, resolve_configuration, resolve_fingerprint
from pipelines.definition import pipeline
from steps.features.build_features import build_features


@pipeline("features", reads_source=True)
def features(configuration: ConfigurationParameter = None, fingerprint: str | None = None) -> None:
    """Build the features of the accidents of a source; the ingestion is cached.

    Args:
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        fingerprint: checksum of the files of the source; computed where None, and in the steps where empty.
    """
    settings = resolve_configuration(configuration).ingestion
    accidents, vehicles, people, *_ = ingest_source(settings, resolve_fingerprint(settings.source, fingerprint))
    build_features(accidents, vehicles, people)
