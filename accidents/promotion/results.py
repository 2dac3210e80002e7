"""What is measured of the models that stand for a stage, and what is decided. Nothing here computes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accidents.evaluation.results import Difference


@dataclass(frozen=True)
class Department:
    """One department: its code, the ROC-AUC of its accidents (None: not known), and their number."""

    code: str
    roc_auc: float | None
    n: int


@dataclass(frozen=True)
class Measured:
    """One model on the accidents that all models are measured on.

    `metrics` has every metric of `accidents.evaluation.metrics.METRICS`, None where it is not defined.
    `worst_department` is that of the lowest ROC-AUC, None where no department can be judged: it takes enough accidents,
    and of both labels, which is the same for every model.
    """

    name: str
    metrics: Mapping[str, float | None]
    worst_department: Department | None = None


@dataclass(frozen=True)
class Measurements:
    """Models measured on the same accidents, by name.

    `accidents` is how many there are. `differences` has, by name of each other model and by metric, the candidate's
    metric less that of the other, with its paired interval.
    """

    candidate: str
    accidents: int
    models: dict[str, Measured]
    differences: dict[str, dict[str, Difference]]


@dataclass(frozen=True)
class Decision:
    """Whether the candidate may take the stage, and why.

    `reasons` are sentences: everything that speaks against it, or where nothing does, everything that was asked and
    holds; never empty. `figures` are those of both models, ready for JSON, with None for what is not defined.
    """

    approved: bool
    reasons: tuple[str, ...]
    figures: dict[str, Any]
