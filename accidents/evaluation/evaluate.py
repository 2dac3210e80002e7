"""The evaluation of one model, and the paired comparison of two, from probabilities and labels."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation import curves
from accidents.evaluation.bootstrap import interval, resample
from accidents.evaluation.groups import by_group
from accidents.evaluation.metrics import METRICS, Floats, measure, scores
from accidents.evaluation.results import Confusion, Difference, Evaluation


def evaluate(
    labels: npt.NDArray[np.int8],
    probabilities: Floats,
    threshold: float,
    *,
    groups: pd.DataFrame | None,
    settings: EvaluationSettings,
) -> Evaluation:
    """Measure a model on labelled accidents, as a whole and by group.

    Args:
        labels: int8 (n), 1 priority, 0 not.
        probabilities: float64 (n), of priority.
        threshold: from which probability on an accident is predicted priority.
        groups: columns of the accidents (n rows, in the same order) by which metrics are wanted; None for no groups.
        settings: resamples, bins, seed.

    Raises:
        DataError: there are no accidents, an unknown label, a missing probability, or groups that do not fit.
    """
    scored = scores(labels, probabilities)
    distinct, counts = scored.distinct, scored.counts()
    bins = settings.calibration_bins
    measured = {name: float(found[0]) for name, found in measure(distinct, counts, threshold, bins).items()}
    resampled = resample(scored, threshold, bins=bins, resamples=settings.resamples, seed=settings.seed)
    return Evaluation(
        **{name: value if np.isfinite(value) else None for name, value in measured.items()},
        threshold=threshold,
        n=len(labels),
        confidence=settings.confidence,
        intervals={name: interval(measured[name], resampled[name], settings.confidence) for name in METRICS},
        confusion=_confusion(labels, probabilities >= threshold),
        groups={
            str(name): by_group(labels, probabilities, threshold, values, settings)
            for name, values in (groups if groups is not None else pd.DataFrame()).items()
        },
        roc=curves.roc(counts[0], settings.curve_points),
        precision_recall=curves.precision_recall(counts[0], settings.curve_points),
        calibration=curves.calibration(distinct, counts[0], bins),
        thresholds=curves.thresholds(distinct, counts[0], settings.threshold_points),
    )


def compare(
    labels: npt.NDArray[np.int8],
    first: tuple[Floats, float],
    second: tuple[Floats, float],
    *,
    settings: EvaluationSettings,
) -> dict[str, Difference]:
    """Difference of every metric, first model less second, on the same accidents, with paired bootstrap intervals.

    Args:
        labels: int8 (n), 1 priority, 0 not.
        first: probabilities (n) and threshold of the one model.
        second: the same of the other, in the same order of accidents.
        settings: resamples, bins, seed.

    Raises:
        DataError: there are no accidents, an unknown label, or a missing probability.
    """
    bins, results = settings.calibration_bins, []
    for probabilities, threshold in (first, second):
        found = scores(labels, probabilities)
        measured = measure(found.distinct, found.counts(), threshold, bins)
        resampled = resample(found, threshold, bins=bins, resamples=settings.resamples, seed=settings.seed)
        results.append((measured, resampled))
    (one, one_resampled), (other, other_resampled) = results
    return {
        name: _difference(one[name][0] - other[name][0], one_resampled[name] - other_resampled[name], settings)
        for name in METRICS
    }


def _difference(value: float, resampled: Floats, settings: EvaluationSettings) -> Difference:
    limits = interval(value, resampled, settings.confidence, lowest=-1.0)
    return Difference(value=float(value) if np.isfinite(value) else None, interval=limits)


def _confusion(labels: npt.NDArray[np.int8], predictions: npt.NDArray[np.bool_]) -> Confusion:
    cells = np.bincount(2 * labels.astype(np.int64) + predictions, minlength=4).tolist()
    return Confusion(
        true_negatives=cells[0], false_positives=cells[1], false_negatives=cells[2], true_positives=cells[3]
    )
