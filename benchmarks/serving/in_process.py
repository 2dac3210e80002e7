"""Time from JSON text to probability without HTTP, by step."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from accidents.bundle import Bundle
from accidents.requests import parse_request

_WARM_UP = 200


@dataclass(frozen=True)
class StepTimes:
    """Median milliseconds of each step, and median and 99th percentile of all steps together."""

    json: float
    validation: float
    features: float
    model: float
    total: float
    p99: float


def in_process(bundle: Bundle, texts: Sequence[bytes]) -> StepTimes:
    """Measure every accident once."""
    for text in texts[:_WARM_UP]:
        _times(bundle, text)
    times = [_times(bundle, text) for text in texts]
    totals = [sum(step_times) for step_times in times]
    medians = [statistics.median(part) for part in (*zip(*times, strict=True), totals)]
    p99 = statistics.quantiles(totals, n=100, method="inclusive")[98]
    return StepTimes(*(1000 * seconds for seconds in (*medians, p99)))


def _times(bundle: Bundle, text: bytes) -> tuple[float, float, float, float]:
    """Seconds of JSON, validation, features and model."""
    start = time.perf_counter()
    content = orjson.loads(text)
    decoded = time.perf_counter()
    request = parse_request(content)
    read = time.perf_counter()
    row = bundle.matrix(request.arrays)
    seen = time.perf_counter()
    float(bundle.predict_proba(row)[0])
    return decoded - start, read - decoded, seen - read, time.perf_counter() - seen
