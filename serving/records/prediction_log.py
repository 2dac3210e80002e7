"""The prediction log: entries are taken at once and written in the background.

A killed process loses the entries of at most one flush interval, and those that were being written.
"""

import logging
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from accidents.configuration.records import RecordSettings
from serving.records.database import reason
from serving.records.rows import Inserter, Row, row_maker

_LOGGER = logging.getLogger(__name__)
_IN_ONE_TRANSACTION = 5_000
_LONGEST_PAUSE = 30.0  # seconds between attempts, while the database is away
_SHORTEST_PAUSE = 0.1
_BYTES_OF_A_ROW = 1_500  # of the parts of a row other than the accident, in memory
_OBJECTS = 5
"""Python objects of an accident take about so many times the memory of its JSON."""

_IN_ONE_GO = 20
_BREATH = 0.0002
"""Seconds. After so few entries the service gets the interpreter, which it would else have to wait for."""


@dataclass(slots=True)
class Entry:
    """One answer that was given, and to what.

    `id` is best made by `identifiers.new_id`; `at` is a moment with its time zone, in UTC. `caller` is the id of an API
    key, or `ANONYMOUS`. `missing` is how many inputs were not recorded. `content` is the accident as the request held
    it, in either form and accepted by `accidents.requests.parse_request`; it must not change afterwards.
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
        self._inserter = Inserter(engine)
        self._row_of = row_maker(settings.inputs)
        self._interval = settings.flush_seconds
        self._capacity = settings.queue
        self._memory = int(settings.queue_megabytes * 1e6)
        # Of entries: `taken` = `settled` + arrived + rows; the latter two hold `bytes`. The lock is held for moments.
        self._changed = threading.Condition(threading.Lock())
        self._arrived: list[tuple[Entry, int]] = []
        self._taken = self._settled = self._bytes = 0
        self._written = self._dropped = self._failed = self._errors = 0
        # The thread's own.
        self._rows: list[Row] = []
        self._left = 0
        self._failing = False
        self._pause, self._next_attempt = self._interval, 0.0
        self._wanted = threading.Event()
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._thread.start()

    def add(self, entries: Sequence[Entry], size: int = 0) -> None:
        """Take entries; those for which there is no room are dropped and counted.

        Args:
            entries: answers of one request.
            size: bytes of the JSON that they came in.
        """
        each = _BYTES_OF_A_ROW + _OBJECTS * size // max(len(entries), 1)
        with self._changed:
            room = min(self._capacity - (self._taken - self._settled), (self._memory - self._bytes) // each)
            taken = entries[: max(room, 0)] if self._deadline is None else ()
            self._arrived.extend((entry, each) for entry in taken)
            self._bytes += each * len(taken)
            self._taken += len(taken)
            self._dropped += len(entries) - len(taken)

    def counts(self) -> Counts:
        """What became of entries so far."""
        with self._changed:
            return Counts(self._written, self._dropped, self._failed, self._taken - self._settled, self._errors)

    def flush(self, timeout: float) -> bool:
        """Write what was added before now, and wait for it; whether that was done within `timeout` seconds."""
        with self._changed:
            last = self._taken
            self._wanted.set()
            return self._changed.wait_for(lambda: self._settled >= last, timeout)

    def close(self, timeout: float) -> bool:
        """Write what waits, within `timeout` seconds, and end; whether nothing was left. What is left is dropped."""
        with self._changed:
            if self._deadline is None:
                self._deadline = time.monotonic() + timeout
            self._wanted.set()
        self._thread.join(timeout + _SHORTEST_PAUSE)
        return not self._thread.is_alive() and self._left == 0

    def _run(self) -> None:
        while self._deadline is None:
            self._wanted.wait(self._interval)
            with self._changed:
                asked = self._wanted.is_set()
                self._wanted.clear()
            self._take_over()
            if asked or time.monotonic() >= self._next_attempt:
                self._attempt()
        self._finish()

    def _finish(self) -> None:
        """Write the rest, until the deadline."""
        self._take_over()
        while not self._attempt() and time.monotonic() + _SHORTEST_PAUSE < (self._deadline or 0):
            time.sleep(_SHORTEST_PAUSE)
        self._left = len(self._rows)
        self._settle(dropped=self._left, freed=sum(map(_size, self._rows)))

    def _take_over(self) -> None:
        """Make rows of what has arrived, with pauses for the service."""
        with self._changed:
            arrived, self._arrived = self._arrived, []
        for start in range(0, len(arrived), _IN_ONE_GO):
            self._make_rows(arrived[start : start + _IN_ONE_GO])
            if self._deadline is None:
                time.sleep(_BREATH)

    def _make_rows(self, entries: Sequence[tuple[Entry, int]]) -> None:
        """Rows in place of entries; what a full log has no room for as a row is dropped."""
        failed = dropped = 0
        with self._changed:
            held = self._bytes
        freed = 0
        for entry, size in entries:
            freed += size
            try:
                row = self._row_of(entry)
            except Exception:
                failed += 1
                continue
            if held - freed + _size(row) > self._memory:
                dropped += 1
            else:
                self._rows.append(row)
                freed -= _size(row)
        self._settle(failed=failed, dropped=dropped, freed=freed)

    def _attempt(self) -> bool:
        """Write the rows, oldest first; whether none is left."""
        while self._rows:
            part = self._rows[:_IN_ONE_TRANSACTION]
            try:
                failed = self._inserter.write(part)
            except Exception as error:
                self._put_off(error)
                return False
            del self._rows[: len(part)]
            self._settle(written=len(part) - failed, failed=failed, freed=sum(map(_size, part)))
            self._go_on()
        return True

    def _put_off(self, error: Exception) -> None:
        with self._changed:
            self._errors += 1
        if not self._failing:
            _LOGGER.warning("predictions cannot be written and are held back: %s", reason(error))
        self._failing = True
        self._next_attempt = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, max(_LONGEST_PAUSE, self._interval))

    def _go_on(self) -> None:
        if self._failing:
            _LOGGER.warning("predictions are written again")
        self._failing = False
        self._pause, self._next_attempt = self._interval, 0.0

    def _settle(self, *, written: int = 0, failed: int = 0, dropped: int = 0, freed: int = 0) -> None:
        with self._changed:
            self._bytes -= freed
            self._written += written
            self._failed += failed
            self._dropped += dropped
            self._settled += written + failed + dropped
            self._changed.notify_all()


def _size(row: Row) -> int:
    return _BYTES_OF_A_ROW + sys.getsizeof(row["inputs"])
