"""The prediction log: a bounded in-memory queue that a thread writes to the database.

A killed process loses the records of at most one flush interval, and those that were being written.
"""

import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from accidents.configuration.serving import RecordSettings
from serving.records.database import error_summary
from serving.records.prediction_record import PredictionRecord
from serving.records.prediction_writer import PredictionWriter, Row, row_builder

_LOGGER = logging.getLogger(__name__)
_TRANSACTION_ROWS = 5_000
_MAX_BACKOFF = 5.0  # seconds between attempts, while the database is away
_CLOSE_RETRY_SECONDS = 0.1
_CHECK_SECONDS = 2.0
"""Time after which the database is asked whether it still holds what was written, when there is nothing to write."""

_ROW_BYTES = 1_500  # memory of a row without the accident
_OBJECTS_PER_JSON_BYTE = 5
"""Memory of the Python objects of an accident, as a multiple of its JSON."""

_CONVERSION_BATCH = 20
_CONVERSION_PAUSE = 0.0002
"""Seconds after each batch of conversions, in which the event loop gets the interpreter."""


@dataclass(frozen=True)
class LogCounts:
    """Records by state since the log was opened.

    Attributes:
        written: are in the database.
        dropped: found the queue full, or were left when the log was closed.
        failed: were rejected by the database for their values.
        waiting: are in the queue.
        errors: number of failed attempts to write.
        lost: were written to a database whose place another one has taken, or that was restored from a backup.
    """

    written: int
    dropped: int
    failed: int
    waiting: int
    errors: int
    lost: int = 0


