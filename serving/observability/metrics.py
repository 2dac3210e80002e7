"""Prometheus metrics of requests, predictions, the model and the prediction log.

With `PROMETHEUS_MULTIPROC_DIR` in the environment before this is imported, workers write their values to files there,
and each of them can render the aggregate (multiprocess mode of prometheus_client).
"""

import collections
import math
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from serving.environment import METRICS_FOLDER_ENV

CONTENT_TYPE = CONTENT_TYPE_LATEST
_REQUEST_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STEP_BUCKETS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1)
_PROBABILITY_BUCKETS = tuple(tenth / 10 for tenth in range(1, 11))
_DIFFERENCE_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
_OLDEST_WAITING = "log_oldest_waiting_timestamp_seconds"
STEPS = ("validation", "features", "model")
"""Steps of a prediction that are timed separately."""


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        _remove_stale_gauges()
        common: dict[str, Any] = {"namespace": "accidents", "registry": CollectorRegistry()}
        most_recent = common | {"multiprocess_mode": "mostrecent"}
        self.registry: CollectorRegistry = common["registry"]
        request_labels = ("route", "method", "status")
        self._requests = Counter("requests", "Requests by route, method and status", request_labels, **common)
        self._seconds = Histogram(
            "request_seconds", "Time of a request", ("route",), buckets=_REQUEST_BUCKETS, **common
        )
        self._steps = Histogram(
            "step_seconds", "Time of a step of a prediction", ("step",), buckets=_STEP_BUCKETS, **common
        )
        self._refused = Counter("refused", "Requests refused before they reach a route", ("reason",), **common)
        self._predictions = Counter("predictions", "Predictions by class", ("prediction",), **common)
        self._probability = Histogram("probability", "Predicted probabilities", buckets=_PROBABILITY_BUCKETS, **common)
        self._missing = Counter("missing_inputs", "Inputs that were not given", ("field",), **common)
        self._invalid = Counter("invalid_accidents", "Invalid accidents", **common)
        model_labels = ("name", "version", "type", "level")
        self._info = Gauge("model_info", "The loaded model: 1", model_labels, **most_recent)
        self._trained = Gauge("model_trained_timestamp_seconds", "When the model was trained", **most_recent)
        self._loaded = Gauge("model_loaded_timestamp_seconds", "When the model was loaded", **most_recent)
        self._checked = Gauge("model_checked_timestamp_seconds", "When the registry was last checked", **most_recent)
        self._reload_failed = Gauge(
            "model_reload_failed", "1 while a newer model cannot be loaded", multiprocess_mode="livemax", **common
        )
        self._failures = Counter("model_reload_failures", "Failed checks for a newer model", **common)
        self._test_metrics = Gauge("model_metric", "Metrics of the model on the test set", ("metric",), **most_recent)
        self._evaluated = Gauge("evaluation_metric", "Metrics of the last evaluation", ("metric",), **most_recent)
        self._outcomes = Histogram(
            "outcome_probability",
            "Predicted probabilities of accidents by their outcome, when that became known",
            ("outcome",),
            buckets=_PROBABILITY_BUCKETS,
            **common,
        )
        self._drift = Gauge("drift_share", "Share of drifted features last measured; NaN: not yet", **most_recent)
        self._log = Gauge(
            "log_entries", "Records of the prediction log by state", ("state",), multiprocess_mode="livesum", **common
        )
        self._database = Gauge(
            "database_available", "1 while the database answers", multiprocess_mode="livemin", **common
        )
        self._oldest_waiting = Gauge(
            _OLDEST_WAITING,
            "When the oldest prediction was made that waits to be written; +Inf: none waits",
            multiprocess_mode="livemin",
            **common,
        )
        self._oldest_waiting.set(math.inf)
        self._drift.set(float("nan"))
        self._shadow_info = Gauge("shadow_model_info", "The loaded shadow model: 1", model_labels, **most_recent)
        self._shadow = Counter(
            "shadow_answers", "Answers of the shadow model: written, dropped or failed", ("state",), **common
        )
        self._shadow_differences = Histogram(
            "shadow_difference",
            "Absolute difference of the probabilities of shadow model and answer, by whether the predictions agree",
            ("agrees",),
            buckets=_DIFFERENCE_BUCKETS,
            **common,
        )
        # Looking up a labelled child takes longer than updating it.
        self._requests_of = cache(self._requests.labels)
        self._seconds_of = cache(self._seconds.labels)
        self._step_of = {step: self._steps.labels(step) for step in STEPS}
        self._predictions_of = {number: self._predictions.labels(str(number)) for number in (0, 1)}
        self._outcome_of = {number: self._outcomes.labels(str(number)) for number in (0, 1)}
        self._missing_of = cache(self._missing.labels)
        self._shadow_difference_of = {
            agrees: self._shadow_differences.labels(str(agrees).lower()) for agrees in (True, False)
        }
        self._labels_of: dict[Gauge, tuple[str, ...]] = {}

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count and time a request."""
        self._requests_of(route, method if method in _METHODS else "OTHER", str(status)).inc()
        self._seconds_of(route).observe(seconds)

    def count_refused(self, reason: str) -> None:
        """Count a request that was refused before it reached a route."""
        self._refused.labels(reason).inc()

    def count_invalid(self, count: int = 1) -> None:
        """Count invalid accidents."""
        self._invalid.inc(count)

    def observe_steps(self, validation: float, features: float, model: float) -> None:
        """Record the seconds of each step of a prediction."""
        for step, seconds in zip(STEPS, (validation, features, model), strict=True):
            self._step_of[step].observe(seconds)

    def observe_predictions(
        self, probabilities: Sequence[float], threshold: float, missing: Sequence[tuple[str, ...]]
    ) -> None:
        """Record predictions, and the missing inputs of each accident."""
        positive = 0
        for probability in probabilities:
            positive += probability >= threshold
            self._probability.observe(probability)
        for number, count in ((1, positive), (0, len(probabilities) - positive)):
            if count:
                self._predictions_of[number].inc(count)
        for field, count in collections.Counter(chain.from_iterable(missing)).items():
            self._missing_of(field).inc(count)

    def observe_outcome(self, probability: float, outcome: int) -> None:
        """Record the first outcome of a prediction."""
        self._outcome_of[outcome].observe(probability)

    def set_model(
        self,
        labels: tuple[str, str, str, str],
        test_metrics: Mapping[str, float],
        *,
        trained_at: float,
        loaded_at: float,
    ) -> None:
        """Set the loaded model; `labels` are name, version, type and level, times Unix times or NaN."""
        self._set_info(self._info, labels)
        self._trained.set(trained_at)
        self._loaded.set(loaded_at)
        for name, value in test_metrics.items():
            self._test_metrics.labels(name).set(value)

    def set_shadow_model(self, labels: tuple[str, str, str, str]) -> None:
        """Set the loaded shadow model; `labels` are name, version, type and level."""
        self._set_info(self._shadow_info, labels)

    def count_shadow(self, state: str, count: int) -> None:
        """Count accidents by what became of their shadow answers: `written`, `dropped` or `failed`."""
        self._shadow.labels(state).inc(count)

    def observe_shadow(self, difference: float, *, agrees: bool) -> None:
        """Record an answer of the shadow model: its probability minus that of the answer, and whether both agree."""
        self._shadow_difference_of[agrees].observe(abs(difference))

    def _set_info(self, gauge: Gauge, labels: tuple[str, ...]) -> None:
        """Set an information gauge to 1 for these labels, and to 0 for the previous ones."""
        previous = self._labels_of.get(gauge, labels)
        if previous != labels:
            gauge.labels(*previous).set(0)
        self._labels_of[gauge] = labels
        gauge.labels(*labels).set(1)

    def observe_model_check(self, at: float, *, failed: bool) -> None:
        """Record a check for a newer model; `at` is a Unix time."""
        self._checked.set(at)
        self._reload_failed.set(1 if failed else 0)
        if failed:
            self._failures.inc()

    def set_evaluation(self, values: Mapping[str, float | None]) -> None:
        """Set the metrics of an evaluation by name; None for undefined ones."""
        for name, value in values.items():
            self._evaluated.labels(name).set(float("nan") if value is None else value)

    def set_log_counts(self, counts: Mapping[str, int]) -> None:
        """Set the number of records of this process's prediction log by state."""
        for state, count in counts.items():
            self._log.labels(state).set(count)

    def set_database(self, oldest_waiting: float, *, available: bool) -> None:
        """Set whether the database answers, and the Unix time of the oldest waiting prediction of this process."""
        self._database.set(available)
        self._oldest_waiting.set(oldest_waiting)

    def oldest_waiting(self) -> float:
        """Unix time of the oldest waiting prediction of all workers, as each last set it; infinity for none."""
        name = f"accidents_{_OLDEST_WAITING}"
        if METRICS_FOLDER_ENV not in os.environ:
            return self.registry.get_sample_value(name) or math.inf
        files = [str(file) for file in Path(os.environ[METRICS_FOLDER_ENV]).glob("gauge_livemin_*.db")]
        samples = [sample for metric in MultiProcessCollector.merge(files) for sample in metric.samples]
        return min((sample.value for sample in samples if sample.name == name), default=math.inf)

    def render(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        if METRICS_FOLDER_ENV not in os.environ:
            return generate_latest(self.registry)
        aggregate = CollectorRegistry()
        MultiProcessCollector(aggregate)
        return generate_latest(aggregate)


def unix_time(text: str) -> float:
    """Unix time of an ISO time; NaN where there is none.

    >>> unix_time("1970-01-01T00:01:00+00:00"), unix_time("")
    (60.0, nan)
    """
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return math.nan


_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"})


def _remove_stale_gauges() -> None:
    """Delete the live gauges of workers that have exited; their counters stay."""
    for file in Path(os.environ[METRICS_FOLDER_ENV]).glob("gauge_live*.db") if METRICS_FOLDER_ENV in os.environ else ():
        if not psutil.pid_exists(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)
