"""Curves of a scored model, thinned to what an eye can tell apart: ROC, precision-recall, calibration, thresholds."""

import numpy as np

from accidents.evaluation.metrics import Floats, bin_of
from accidents.evaluation.results import Curve

_Z = 1.959964  # two-sided 95 % quantile of the normal distribution


def roc(counts: Floats, points: int) -> Curve:
    """True against false positive rate, from the strictest threshold to the loosest; empty if a class has no accident.

    Args:
        counts: accidents by label and distinct probability, highest first (2, k).
        points: most points to keep.
    """
    false, true = np.pad(counts.cumsum(axis=1), ((0, 0), (1, 0)))
    if not false[-1] or not true[-1]:
        return {"false_positive_rate": [], "true_positive_rate": []}
    kept = _thin(len(true), points)
    return {
        "false_positive_rate": (false[kept] / false[-1]).tolist(),
        "true_positive_rate": (true[kept] / true[-1]).tolist(),
    }


def precision_recall(counts: Floats, points: int) -> Curve:
    """Precision against recall, from the strictest threshold to the loosest; empty if no accident has label 1."""
    false, true = counts.cumsum(axis=1)
    if not true[-1]:
        return {"recall": [], "precision": []}
    kept = _thin(len(true), points)
    return {"recall": (true[kept] / true[-1]).tolist(), "precision": (true[kept] / (true + false)[kept]).tolist()}


def calibration(values: Floats, counts: Floats, bins: int) -> Curve:
    """Mean probability and observed share in bins of equal width, with 95 % Wilson intervals of the share."""
    inside = np.eye(bins)[bin_of(values, bins)]
    n = counts.sum(axis=0) @ inside
    used = n > 0
    n, positives, predicted = n[used], (counts[1] @ inside)[used], ((counts.sum(axis=0) * values) @ inside)[used]
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


def thresholds(values: Floats, counts: Floats, points: int) -> Curve:
    """F1, precision, recall and share predicted 1 at evenly spaced thresholds.

    Precision is 1 where nothing is predicted 1 and recall 1 where there is nothing to find, so that the curves end.
    """
    grid = np.linspace(0, 1, points + 2)[1:-1]
    predicted = np.searchsorted(-values, -grid, side="right")
    false, true = np.pad(counts.cumsum(axis=1), ((0, 0), (1, 0)))
    hits, alarms, positives = true[predicted], false[predicted], true[-1]
    return {
        "threshold": grid.tolist(),
        "f1": (2 * hits / np.maximum(hits + alarms + positives, 1)).tolist(),
        "precision": np.where(hits + alarms > 0, hits / np.maximum(hits + alarms, 1), 1.0).tolist(),
        "recall": (hits / positives if positives else np.ones(points)).tolist(),
        "predicted": ((hits + alarms) / counts.sum()).tolist(),
    }


def _thin(length: int, points: int) -> np.ndarray:
    """At most `points` positions out of `length`, evenly, with the first and the last."""
    return np.unique(np.linspace(0, length - 1, min(points, length)).round().astype(np.int64))
