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
    configuration = resolve_configuration(configuration)
    fingerprint = resolve_fingerprint(configuration.ingestion.source, fingerprint)
    accidents, vehicles, people, *_ = ingest_source(configuration, fingerprint)
    build_features(accidents, vehicles, people, engine=configuration.engine)
