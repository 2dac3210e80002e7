"""Defaults of the parameters that every pipeline has: configuration, fingerprint of the source, MLflow store."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import InstanceOf

from accidents.configuration.loading import Configuration, load_configuration
from accidents.configuration.source import SourceSettings
from accidents.sources.manifest import fetch_editions
from steps.ingestion.ingest import ingest

ConfigurationParameter = InstanceOf[Configuration] | dict[str, Any] | None
"""Parameter `configuration` of a pipeline: complete, or the keys that differ from the files in `configs/`."""


def resolve_configuration(configuration: ConfigurationParameter) -> Configuration:
    """The effective configuration.

    Args:
        configuration: a complete one; or sections with the keys that differ from the files in `configs/`, such as
            `{"features": {"level": "scene"}}`.

    Raises:
        ConfigurationError: a key or a value is refused; names the keys that exist.

    >>> resolve_configuration({"features": {"level": "scene"}}).features.level
    'scene'
    """
    if isinstance(configuration, Configuration):
        return configuration
    return load_configuration(overrides=dict(_by_path(configuration or {})))


def resolve_fingerprint(source: SourceSettings, fingerprint: str | None) -> str:
    """The fingerprint that was given; else that of the files of the source, which are fetched first if necessary.

    An empty one is kept: the steps of a scheduled run compute it, as its files are not known when it is scheduled.
    """
    return fetch_editions(source)[1] if fingerprint is None else fingerprint


def ingest_source(configuration: Configuration, fingerprint: str) -> Any:
    """The outputs of the step `ingest`; without a fingerprint it always runs, as files may have changed."""
    step = ingest if fingerprint else ingest.with_options(enable_cache=False)
    return step(settings=configuration.ingestion, fingerprint=fingerprint, engine=configuration.engine)


def _by_path(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values by dotted path, such as `features.level`."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _by_path(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
