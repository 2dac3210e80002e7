"""Ingestion with its expectations; a worker process may begin it while ZenML starts, for the step `ingest` to take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from accidents.configuration.source import is_local
from accidents.engine import LOCAL, Engine
from accidents.errors import DataError
from accidents.worker_process import WorkerTask, import_modules, worker_count

if TYPE_CHECKING:
    import pandas as pd

    from accidents.configuration.ingestion import IngestionSettings
    from accidents.expectations.validation import ExpectationResults
    from accidents.ingestion import IngestionResult
    from accidents.sources.edition import Edition

_MOST_BYTES = 2**27  # of the files; the frames of larger ones would be held by two processes

_REMEDY = (
    "Use complete official files; if these are right, widen the limits under `expectations` in configs/ingestion.yaml"
)

_begun: "dict[str, WorkerTask[tuple[str, tuple[IngestionResult, ExpectationResults]] | None]]" = {}


def begin_ingestion(settings: "IngestionSettings", modules: Sequence[str] = ()) -> None:
    """Let a worker process, if there is one, read and clean the files of a folder, then import modules."""
    if worker_count() and is_local(settings.source.location):
        _begun[settings.model_dump_json()] = WorkerTask(_ingest, settings)
        WorkerTask(_import, settings, tuple(modules))


def begun_ingestion(
    settings: "IngestionSettings", fingerprint: str
) -> "tuple[IngestionResult, ExpectationResults] | None":
    """Wait for the result of `ingest_and_check`; None where none was begun, or files are large, or others by now.

    Args:
        settings: those of the ingestion.
        fingerprint: checksum of the files.

    Raises:
        DataError, SourceError: as `accidents.ingestion.ingest`.
    """
    task = _begun.pop(settings.model_dump_json(), None)
    found = None if task is None else task.result()
    return found[1] if found is not None and found[0] == fingerprint else None


def ingest_and_check(
    editions: "Sequence[Edition]",
    settings: "IngestionSettings",
    *,
    engine: Engine = LOCAL,
    progress: Callable[[str], None] = lambda _: None,
) -> "tuple[IngestionResult, ExpectationResults]":
    """Read and clean editions as `accidents.ingestion.ingest` does, and check what is expected of their tables."""
    from accidents.expectations.validation import validate_tables
    from accidents.ingestion import ingest

    ingested = ingest(editions, settings, engine=engine, progress=progress)
    progress("checking expectations")
    return ingested, validate_tables(ingested.tables, settings.effective_expectations, source=settings.source.location)


@dataclass(frozen=True)
class IngestionSummary:
    """What an ingestion says of its frames: all issues, quarantined rows, HTML page of the expectations, counts."""

    report: "pd.DataFrame"
    quarantine: "pd.DataFrame"
    html: str
    counts: dict[str, int]


IngestedFrames: TypeAlias = "tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, IngestionSummary]"
"""Accidents, vehicles, people, and the summary."""


def ingest_frames(
    editions: "Sequence[Edition]",
    settings: "IngestionSettings",
    *,
    engine: Engine = LOCAL,
    progress: Callable[[str], None] = lambda _: None,
) -> IngestedFrames:
    """The `plausible_frames` of editions; errors are those of both."""
    return plausible_frames(ingest_and_check(editions, settings, engine=engine, progress=progress), settings)


def plausible_frames(
    result: "tuple[IngestionResult, ExpectationResults]", settings: "IngestionSettings"
) -> IngestedFrames:
    """The frames of `ingest_and_check`, unless they break the expectations.

    Raises:
        DataError: they do; it has the report and the page.
    """
    import pandas as pd

    from accidents.reading.issues import issues_frame

    ingested, checked = result
    report = pd.concat([issues_frame(checked.issues()), ingested.report], ignore_index=True)
    if checked.blocking_failures:
        failures = "\n".join(f"- {failure}" for failure in checked.blocking_failures)
        raise DataError(f"{settings.source.location} is not plausible:\n{failures}\n{_REMEDY}", report, checked.html)
    clean, summary = ingested.accidents, IngestionSummary(report, ingested.quarantine, checked.html, ingested.counts)
    return clean.accidents, clean.vehicles, clean.people, summary


def _ingest(settings: "IngestionSettings") -> "tuple[str, tuple[IngestionResult, ExpectationResults]] | None":
    """Checksum of the files, and what they hold; None if they are large."""
    from accidents.sources.edition import fingerprint
    from accidents.sources.resolve import resolve_editions

    editions = resolve_editions(settings.source)
    if _are_large(editions):
        return None
    return fingerprint(editions), ingest_and_check(editions, settings)


def _import(settings: "IngestionSettings", modules: tuple[str, ...]) -> None:
    """Import modules, unless the files are large: models of so many accidents are trained in another process."""
    from accidents.sources.resolve import resolve_editions

    if not _are_large(resolve_editions(settings.source)):
        import_modules(modules)


def _are_large(editions: "Sequence[Edition]") -> bool:
    return sum(Path(file).stat().st_size for edition in editions for file in edition.files.values()) > _MOST_BYTES
