"""The shadow model: scores live accidents beside the answers, in a thread of its own, and never delays one.

A request puts its accidents, as the arrays that its own model has seen, into a bounded queue; what finds the queue full
is dropped and counted. The thread takes what waits a few times a second and scores it in one go, so that the time in
which it holds the interpreter stays small against that of the answers. The results are written to the database.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from accidents.configuration.serving import ServingSettings
from accidents.features.arrays import Arrays, concatenate
from accidents.tables import classify
from serving.model.model_loader import LoadedModel, ModelLoader
from serving.model.pointer import ModelPointer
from serving.observability.metrics import Metrics
from serving.observability.telemetry import Logger
from serving.records.database import error_summary
from serving.records.prediction_record import PredictionRecord
from serving.records.shadow_answers import write_shadow_answers

_LOGGER = logging.getLogger(__name__)
_INTERVAL = 0.1  # seconds between two looks at the queue
_BATCH = 100  # accidents that are scored in one go, unless one request has more
_PAUSE = 0.001  # seconds between two batches, in which the event loop gets the interpreter


def create_shadow(
    settings: ServingSettings, pointer_file: Path, engine: Engine, metrics: Metrics, logger: Logger
) -> "Shadow | None":
    """The shadow model that a pointer file names; None where there is no such file.

    It is loaded by `loader.check`. One that cannot be loaded is a warning in the log, and the service goes on.
    """
    if not pointer_file.exists():
        return None
    reported = ""

    def report_check(model: LoadedModel | None, pointer: ModelPointer | None, error: str) -> None:
        nonlocal reported
        if model:
            info = model.info
            metrics.set_shadow_model((info["name"], info["version"], info["type"], model.bundle.level))
        message = error or (pointer.problem if pointer else "")
        if message and message != reported:
            logger.warning("shadow model rejected", error=message)
        reported = message

    loader = ModelLoader(pointer_file, report_check)
    return Shadow(engine, loader, metrics, settings.shadow.queue, settings.records.flush_seconds)


@dataclass(frozen=True)
class _Waiting:
    """Predictions of one request, and the accidents that they are of, in the same order."""

    records: Sequence[PredictionRecord]
    arrays: Arrays


class Shadow:
    """Takes predictions without blocking or raising; a thread scores the same accidents with another model.

    Args:
        engine: the database for its answers.
        loader: holds the shadow model.
        metrics: counts answers, differences, and what is dropped or fails.
        capacity: accidents that may wait, to be scored or to be written.
        flush_seconds: time between two writes.
    """

    def __init__(
        self, engine: Engine, loader: ModelLoader, metrics: Metrics, capacity: int, flush_seconds: float
    ) -> None:
        self.loader = loader
        self._engine, self._metrics = engine, metrics
        self._capacity, self._flush_seconds = capacity, flush_seconds
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._waiting = 0
        self._closing = threading.Event()
        self._rows: list[dict[str, Any]] = []  # used by the thread only, like what follows
        self._next_write = 0.0
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    def add(self, records: Sequence[PredictionRecord], arrays: Arrays) -> None:
        """Queue the accidents of a request; they are dropped and counted where there is no room for them.

        Args:
            records: the predictions.
            arrays: the accidents, in the same order.
        """
        with self._lock:
            accepted = self._waiting + len(records) <= self._capacity and not self._closing.is_set()
            if accepted:
                self._queue.append(_Waiting(records, arrays))
                self._waiting += len(records)
        if not accepted:
            self._metrics.count_shadow("dropped", len(records))

    def close(self, timeout: float) -> None:
        """Score and write what waits, within `timeout` seconds."""
        self._closing.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closing.wait(_INTERVAL):
            self._score_queue()
            if time.monotonic() >= self._next_write:
                self._write()
        self._score_queue()
        self._write()

    def _score_queue(self) -> None:
        with self._lock:
            queue, self._queue = self._queue, []
        batch: list[_Waiting] = []
        for waiting in queue:
            batch.append(waiting)
            if sum(len(one.records) for one in batch) >= _BATCH:
                self._score_batch(batch)
                batch = []
                time.sleep(_PAUSE)
        if batch:
            self._score_batch(batch)

    def _score_batch(self, batch: Sequence[_Waiting]) -> None:
        model = self.loader.model
        records = [record for waiting in batch for record in waiting.records]
        try:
            if model is None:
                self._metrics.count_shadow("dropped", len(records))
            else:
                self._score(model, records, concatenate([waiting.arrays for waiting in batch]))
        except Exception as error:  # whatever a model raises must not end the thread
            self._metrics.count_shadow("failed", len(records))
            self._warn(f"the shadow model does not predict: {type(error).__name__}")
        with self._lock:
            self._waiting -= len(records)

    def _score(self, model: LoadedModel, records: Sequence[PredictionRecord], arrays: Arrays) -> None:
        digest, threshold = model.pointer.digest, model.bundle.threshold
        probabilities = model.bundle.predict(arrays).tolist()
        for record, probability in zip(records, probabilities, strict=True):
            if record.model_sha256 == digest:  # it was promoted meanwhile, and has nothing to be compared with
                continue
            prediction, _ = classify(probability, threshold)
            self._metrics.observe_shadow(probability - record.probability, agrees=prediction == record.prediction)
            self._rows.append(
                {
                    "prediction_id": record.id,
                    "at": record.at,
                    "model": model.info["name"],
                    "version": model.info["version"],
                    "model_sha256": digest,
                    "probability": probability,
                    "threshold": threshold,
                    "prediction": prediction,
                }
            )

    def _write(self) -> None:
        """Write the answers; those for which there is no room while the database is away are dropped and counted."""
        self._next_write = time.monotonic() + self._flush_seconds
        try:
            if self._rows:
                write_shadow_answers(self._engine, self._rows)
                self._metrics.count_shadow("written", len(self._rows))
                self._rows.clear()
            self._failing = False
        except Exception as error:
            self._warn(f"answers of the shadow model cannot be written: {error_summary(error)}")
            excess = max(len(self._rows) - self._capacity, 0)
            del self._rows[:excess]
            self._metrics.count_shadow("dropped", excess)

    def _warn(self, message: str) -> None:
        if not self._failing:
            _LOGGER.warning("%s", message)
        self._failing = True
