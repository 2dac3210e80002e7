"""The prediction log: entries are taken at once and written in the background."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from accidents.configuration.records import RecordSettings


@dataclass(slots=True)
class Entry:
    """One answer that was given, and to what.

    `id` is best made by `identifiers.new_id`; `at` is a moment with its time zone, in UTC. `caller` is the id of an API
    key, or `ANONYMOUS`. `missing` is how many inputs were not recorded. `content` is the accident as the request held
    it, in either form and accepted by `accidents.requests.parse`; it must not change afterwards.
    """

    id: str
    at: datetime
    request_id: str
    route: str
    caller: str
    model: str
    version: str
    type: str
    level: str
    probability: float
    threshold: float
    prediction: int
    latency_ms: float
    missing: int
    content: Any


@dataclass(frozen=True)
class Counts:
    """What became of entries since the log was opened.

    `written` are in the database, `dropped` found no room or were left when the log was closed, `failed` were refused
    by the database, `waiting` are still to be written. `errors` counts attempts to write that failed.
    """

    written: int
    dropped: int
    failed: int
    waiting: int
    errors: int


class PredictionLog:
    """Takes entries without ever blocking or raising; a thread of its own writes them.

    Make one a process, after a fork: the thread does not survive one.
    """

    def __init__(self, engine: Engine, settings: RecordSettings) -> None:
        raise NotImplementedError

    def add(self, entries: Sequence[Entry]) -> None:
        """Take entries; those for which there is no room are dropped and counted."""

    def counts(self) -> Counts:
        """What became of entries so far."""
        raise NotImplementedError

    def flush(self, timeout: float) -> bool:
        """Write what was added before now, and wait for it; whether that was done within `timeout` seconds."""
        raise NotImplementedError

    def close(self, timeout: float) -> bool:
        """Write what waits, within `timeout` seconds, and end; whether all of it was written."""
        raise NotImplementedError
