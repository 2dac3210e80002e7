"""Result types of an evaluation, as pydantic models that read and write JSON.

A metric that is not defined, such as the ROC-AUC of accidents of one class, is None.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from accidents.evaluation.metrics import METRICS

Interval = tuple[float, float]
"""Lower and upper end."""

Curve = dict[str, list[float]]
"""Columns of numbers by name, all of one length."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConfusionMatrix(_Result):
    """Numbers of accidents by label and prediction."""

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int


class GroupMetrics(_Result):
    """Metrics of the accidents that share a value of one column; `name` is that value for users."""

    value: str
    name: str
    n: int
    prevalence: float
    prevalence_interval: Interval
    mean_probability: float
    roc_auc: float | None
    roc_auc_interval: Interval | None
    f1: float | None
    f1_interval: Interval | None


class MetricDifference(_Result):
    """A metric of one model minus that of another on the same accidents, with a paired interval."""

    value: float | None
    interval: Interval | None


class Evaluation(_Result):
    """Evaluation of a model on labelled accidents.

    Attributes:
        threshold: probability from which on an accident is predicted priority.
        n: number of accidents.
        confidence: of the bootstrap intervals.
        intervals: by metric of `accidents.evaluation.metrics.METRICS`.
        groups: by BAAC column, in the order of its values.
        roc: `false_positive_rate`, `true_positive_rate`.
        precision_recall: `recall`, `precision`.
        calibration: `predicted`, `observed`, `low`, `high`, `n`, one row a bin with accidents.
        thresholds: `threshold`, `f1`, `precision`, `recall`, `predicted` (share of accidents predicted priority).
    """

    roc_auc: float | None
    pr_auc: float | None
    f1: float | None
    precision: float | None
    recall: float | None
    accuracy: float
    brier: float
    ece: float
    threshold: float
    n: int
    prevalence: float
    confidence: float
    intervals: dict[str, Interval | None]
    confusion: ConfusionMatrix
    groups: dict[str, tuple[GroupMetrics, ...]]
    roc: Curve
    precision_recall: Curve
    calibration: Curve
    thresholds: Curve

    @property
    def metrics(self) -> dict[str, float | None]:
        """Every metric by its name."""
        return {name: getattr(self, name) for name in METRICS}

    def summary(self) -> dict[str, Any]:
        """Return everything but the curves, ready for JSON; metrics are on the first level under their names."""
        return self.model_dump(mode="json", exclude={"roc", "precision_recall", "calibration", "thresholds"})
