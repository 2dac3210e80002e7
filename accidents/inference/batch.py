"""What travels from the readers of files to the writer of predictions: some scored accidents, and those set aside."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Rejected:
    """A row or line that was not scored: where it stands, which accident it is of where that is known, and why."""

    file: str
    row: int
    accident: int | None
    reason: str
    content: str


@dataclass(frozen=True)
class Batch:
    """Accidents scored together, in the order of the output.

    `ids` are `Num_Acc`, int64 (n); `probabilities` are float64 (n); `rejected` has every row set aside.
    """

    ids: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    rejected: list[Rejected] = field(default_factory=list)
