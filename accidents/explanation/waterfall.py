"""One prediction from start to end: what a model says on average, what each fact adds, and what it then says."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.bundle import Bundle
from accidents.explanation.reasons import Reason, reasons
from accidents.explanation.topics import topic


@dataclass(frozen=True)
class Course:
    """How one prediction comes about, in `unit`, before calibration.

    `average` and the contributions of all `reasons` (the strongest first) add up to `said`; `probability` is what that
    is after calibration, and `threshold` what it is compared with.
    """

    average: float
    reasons: tuple[Reason, ...]
    said: float
    unit: str
    probability: float
    threshold: float


def course(bundle: Bundle, row: npt.NDArray[np.float32]) -> Course:
    """Explain one accident in full.

    Args:
        bundle: the model that answers.
        row: one row of `bundle.matrix`, float32 (k) or (1, k).
    """
    matrix = np.ascontiguousarray(row.reshape(1, -1))
    shares = bundle.model.contributions(matrix)[0]
    everything = reasons(bundle, matrix, top=len({topic(column) for column in bundle.columns}))
    return Course(
        average=float(shares[-1]),
        reasons=tuple(everything),
        said=float(shares.sum()),
        unit=bundle.model.EXPLAINED,
        probability=float(bundle.probability(matrix)[0]),
        threshold=bundle.threshold,
    )
