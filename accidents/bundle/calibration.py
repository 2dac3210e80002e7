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
    curve rises and the ranking stays.

    >>> Calibration()(np.array([0.0]))
    array([0.5])
    """

    low: float = 1.0
    high: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that are not finite, and slopes that would turn the ranking round.

        Raises:
            ValueError: names the numbers.
        """
        numbers = (self.low, self.high, self.intercept)
        if (
            not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
            or min(numbers[:2]) < 0
        ):
            raise ValueError(f"calibration with {numbers}")

    def __call__(self, margin: Vector) -> Vector:
        """Probabilities of log-odds, float64 of the same shape."""
        low, high = self.terms(margin)
        with np.errstate(over="ignore"):  # where the exponential is infinite, the probability is 0
            return 1 / (1 + np.exp(-(self.low * low + self.high * high + self.intercept)))

    @staticmethod
    def terms(margin: Vector) -> tuple[Vector, Vector]:
        """`ln(q)` and `-ln(1 - q)` of log-odds, each of the same shape."""
        return -np.logaddexp(0, -margin), np.logaddexp(0, margin)
