"""Ingestion: from published files to clean accidents."""

from typing import Annotated

import pandas as pd
from zenml import step
from zenml.types import HTMLString

import materializers.frame  # noqa: F401  # stores the frames
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.early_ingestion import begun_ingestion, ingest_frames, plausible_frames
from accidents.engine.frame_files import Frame
from accidents.errors import SourceError
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.sources.edition import fingerprint as fingerprint_of
from accidents.sources.resolve import resolve_editions
from steps.caching import cache_policy
from steps.execution import run
from steps.metadata import FINGERPRINT, log_step_metadata
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__))
@validate_frames(accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def ingest(
    settings: IngestionSettings, fingerprint: str, engine: EngineSettings = LOCAL_ENGINE
) -> tuple[
    Annotated[Frame, "accidents"],
    Annotated[Frame, "vehicles"],
    Annotated[Frame, "people"],
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
    schemas = {"accidents": accidents_schema, "vehicles": vehicles_schema, "people": people_schema}
    begun = begun_ingestion(settings, found) if engine.kind == "local" else None
    *frames, summary = (
        plausible_frames(begun, settings)
        if begun
        else run(engine, ingest_frames, editions, settings, outputs=schemas, takes_engine=True, progress=print)
    )
    log_step_metadata({FINGERPRINT: found, **summary.counts})
    return *frames, summary.report, summary.quarantine, HTMLString(summary.html)
