"""Scored accidents and rejected rows on their way from a reader to the output files."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class RejectedRow:
    """A row or line that was not scored, with the reason; `accident_id` is None where it cannot be read."""

    file: str
    row: int
    accident_id: int | None
    reason: str
    content: str


@dataclass(frozen=True)
class ScoredBatch:
    """Accidents that were scored together, in the order of the output.

    Attributes:
        ids: int64 (n), `Num_Acc`.
        probabilities: float64 (n).
        shares_known: float64 (n), share of what usually decides that is known, 0 to 1.
        rejected: rows that were not scored.
        derived: number of accidents of which a fact was derived.
    """

    ids: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    shares_known: npt.NDArray[np.float64]
    rejected: list[RejectedRow] = field(default_factory=list)
    derived: int = 0
