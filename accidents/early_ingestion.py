"""Ingestion in a worker process that begins while ZenML starts; the step `ingest` takes its result."""

from pathlib import Path
from typing import TYPE_CHECKING

from accidents.configuration.source import is_local
from accidents.worker_process import WorkerTask, worker_count

if TYPE_CHECKING:
    from accidents.configuration.ingestion import IngestionSettings
    from accidents.ingestion import IngestionResult

_MOST_BYTES = 2**27  # of the files; the frames of larger ones would be held by two processes

_begun: "dict[str, WorkerTask[tuple[str, IngestionResult] | None]]" = {}


def begin_ingestion(settings: "IngestionSettings") -> None:
    """Let a worker process, if there is one, read and clean the files of a folder."""
    if worker_count() and is_local(settings.source.location):
        _begun[settings.model_dump_json()] = WorkerTask(_ingest, settings)


def begun_ingestion(settings: "IngestionSettings", fingerprint: str) -> "IngestionResult | None":
    """Wait for the result; None where nothing was begun with these settings, or files are large or others by now.

    Args:
        settings: those of the ingestion.
        fingerprint: checksum of the files.

    Raises:
        DataError, SourceError: as `accidents.ingestion.ingest`.
    """
    task = _begun.pop(settings.model_dump_json(), None)
    found = None if task is None else task.result()
    return found[1] if found is not None and found[0] == fingerprint else None


def _ingest(settings: "IngestionSettings") -> "tuple[str, IngestionResult] | None":
    """Checksum of the files, and what they hold; None if they are large."""
    from accidents.ingestion import ingest
    from accidents.sources.edition import fingerprint
    from accidents.sources.resolve import resolve_editions

    editions = resolve_editions(settings.source)
    if sum(Path(file).stat().st_size for edition in editions for file in edition.files.values()) > _MOST_BYTES:
        return None
    return fingerprint(editions), ingest(editions, settings)
