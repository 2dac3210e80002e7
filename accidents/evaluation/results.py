"""What an evaluation says: figures, intervals, curves and groups, as a model that reads and writes JSON.

Nothing here computes. A figure that is not defined, such as the ROC-AUC of accidents of one class, is None.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

Interval = tuple[float, float]
"""Lower and upper end."""

Curve = dict[str, list[float]]
"""Columns of a table of numbers, all of one length."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Confusion(_Result):
    """Numbers of accidents by label and prediction."""

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int


class Group(_Result):
    """Metrics of the accidents that share a value of one column."""

    value: str
    words: str
    n: int
    prevalence: float
    prevalence_interval: Interval
    mean_probability: float
    roc_auc: float | None
    roc_auc_interval: Interval | None
    f1: float | None
    f1_interval: Interval | None


class Difference(_Result):
    """A metric of one model less that of another on the same accidents, with a paired interval."""

    value: float | None
    interval: Interval | None


class Evaluation(_Result):
    """A model measured on labelled accidents.

    `intervals` holds those of the figures that resampling moves. `roc` has the columns `false_positive_rate`,
    `true_positive_rate`; `precision_recall` has `recall`, `precision`; `calibration` has one row a bin with
    accidents in it: `predicted`, `observed`, `low`, `high`, `n`; `thresholds` has `threshold`, `f1`, `precision`,
    `recall`, `predicted` (share of accidents predicted priority). `groups` go by column, then in the
    order of its codes.
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
    confusion: Confusion
    groups: dict[str, tuple[Group, ...]]
    roc: Curve
    precision_recall: Curve
    calibration: Curve
    thresholds: Curve

    def summary(self) -> dict[str, Any]:
        """Everything but the curves, ready for JSON; the figures stand on the first level under their names."""
        return self.model_dump(mode="json", exclude={"roc", "precision_recall", "calibration", "thresholds"})
