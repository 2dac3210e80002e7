"""Intervals by the bootstrap: accidents are drawn again with replacement and measured each time."""

import numpy as np

from accidents.evaluation.metrics import METRICS, Floats, Scores, measure

_CELLS = 50_000  # counts held at a time; few, so that they stay in the processor's cache


def resample(scores: Scores, threshold: float, *, bins: int, resamples: int, seed: int) -> dict[str, Floats]:
    """Measure `resamples` resamples of the accidents, float64 (resamples) by metric.

    The rows drawn depend on the seed and on the number of accidents alone: two models scored on the same accidents in
    the same order are measured on the same resamples, and their differences are paired.
    """
    generator = np.random.default_rng(seed)
    accidents = len(scores.cells)
    at_once = max(1, _CELLS // (2 * accidents))
    parts = []
    for start in range(0, resamples, at_once):
        rows = generator.integers(0, accidents, size=(min(at_once, resamples - start), accidents))
        parts.append(measure(scores.distinct, scores.counts(rows), threshold, bins))
    return {name: np.concatenate([part[name] for part in parts]) for name in METRICS}


def interval(
    value: float, resampled: Floats, confidence: float, *, lowest: float = 0.0, highest: float = 1.0
) -> tuple[float, float] | None:
    """Percentile interval of one metric, moved so that the resamples have their mean at `value`.

    Without the move the interval of an error that noise can only make larger, such as ECE, would lie above the measured
    value. Resamples in which the metric is not defined are left out; None where it is not defined at all.

    Args:
        value: the metric, measured on all accidents.
        resampled: the same in each resample.
        confidence: share of the resamples that the interval covers.
        lowest: least value that the metric can take.
        highest: greatest value that it can take.
    """
    defined = resampled[np.isfinite(resampled)]
    if not np.isfinite(value) or not len(defined):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail)) - (defined.mean() - value)
    return max(float(low), lowest), min(float(high), highest)
