"""The calibration of a model, applied. `accidents.training.calibration` fits it."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Beta calibration (Kull, Silva Filho and Flach, 2017): from log-odds of a model to probabilities.

    With `q` the probability of the log-odds, the calibrated log-odds are `low * ln(q) - high * ln(1 - q) + intercept`.
    With `low` equal to `high` this is Platt scaling; 1, 1 and 0 change nothing. Neither slope is negative, so that the
    curve rises and the ranking of equally well known accidents stays.

    What is not known moves the curve: `columns` are those of the matrix that say how much is known, 0 to 1. What they
    lack to 1, times `offsets`, is added to the intercept, and times `slopes` to both slopes, which stay at least 0.

    >>> Calibration()(np.array([0.0]))
    array([0.5])
    """

    low: float = 1.0
    high: float = 1.0
    intercept: float = 0.0
    columns: tuple[str, ...] = ()
    offsets: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that are not finite, and slopes that would turn the ranking round.

        Raises:
            ValueError: names the numbers.
        """
        numbers = (self.low, self.high, self.intercept, *self.offsets, *self.slopes)
        if (
            not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
            or min(numbers[:2]) < 0
            or not len(self.columns) == len(self.offsets) == len(self.slopes)
        ):
            raise ValueError(f"calibration with {numbers}")

    def __call__(self, margin: Vector, known: npt.NDArray[np.floating] | None = None) -> Vector:
        """Probabilities of log-odds, float64 (n); `known` has `columns` of the same rows, None where all is known."""
        low, high = self.terms(margin)
        offset, slope = self.shifts(margin, known)
        odds = np.maximum(self.low + slope, 0) * low + np.maximum(self.high + slope, 0) * high
        return 1 / (1 + np.exp(-(odds + self.intercept + offset)))

    def shifts(self, margin: Vector, known: npt.NDArray[np.floating] | None) -> tuple[Vector, Vector]:
        """What is added to intercept and slopes of each row; a row is computed alone, whatever its neighbours are."""
        offset, slope = np.zeros(len(margin)), np.zeros(len(margin))
        if known is not None:
            for column, of_offset, of_slope in zip(self.unknown(known).T, self.offsets, self.slopes, strict=True):
                offset += of_offset * column
                slope += of_slope * column
        return offset, slope

    @staticmethod
    def unknown(known: npt.NDArray[np.floating]) -> Vector:
        """What columns lack to 1, float64 of the same shape; a missing value knows nothing."""
        return 1 - np.nan_to_num(known.astype(np.float64))

    @staticmethod
    def terms(margin: Vector) -> tuple[Vector, Vector]:
        """`ln(q)` and `-ln(1 - q)` of log-odds, each of the same shape."""
        return -np.logaddexp(0, -margin), np.logaddexp(0, margin)
