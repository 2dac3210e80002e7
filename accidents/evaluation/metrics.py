"""Metrics of scored accidents, for many resamples at once.

Every metric here is a function of how many accidents of each class have each distinct probability. A resample of the
rows only changes these counts, so that one pass over an array of counts measures all resamples.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.errors import DataError

METRICS = ("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy", "brier", "ece", "prevalence")
"""Names of what `measure` gives, in this order."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Labels and probabilities of n accidents, by distinct probability.

    `distinct` are the k distinct probabilities, float64, highest first. `cells` says for each accident which of the 2 k
    counts it belongs to, int64 (n): its position in `distinct`, plus k if its label is 1.
    """

    distinct: Floats
    cells: npt.NDArray[np.int64]

    def counts(self, rows: npt.NDArray[np.int64] | None = None) -> Floats:
        """Count accidents by label and probability, float64 (b, 2, k), for each of b rows of indices (b, m).

        Without `rows`, every accident counts once and b is 1.
        """
        cells = self.cells[None] if rows is None else self.cells[rows]
        width = 2 * len(self.distinct)
        shifted = cells + width * np.arange(len(cells))[:, None]
        counted = np.bincount(shifted.ravel(), minlength=width * len(cells))
        return counted.reshape(len(cells), 2, -1).astype(np.float64)


def scores(labels: npt.NDArray[np.int8], probabilities: Floats) -> Scores:
    """Sort accidents by distinct probability.

    Raises:
        DataError: there is no accident, the lengths differ, a label is neither 0 nor 1, or a probability is missing or
            outside 0 to 1; says how many and which is the first.
    """
    if labels.shape != probabilities.shape or labels.ndim != 1:
        raise DataError(
            f"labels {labels.shape} do not fit probabilities {probabilities.shape}: one of each an accident"
        )
    if not len(labels):
        raise DataError("there are no accidents with a known label: nothing can be measured")
    _refuse(~np.isin(labels, (0, 1)), labels, "labels are neither 0 nor 1; leave accidents of unknown label out")
    _refuse(~((probabilities >= 0) & (probabilities <= 1)), probabilities, "probabilities are missing or not in 0 to 1")
    ascending, position = np.unique(probabilities, return_inverse=True)
    count = len(ascending)
    return Scores(ascending[::-1], count - 1 - position + count * labels.astype(np.int64))


def _refuse(bad: npt.NDArray[np.bool_], values: npt.NDArray[np.generic], fault: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"{int(bad.sum())} of {len(bad)} {fault}; the first is {values[row]} in row {row}")


def measure(values: Floats, counts: Floats, threshold: float, bins: int) -> dict[str, Floats]:
    """Compute every metric of `METRICS` for each of b resamples, float64 (b).

    ROC-AUC counts ties as one half; PR-AUC is the average precision; ECE is the mean distance between predicted and
    observed share over `bins` bins of equal width, each closed on its right side. A probability that equals the
    threshold is predicted 1. What is a ratio of nothing to nothing is not defined: NaN.

    Args:
        values: distinct probabilities, highest first (k).
        counts: accidents by label and probability (b, 2, k), as `Scores.counts` gives them.
        threshold: from which probability on the prediction is 1.
        bins: number of bins of ECE.
    """
    from accidents.evaluation.kernels import sums  # numba takes a second to import, and a service never measures

    predicted = np.count_nonzero(values >= threshold)
    all_positives, all_negatives, hits, alarms, beaten, precisions, squared, gaps = sums(
        counts, np.ascontiguousarray(values, np.float64), predicted, bin_of(values, bins), bins
    )
    total = all_positives + all_negatives
    with np.errstate(invalid="ignore"):
        return {
            "roc_auc": beaten / (all_positives * all_negatives),
            "pr_auc": precisions / all_positives,
            "f1": 2 * hits / (hits + alarms + all_positives),
            "precision": hits / (hits + alarms),
            "recall": hits / all_positives,
            "accuracy": (hits + all_negatives - alarms) / total,
            "brier": squared / total,
            "ece": gaps / total,
            "prevalence": all_positives / total,
        }


def bin_of(values: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Bin of each probability, int64 from 0, of `bins` bins of equal width, each closed on its right side."""
    return np.clip(np.ceil(values * bins).astype(np.int64) - 1, 0, bins - 1)
