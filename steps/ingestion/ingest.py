"""Ingestion: from published files to clean accidents."""

from typing import Annotated

import pandas as pd
from zenml import step
from zenml.types import HTMLString

import materializers.frame  # noqa: F401  # stores the frames
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.early_ingestion import begun_ingestion, ingest_and_check
from accidents.engine import connect
from accidents.errors import DataError, SourceError
from accidents.reading.issues import issues_frame
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.sources.edition import fingerprint as fingerprint_of
from accidents.sources.resolve import resolve_editions
from steps.caching import cache_policy
from steps.metadata import FINGERPRINT, log_step_metadata
from steps.validation import validate_frames

_REMEDY = (
    "Use complete official files; if these are right, widen the limits under `expectations` in configs/ingestion.yaml"
)


@step(cache_policy=cache_policy(__name__))
@validate_frames(accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def ingest(
    settings: IngestionSettings, fingerprint: str, engine: EngineSettings = LOCAL_ENGINE
) -> tuple[
    Annotated[pd.DataFrame, "accidents"],
    Annotated[pd.DataFrame, "vehicles"],
    Annotated[pd.DataFrame, "people"],
    Annotated[pd.DataFrame, "validation_report"],
    Annotated[pd.DataFrame, "quarantine"],
    Annotated[HTMLString, "expectations_report"],
]:
    """Read, validate and clean the files of a source.

    Args:
        settings: source of the files, and limits of faulty data.
        fingerprint: checksum of the files; part of the cache key, so that other files are read again. Empty: any files.
        engine: where the files are read and cleaned.

    Raises:
        SourceError: the files have changed since the run began.
        DataError: the files cannot be used, or fail the expectations.
    """
    location = settings.source.location
    editions = resolve_editions(settings.source)
    found = fingerprint_of(editions)
    if fingerprint not in {found, ""}:
        raise SourceError(f"the files of {location} changed while the run began: run again")
    with connect(engine) as connected:
        ingested, checked = begun_ingestion(settings, found) or ingest_and_check(
            editions, settings, engine=connected, progress=print
        )
    report = pd.concat([issues_frame(checked.issues()), ingested.report], ignore_index=True)
    if checked.blocking_failures:
        failures = "\n".join(f"- {failure}" for failure in checked.blocking_failures)
        raise DataError(f"{location} is not plausible:\n{failures}\n{_REMEDY}", report, checked.html)
    log_step_metadata({FINGERPRINT: found, **ingested.counts})
    clean = ingested.accidents
    return clean.accidents, clean.vehicles, clean.people, report, ingested.quarantine, HTMLString(checked.html)
