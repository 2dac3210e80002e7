"""Bootstrap confidence intervals: accidents are resampled with replacement and measured each time."""

import numpy as np

from accidents.evaluation.metrics import METRICS, Floats, GroupedScores
from accidents.evaluation.results import Interval

_BATCH = 50_000  # counts held at a time; few, so that they stay in the processor's cache


def bootstrap_metrics(
    scores: GroupedScores, threshold: float, *, bins: int, resamples: int, seed: int
) -> dict[str, Floats]:
    """Compute the metrics of bootstrap resamples.

    The rows drawn depend on the seed and on the number of accidents alone: two models scored on the same accidents in
    the same order are measured on the same resamples, and their differences are paired.

    Args:
        scores: labelled probabilities.
        threshold: probability from which on an accident is predicted priority.
        bins: number of bins of ECE.
        resamples: number of resamples.
        seed: of the random numbers.

    Returns:
        float64 (resamples) by metric.
    """
    generator = np.random.default_rng(seed)
    accidents = len(scores.count_index)
    batch_size = max(1, _BATCH // (2 * accidents))
    batches = []
    for start in range(0, resamples, batch_size):
        rows = generator.integers(0, accidents, size=(min(batch_size, resamples - start), accidents))
        batches.append(scores.metrics(threshold, bins, rows))
    return {name: np.concatenate([batch[name] for batch in batches]) for name in METRICS}


def confidence_interval(
    value: float, resampled: Floats, confidence: float, *, lowest: float = 0.0, highest: float = 1.0
) -> Interval | None:
    """Compute the percentile interval of a metric, shifted so that the resamples have their mean at `value`.

    Without the shift the interval of an error that noise can only make larger, such as ECE, would lie above the
    measured value. Resamples in which the metric is not defined are left out.

    Args:
        value: the metric, measured on all accidents.
        resampled: the metric in each resample, float64.
        confidence: share of the resamples that the interval covers.
        lowest: least value that the metric can take.
        highest: greatest value that it can take.

    Returns:
        Lower and upper end; None where the metric is not defined.
    """
    defined = resampled[np.isfinite(resampled)]
    if not np.isfinite(value) or not len(defined):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail)) - (defined.mean() - value)
    return max(float(low), lowest), min(float(high), highest)
