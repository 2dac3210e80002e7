"""What Prometheus reads: requests, predictions, the model, the log. Workers add up where they share a folder.

With `PROMETHEUS_MULTIPROC_DIR` in the environment, before this is imported, every process writes files there and any
of them tells the sum; without it a process tells its own figures.
"""

import os
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from serving.environment import SHARED_METRICS

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STEPS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1)
_TENTHS = tuple(tenth / 10 for tenth in range(1, 11))
STEPS = ("validation", "features", "model")
"""Parts of an answer that are timed one by one."""


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        _forget_the_dead()
        own: dict[str, Any] = {"namespace": "accidents", "registry": CollectorRegistry()}
        newest = own | {"multiprocess_mode": "mostrecent"}
        self.registry: CollectorRegistry = own["registry"]
        told = ("route", "method", "status")
        self._requests = Counter("requests", "Requests by route, method and status", told, **own)
        self._seconds = Histogram("request_seconds", "Time of a request", ("route",), buckets=_SECONDS, **own)
        self._steps = Histogram("step_seconds", "Time of a part of an answer", ("step",), buckets=_STEPS, **own)
        self._refused = Counter("refused", "Requests not let in", ("reason",), **own)
        self._predictions = Counter("predictions", "Predictions by class", ("prediction",), **own)
        self._probability = Histogram("probability", "Predicted probabilities", buckets=_TENTHS, **own)
        self._missing = Counter("missing_inputs", "Inputs that a request did not give", ("field",), **own)
        self._invalid = Counter("invalid_accidents", "Accidents that were refused", **own)
        model = ("name", "version", "type", "level")
        self._info = Gauge("model_info", "The model that answers: 1", model, **newest)
        self._loaded = Gauge("model_loaded_timestamp_seconds", "When the model was loaded", **newest)
        self._checked = Gauge("model_checked_timestamp_seconds", "When the registry was last asked", **newest)
        self._alarm = Gauge(
            "model_reload_failed", "1 while a newer model could not be taken", multiprocess_mode="livemax", **own
        )
        self._failures = Counter("model_reload_failures", "Looks at which a newer model could not be taken", **own)
        self._figures = Gauge("model_metric", "Figures of the model's test part", ("metric",), **newest)
        self._evaluated = Gauge("evaluation_metric", "Figures of the last evaluation", ("metric",), **newest)
        self._drift = Gauge("drift_share", "Share of drifted features last measured; NaN: not yet", **newest)
        self._log = Gauge(
            "log_entries", "Entries of the prediction log by state", ("state",), multiprocess_mode="livesum", **own
        )
        self._drift.set(float("nan"))
        self._of_request = cache(self._requests.labels)
        self._of_seconds = cache(self._seconds.labels)
        self._of_step = {step: self._steps.labels(step) for step in STEPS}
        self._of_class = {number: self._predictions.labels(str(number)) for number in (0, 1)}
        self._of_missing = cache(self._missing.labels)
        self._model: tuple[str, ...] | None = None

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._of_request(route, method if method in _METHODS else "OTHER", str(status)).inc()
        self._of_seconds(route).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that was not let in."""
        self._refused.labels(reason).inc()

    def invalid(self, count: int = 1) -> None:
        """Count accidents that were refused."""
        self._invalid.inc(count)

    def steps(self, validation: float, features: float, model: float) -> None:
        """Note how many seconds the parts of an answer took."""
        for step, seconds in zip(STEPS, (validation, features, model), strict=True):
            self._of_step[step].observe(seconds)

    def predicted(self, probabilities: Sequence[float], threshold: float, missing: Sequence[tuple[str, ...]]) -> None:
        """Count predictions, and what was missing of each accident."""
        positive = 0
        for probability in probabilities:
            positive += probability >= threshold
            self._probability.observe(probability)
        for number, count in ((1, positive), (0, len(probabilities) - positive)):
            if count:
                self._of_class[number].inc(count)
        for field, count in Tally(chain.from_iterable(missing)).items():
            self._of_missing(field).inc(count)

    def model(self, labels: tuple[str, str, str, str], figures: Mapping[str, float], loaded: float) -> None:
        """Say which model answers: name, version, type, level."""
        if self._model is not None and self._model != labels:
            self._info.labels(*self._model).set(0)
        self._model = labels
        self._info.labels(*labels).set(1)
        self._loaded.set(loaded)
        for name, value in figures.items():
            self._figures.labels(name).set(value)

    def checked(self, at: float, *, failed: bool) -> None:
        """Note a look for a newer model; `failed` raises the alarm."""
        self._checked.set(at)
        self._alarm.set(1 if failed else 0)
        if failed:
            self._failures.inc()

    def evaluated(self, figures: Mapping[str, float | None]) -> None:
        """Note the figures of an evaluation."""
        for name, value in figures.items():
            self._evaluated.labels(name).set(float("nan") if value is None else value)

    def log(self, counts: Mapping[str, int]) -> None:
        """Say how many entries of the prediction log of this process are in which state."""
        for state, count in counts.items():
            self._log.labels(state).set(count)

    def render(self) -> bytes:
        """Everything, in the text form of Prometheus."""
        if SHARED_METRICS not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)
        return generate_latest(together)


_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"})


def _forget_the_dead() -> None:
    """Remove what a worker that ended has said of its present state; what it counted stays."""
    for file in Path(os.environ[SHARED_METRICS]).glob("gauge_live*.db") if SHARED_METRICS in os.environ else ():
        if not psutil.pid_exists(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)
