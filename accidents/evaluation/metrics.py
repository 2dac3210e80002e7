"""Metrics of labelled probabilities, for one sample or for many resamples at once.

Every metric here is a function of the number of accidents by label and distinct probability. A resample changes only
these counts, so that one pass over an array of counts measures all resamples.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.errors import DataError

METRIC_NAMES = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "prevalence": "share of priority",
}
"""Metrics and their names in reports, figures and messages."""

METRICS = tuple(METRIC_NAMES)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupedScores:
    """Labels and probabilities of n accidents, grouped by distinct probability.

    Attributes:
        probabilities: the k distinct probabilities, highest first, float64 (k).
        count_index: position of each accident in the flattened counts, int64 (n): that of its probability, plus k if
            its label is 1.
    """

    probabilities: Floats
    count_index: npt.NDArray[np.int64]

    def counts(self, rows: npt.NDArray[np.int64] | None = None) -> Floats:
        """Count accidents by label and distinct probability.

        Args:
            rows: row numbers of b resamples, int64 (b, m); None counts every accident once, with b = 1.

        Returns:
            float64 (b, 2, k).
        """
        from accidents.evaluation.metric_kernels import count_rows  # numba takes a second to import

        rows = np.arange(len(self.count_index))[None] if rows is None else rows
        return count_rows(self.count_index, rows, 2 * len(self.probabilities)).reshape(len(rows), 2, -1)

    def metrics(self, threshold: float, bins: int, rows: npt.NDArray[np.int64] | None = None) -> dict[str, Floats]:
        """Compute every metric of `METRICS` for each of b resamples.

        ROC-AUC counts ties as one half; PR-AUC is the average precision; ECE is the mean distance between predicted and
        observed share over `bins` bins of equal width, each closed on its right side. A ratio of zero to zero is NaN.

        Args:
            threshold: probability from which on an accident is predicted priority.
            bins: number of bins of ECE.
            rows: row numbers of b resamples, int64 (b, m); None takes every accident once, with b = 1.

        Returns:
            float64 (b) by metric, in the order of `METRICS`.
        """
        from accidents.evaluation.metric_kernels import metric_sums

        probabilities = np.ascontiguousarray(self.probabilities, np.float64)
        predicted = np.count_nonzero(probabilities >= threshold)
        positives, negatives, true_positives, false_positives, concordant, precision_sum, squared_errors, gaps = (
            metric_sums(self.counts(rows), probabilities, predicted, bin_index(probabilities, bins), bins)
        )
        total = positives + negatives
        with np.errstate(invalid="ignore"):
            return {
                "roc_auc": concordant / (positives * negatives),
                "pr_auc": precision_sum / positives,
                "f1": 2 * true_positives / (true_positives + false_positives + positives),
                "precision": true_positives / (true_positives + false_positives),
                "recall": true_positives / positives,
                "accuracy": (true_positives + negatives - false_positives) / total,
                "brier": squared_errors / total,
                "ece": gaps / total,
                "prevalence": positives / total,
            }


def group_scores(labels: npt.NDArray[np.int8], probabilities: Floats) -> GroupedScores:
    """Group labelled probabilities by distinct probability.

    Args:
        labels: int8 (n), 1 priority, 0 not.
        probabilities: of priority, float64 (n).

    Raises:
        DataError: there is no accident, the lengths differ, a label is neither 0 nor 1, or a probability is missing or
            outside 0 to 1; the message has the number of faults and the first of them.
    """
    if labels.shape != probabilities.shape or labels.ndim != 1:
        shapes = f"labels {labels.shape} do not fit probabilities {probabilities.shape}"
        raise DataError(f"{shapes}: one of each an accident")
    if not len(labels):
        raise DataError("there are no accidents with a known label: nothing can be measured")
    _raise_if_any(~np.isin(labels, (0, 1)), labels, "labels are neither 0 nor 1; leave accidents of unknown label out")
    invalid = ~((probabilities >= 0) & (probabilities <= 1))
    _raise_if_any(invalid, probabilities, "probabilities are missing or not in 0 to 1")
    ascending, position = np.unique(probabilities, return_inverse=True)
    count = len(ascending)
    return GroupedScores(ascending[::-1], count - 1 - position + count * labels.astype(np.int64))


def _raise_if_any(invalid: npt.NDArray[np.bool_], values: npt.NDArray[np.generic], fault: str) -> None:
    if invalid.any():
        row = int(invalid.argmax())
        raise DataError(f"{int(invalid.sum())} of {len(invalid)} {fault}; the first is {values[row]} in row {row}")


def compute_metrics(
    labels: npt.NDArray[np.int8], probabilities: Floats, threshold: float, bins: int
) -> dict[str, float]:
    """Compute every metric of `METRICS`; NaN where one is not defined.

    Args:
        labels: int8 (n), 1 priority, 0 not.
        probabilities: of priority, float64 (n).
        threshold: probability from which on an accident is predicted priority.
        bins: number of bins of ECE.

    Raises:
        DataError: as `group_scores`.

    Examples:
        >>> metrics = compute_metrics(np.array([0, 1, 1], np.int8), np.array([0.2, 0.4, 0.9]), 0.5, bins=15)
        >>> metrics["roc_auc"], metrics["precision"], metrics["recall"]
        (1.0, 1.0, 0.5)
    """
    metrics = group_scores(labels, probabilities).metrics(threshold, bins)
    return {name: float(values[0]) for name, values in metrics.items()}


def bin_index(probabilities: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Return the bin of each probability, int64 from 0, among `bins` bins of equal width, closed on the right side.

    Examples:
        >>> bin_index(np.array([0.0, 0.5, 0.51, 1.0]), bins=2).tolist()
        [0, 0, 1, 1]
    """
    return np.clip(np.ceil(probabilities * bins).astype(np.int64) - 1, 0, bins - 1)
