"""Errors that a user can correct; each message names the place, the fault and the remedy."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # errors are imported where pandas is too slow to load
    import pandas as pd


class AccidentsError(Exception):
    """Base class of the errors of the project; users see the message without a traceback."""


class ConfigurationError(AccidentsError):
    """A configuration file or a command line has an invalid value."""


class SourceError(AccidentsError):
    """Data cannot be found, downloaded or verified."""


class DataError(AccidentsError):
    """Data were read and cannot be used.

    Attributes:
        report: all issues, with the columns `reading.issues.REPORT_COLUMNS`; None where there is no report.
        page: HTML report of the expectations; None where they were not validated.
    """

    def __init__(self, message: str, report: "pd.DataFrame | None" = None, page: str | None = None) -> None:
        super().__init__(message)
        self.report = report
        self.page = page


class ModelError(AccidentsError):
    """A model cannot be trained, saved, loaded or applied."""


class RequestError(AccidentsError):
    """A request, or the description of an accident in it, is invalid."""


class LockedError(AccidentsError):
    """Another process holds a lock and does not release it in time."""


_STORAGE_FAULTS = {
    "the disk is full; free some space": ("no space left on device", "disk is full", "disk quota exceeded"),
    "it may not be written; check the rights of file and folder": (
        "permission denied",
        "operation not permitted",
        "read-only file system",
        "readonly database",
    ),
    "another process holds the database; wait for it to end": ("database is locked", "database table is locked"),
    "the device does not answer; check the disk": ("input/output error", "disk i/o error"),
}


def storage_fault(message: str) -> str | None:
    """Fault and remedy, where the message of an error is about a full disk, missing rights or a locked database.

    Examples:
        >>> storage_fault("(sqlite3.OperationalError) database or disk is full [SQL: INSERT INTO ...]")
        'the disk is full; free some space'
        >>> storage_fault("[Errno 2] No such file or directory: 'x'")
    """
    lowered = message.lower()
    return next((fault for fault, texts in _STORAGE_FAULTS.items() if any(text in lowered for text in texts)), None)