class PredictionLog:
    """Takes records without blocking or raising; a thread writes them.

    Create it after a fork: its thread does not survive one.
    """

    def __init__(self, engine: Engine, settings: RecordSettings) -> None:
        self._writer = PredictionWriter(engine)
        self._build_row = row_builder(settings.inputs)
        self._interval = settings.flush_seconds
        self._capacity = settings.queue
        self._memory = int(settings.queue_megabytes * 1e6)
        # `accepted` = `processed` + len(queue) + len(rows); the latter two take `bytes`. The lock is held briefly.
        self._changed = threading.Condition(threading.Lock())
        self._queue: list[tuple[PredictionRecord, int]] = []
        self._accepted = self._processed = self._bytes = 0
        self._written = self._dropped = self._failed = self._errors = 0
        self._oldest_held = math.inf
        # Used by the thread only.
        self._rows: list[Row] = []
        self._unwritten = 0
        self._failing = False
        self._backoff, self._next_attempt, self._next_check = self._interval, 0.0, 0.0
        self._flush_requested = threading.Event()
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._thread.start()

    def add(self, records: Sequence[PredictionRecord], size: int = 0) -> None:
        """Queue records; those that exceed the limits of the queue are dropped and counted.

        Args:
            records: predictions of one request.
            size: length of the JSON body of the request in bytes.
        """
        each = _ROW_BYTES + _OBJECTS_PER_JSON_BYTE * size // max(len(records), 1)
        with self._changed:
            room = min(self._capacity - (self._accepted - self._processed), (self._memory - self._bytes) // each)
            accepted = records[: max(room, 0)] if self._deadline is None else ()
            self._queue.extend((record, each) for record in accepted)
            self._bytes += each * len(accepted)
            self._accepted += len(accepted)
            self._dropped += len(records) - len(accepted)

    def counts(self) -> LogCounts:
        """Number of records in each state."""
        with self._changed:
            waiting, lost = self._accepted - self._processed, self._writer.lost
            return LogCounts(self._written - lost, self._dropped, self._failed, waiting, self._errors, lost)

    @property
    def available(self) -> bool:
        """Whether the last attempt to write, or to check what was written, succeeded."""
        return not self._failing

    def oldest_waiting(self) -> float:
        """Unix time of the oldest record that is not written yet, within a few milliseconds; infinity for none."""
        with self._changed:
            queued = self._queue[0][0].at.timestamp() if self._queue else math.inf
            return min(self._oldest_held, queued)

    def flush(self, timeout: float) -> bool:
        """Write all records added so far; returns whether that was done within `timeout` seconds."""
        with self._changed:
            last = self._accepted
            self._flush_requested.set()
            return self._changed.wait_for(lambda: self._processed >= last, timeout)

    def close(self, timeout: float) -> bool:
        """Write the queue within `timeout` seconds and stop; returns False where the rest had to be dropped."""
        with self._changed:
            if self._deadline is None:
                self._deadline = time.monotonic() + timeout
            self._flush_requested.set()
        self._thread.join(timeout + _CLOSE_RETRY_SECONDS)
        return not self._thread.is_alive() and self._unwritten == 0

    def _run(self) -> None:
        while self._deadline is None:
            self._flush_requested.wait(self._interval)
            with self._changed:
                flush = self._flush_requested.is_set()
                self._flush_requested.clear()
            self._convert_queue()
            if flush or time.monotonic() >= self._next_attempt:
                self._write_rows()
                self._check_written()
        self._finish()

    def _finish(self) -> None:
        """Write the rest before the deadline."""
        self._convert_queue()
        while not self._write_rows() and time.monotonic() + _CLOSE_RETRY_SECONDS < (self._deadline or 0):
            time.sleep(_CLOSE_RETRY_SECONDS)
        self._unwritten = len(self._rows)
        if self._unwritten:
            _LOGGER.warning("%d predictions cannot be written before the end and are dropped", self._unwritten)
        self._settle(dropped=self._unwritten, freed=sum(map(_row_bytes, self._rows)))

    def _convert_queue(self) -> None:
        """Convert queued records to rows, with pauses for the event loop."""
        with self._changed:
            queue, self._queue = self._queue, []
            if queue:
                self._oldest_held = min(self._oldest_held, queue[0][0].at.timestamp())
        for start in range(0, len(queue), _CONVERSION_BATCH):
            self._convert(queue[start : start + _CONVERSION_BATCH])
            if self._deadline is None:
                time.sleep(_CONVERSION_PAUSE)

    def _convert(self, records: Sequence[tuple[PredictionRecord, int]]) -> None:
        """Replace records by rows; rows that exceed the memory limit are dropped."""
        failed = dropped = 0
        with self._changed:
            held = self._bytes
        freed = 0
        for record, size in records:
            freed += size
            try:
                row = self._build_row(record)
            except Exception:
                failed += 1
                continue
            if held - freed + _row_bytes(row) > self._memory:
                dropped += 1
            else:
                self._rows.append(row)
                freed -= _row_bytes(row)
        self._settle(failed=failed, dropped=dropped, freed=freed)

    def _write_rows(self) -> bool:
        """Write the rows, oldest first; returns whether none is left."""
        while self._rows:
            if not self._attempt(self._write_batch):
                return False
        with self._changed:
            self._oldest_held = math.inf
        return True

    def _write_batch(self) -> None:
        batch = self._rows[:_TRANSACTION_ROWS]
        failed = self._writer.write(batch)
        del self._rows[: len(batch)]
        self._settle(written=len(batch) - failed, failed=failed, freed=sum(map(_row_bytes, batch)))

    def _check_written(self) -> None:
        """Notice a database that was replaced, restored or deleted although there is nothing to write."""
        if not self._rows and time.monotonic() >= self._next_check:
            self._attempt(self._writer.check)

    def _attempt(self, access: Callable[[], None]) -> bool:
        """Access the database; returns whether it answered. After a failure the next attempt has to wait."""
        lost = self._writer.lost
        try:
            access()
        except Exception as error:
            self._back_off(error)
            return False
        self._next_check = time.monotonic() + _CHECK_SECONDS
        self._reset_backoff()
        if self._writer.lost > lost:
            message = "%d written predictions are not in the database, which was replaced or restored from a backup"
            _LOGGER.warning(message, self._writer.lost)
        return True

    def _back_off(self, error: Exception) -> None:
        with self._changed:
            self._errors += 1
        if not self._failing:
            _LOGGER.warning("predictions cannot be written and stay in the queue: %s", error_summary(error))
        self._failing = True
        self._next_attempt = time.monotonic() + self._backoff
        self._backoff = min(2 * self._backoff, max(_MAX_BACKOFF, self._interval))

    def _reset_backoff(self) -> None:
        if self._failing:
            _LOGGER.warning("predictions can be written again")
        self._failing = False
        self._backoff, self._next_attempt = self._interval, 0.0

    def _settle(self, *, written: int = 0, failed: int = 0, dropped: int = 0, freed: int = 0) -> None:
        with self._changed:
            self._bytes -= freed
            self._written += written
            self._failed += failed
            self._dropped += dropped
            self._processed += written + failed + dropped
            self._changed.notify_all()


def _row_bytes(row: Row) -> int:
    return _ROW_BYTES + sys.getsizeof(row["inputs"]) + sys.getsizeof(row["derived"])
