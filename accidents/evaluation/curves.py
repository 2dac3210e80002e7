"""ROC, precision-recall, calibration, threshold and cost curves, thinned to a number of points."""

import numpy as np

from accidents.evaluation.metrics import Floats, bin_index
from accidents.evaluation.results import Curve, Evaluation

_Z = 1.959964  # two-sided 95 % quantile of the normal distribution


def roc_curve(counts: Floats, points: int) -> Curve:
    """Compute true against false positive rate, from the highest threshold to the lowest.

    Args:
        counts: accidents by label and distinct probability, highest first, float64 (2, k).
        points: greatest number of points to keep.

    Returns:
        `false_positive_rate` and `true_positive_rate`; both empty if a class has no accident.
    """
    false, true = np.pad(counts.cumsum(axis=1), ((0, 0), (1, 0)))
    if not false[-1] or not true[-1]:
        return {"false_positive_rate": [], "true_positive_rate": []}
    kept = _thin_indices(len(true), points)
    return {
        "false_positive_rate": (false[kept] / false[-1]).tolist(),
        "true_positive_rate": (true[kept] / true[-1]).tolist(),
    }


def precision_recall_curve(counts: Floats, points: int) -> Curve:
    """Compute precision against recall, from the highest threshold to the lowest.

    Args:
        counts: accidents by label and distinct probability, highest first, float64 (2, k).
        points: greatest number of points to keep.

    Returns:
        `recall` and `precision`; both empty if no accident has label 1.
    """
    false, true = counts.cumsum(axis=1)
    if not true[-1]:
        return {"recall": [], "precision": []}
    kept = _thin_indices(len(true), points)
    return {"recall": (true[kept] / true[-1]).tolist(), "precision": (true[kept] / (true + false)[kept]).tolist()}


def calibration_curve(probabilities: Floats, counts: Floats, bins: int) -> Curve:
    """Compute mean probability and observed share in bins of equal width, with 95 % Wilson intervals of the share.

    Args:
        probabilities: distinct probabilities, highest first, float64 (k).
        counts: accidents by label and distinct probability, float64 (2, k).
        bins: number of bins.

    Returns:
        `predicted`, `observed`, `low`, `high` and `n` of every bin that has accidents.
    """
    inside = np.eye(bins)[bin_index(probabilities, bins)]
    n = counts.sum(axis=0) @ inside
    used = n > 0
    positives, predicted = (counts[1] @ inside)[used], ((counts.sum(axis=0) * probabilities) @ inside)[used]
    n = n[used]
    observed = positives / n
    centre = (positives + _Z**2 / 2) / (n + _Z**2)
    half = _Z / (n + _Z**2) * np.sqrt(positives * (n - positives) / n + _Z**2 / 4)
    return {
        "predicted": (predicted / n).tolist(),
        "observed": observed.tolist(),
        "low": (centre - half).clip(0, 1).tolist(),
        "high": (centre + half).clip(0, 1).tolist(),
        "n": n.tolist(),
    }


def threshold_curve(probabilities: Floats, counts: Floats, points: int) -> Curve:
    """Compute F1, precision, recall and the share predicted priority at evenly spaced thresholds.

    Precision is 1 where nothing is predicted priority, and recall is 1 where no accident has label 1.

    Args:
        probabilities: distinct probabilities, highest first, float64 (k).
        counts: accidents by label and distinct probability, float64 (2, k).
        points: number of thresholds.

    Returns:
        `threshold`, `f1`, `precision`, `recall` and `predicted`.
    """
    grid = np.linspace(0, 1, points + 2)[1:-1]
    reached = np.searchsorted(-probabilities, -grid, side="right")
    false, true = np.pad(counts.cumsum(axis=1), ((0, 0), (1, 0)))
    true_positives, false_positives, positives = true[reached], false[reached], true[-1]
    predicted = true_positives + false_positives
    return {
        "threshold": grid.tolist(),
        "f1": (2 * true_positives / np.maximum(predicted + positives, 1)).tolist(),
        "precision": np.where(predicted > 0, true_positives / np.maximum(predicted, 1), 1.0).tolist(),
        "recall": (true_positives / positives if positives else np.ones(points)).tolist(),
        "predicted": (predicted / counts.sum()).tolist(),
    }


def cost_curve(evaluation: Evaluation, miss_weight: float) -> Curve:
    """Compute the cost of every threshold of the threshold curve, in false positives per 100 accidents.

    Args:
        evaluation: evaluation of a model.
        miss_weight: cost of a false negative in false positives.

    Returns:
        `threshold` and `cost`.
    """
    curve = evaluation.thresholds
    recall, predicted = np.array(curve["recall"]), np.array(curve["predicted"])
    true_positives = evaluation.prevalence * recall
    cost = 100 * (miss_weight * (evaluation.prevalence - true_positives) + predicted - true_positives)
    return {"threshold": curve["threshold"], "cost": cost.tolist()}


def cheapest_threshold(evaluation: Evaluation, miss_weight: float) -> tuple[float, float]:
    """Return the threshold of least cost and that cost; of equally good thresholds the highest."""
    curve = cost_curve(evaluation, miss_weight)
    cheapest = len(curve["cost"]) - 1 - int(np.argmin(curve["cost"][::-1]))
    return curve["threshold"][cheapest], curve["cost"][cheapest]


def _thin_indices(length: int, points: int) -> np.ndarray:
    """Return at most `points` of `length` positions, evenly spaced, with the first and the last."""
    return np.unique(np.linspace(0, length - 1, min(points, length)).round().astype(np.int64))
