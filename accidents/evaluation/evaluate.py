"""Evaluation of one model, and paired comparison of two, from labels and probabilities."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation import curves
from accidents.evaluation.bootstrap import bootstrap_metrics, confidence_interval
from accidents.evaluation.groups import evaluate_groups
from accidents.evaluation.metrics import METRICS, Floats, group_scores
from accidents.evaluation.results import ConfusionMatrix, Evaluation, MetricDifference


def evaluate(
    labels: npt.NDArray[np.int8],
    probabilities: Floats,
    threshold: float,
    *,
    groups: pd.DataFrame | None,
    settings: EvaluationSettings,
) -> Evaluation:
    """Evaluate a model on labelled accidents, as a whole and by group.

    Args:
        labels: int8 (n), 1 priority, 0 not.
        probabilities: of priority, float64 (n).
        threshold: probability from which on an accident is predicted priority.
        groups: BAAC columns (n rows, in the same order) by whose values the metrics are broken down; None for none.
        settings: resamples, bins, seed.

    Raises:
        DataError: there are no accidents, a label is unknown, a probability is missing, or `groups` does not fit.
    """
    scores = group_scores(labels, probabilities)
    distinct, counts = scores.probabilities, scores.counts()[0]
    bins = settings.calibration_bins
    metrics = {name: float(values[0]) for name, values in scores.metrics(threshold, bins).items()}
    resampled = bootstrap_metrics(scores, threshold, bins=bins, resamples=settings.resamples, seed=settings.seed)
    return Evaluation(
        **{name: value if np.isfinite(value) else None for name, value in metrics.items()},
        threshold=threshold,
        n=len(labels),
        confidence=settings.confidence,
        intervals={name: confidence_interval(metrics[name], resampled[name], settings.confidence) for name in METRICS},
        confusion=_confusion_matrix(labels, probabilities >= threshold),
        groups={
            str(name): evaluate_groups(labels, probabilities, threshold, values, settings)
            for name, values in (groups if groups is not None else pd.DataFrame()).items()
        },
        roc=curves.roc_curve(counts, settings.curve_points),
        precision_recall=curves.precision_recall_curve(counts, settings.curve_points),
        calibration=curves.calibration_curve(distinct, counts, bins),
        thresholds=curves.threshold_curve(distinct, counts, settings.threshold_points),
    )


def paired_differences(
    labels: npt.NDArray[np.int8],
    first: tuple[Floats, float],
    second: tuple[Floats, float],
    *,
    settings: EvaluationSettings,
) -> dict[str, MetricDifference]:
    """Compute the difference of every metric, first model minus second, with paired bootstrap intervals.

    Args:
        labels: int8 (n), 1 priority, 0 not.
        first: probabilities, float64 (n), and decision threshold of one model.
        second: those of the other, for the same accidents in the same order.
        settings: resamples, bins, seed.

    Returns:
        The differences by metric.

    Raises:
        DataError: there are no accidents, a label is unknown, or a probability is missing.
    """
    return differences_from_first(labels, (second, first), settings=settings)[1]


def differences_from_first(
    labels: npt.NDArray[np.int8], models: Sequence[tuple[Floats, float]], *, settings: EvaluationSettings
) -> list[dict[str, MetricDifference]]:
    """Compute `paired_differences` of each of several models, the first one included, and the first."""
    bins, measured = settings.calibration_bins, []
    for probabilities, threshold in models:
        scores = group_scores(labels, probabilities)
        resampled = bootstrap_metrics(scores, threshold, bins=bins, resamples=settings.resamples, seed=settings.seed)
        measured.append((scores.metrics(threshold, bins), resampled))
    first, first_resampled = measured[0]
    return [
        {
            name: _difference(metrics[name][0] - first[name][0], resampled[name] - first_resampled[name], settings)
            for name in METRICS
        }
        for metrics, resampled in measured
    ]


def _difference(value: float, resampled: Floats, settings: EvaluationSettings) -> MetricDifference:
    interval = confidence_interval(value, resampled, settings.confidence, lowest=-1.0)
    return MetricDifference(value=float(value) if np.isfinite(value) else None, interval=interval)


def _confusion_matrix(labels: npt.NDArray[np.int8], predictions: npt.NDArray[np.bool_]) -> ConfusionMatrix:
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    counts = np.bincount(2 * labels.astype(np.int64) + predictions, minlength=4).tolist()
    return ConfusionMatrix(**dict(zip(names, counts, strict=True)))
