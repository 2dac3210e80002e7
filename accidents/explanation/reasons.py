"""The strongest reasons for one prediction, in words with the accident's own values."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.bundle import Bundle
from accidents.explanation.topics import say, spokesman, topic


@dataclass(frozen=True)
class Reason:
    """One fact and what it adds to the prediction.

    `contribution` is the sum over all columns of the topic, in log-odds before calibration, or in probability for a
    model that is explained so; positive values speak for priority. `text` and `value` are those of the column that
    adds most of it, or of the column that this one is computed from.
    """

    topic: str
    text: str
    value: float
    contribution: float

    def __str__(self) -> str:
        """Such as `light: daylight (-0.31)`."""
        return f"{self.text} ({self.contribution:+.2f})"


def reasons(bundle: Bundle, row: npt.NDArray[np.float32], top: int = 3) -> list[Reason]:
    """The `top` strongest reasons for one accident, the strongest first.

    All reasons of an accident and what the model says on average add up to its log-odds (or probability).

    Args:
        bundle: the model that answers.
        row: one row of `bundle.matrix`, float32 (k) or (1, k).
        top: how many reasons at most.
    """
    values = row.reshape(-1)
    shares = bundle.model.contributions(values[None])[0, :-1]
    members: dict[str, list[int]] = {}
    for position, column in enumerate(bundle.columns):
        members.setdefault(topic(column), []).append(position)
    found = [_reason(name, bundle.columns, values, shares, positions) for name, positions in members.items()]
    return sorted(found, key=lambda reason: -abs(reason.contribution))[:top]


def _reason(
    name: str,
    columns: tuple[str, ...],
    values: npt.NDArray[np.float32],
    shares: npt.NDArray[np.float64],
    positions: list[int],
) -> Reason:
    contribution = float(shares[positions].sum())
    strongest = columns[max(positions, key=lambda position: shares[position] * np.sign(contribution))]
    speaking = spokesman(strongest) if spokesman(strongest) in columns else strongest
    value = float(values[columns.index(speaking)])
    return Reason(name, say(speaking, value), value, contribution)
