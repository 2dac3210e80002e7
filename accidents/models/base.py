"""What a model type must offer: the interface behind which training, bundles and explanations see all of them.

A model gives log-odds, uncalibrated; calibration and thresholds are the business of `accidents.training` and bundles.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from accidents.configuration.base import Settings

Matrix = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]

SMALLEST_PROBABILITY = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""


@dataclass(frozen=True)
class Sample:
    """Accidents to learn from.

    `X` is float32 (n, k) in C order, NaN for not recorded; `y` is int8 (n), 1 priority and 0 not; `weight` is
    float64 (n), or None where all count alike.
    """

    X: Matrix
    y: npt.NDArray[np.int8]
    weight: Vector | None = None


class Range(Settings):
    """Values of a hyperparameter that a search draws from, both ends included; whole numbers if both ends are."""

    low: int | float = Field(description="least value")
    high: int | float = Field(description="greatest value")
    log: bool = Field(False, description="draw from the logarithm, for values that span orders of magnitude")


Grid = Mapping[str, Sequence[Any]]
Space = Mapping[str, Range | Sequence[Any]]

P = TypeVar("P", bound=Settings)


class Model(ABC, Generic[P]):
    """A fitted model of one type. Can be pickled; the pickle needs no library but `LIBRARIES` and NumPy."""

    PARAMETERS: ClassVar[type[Settings]]
    """Hyperparameters of the type, with bounds and defaults."""

    GRID: ClassVar[Grid] = {}
    """Values by hyperparameter that a grid search tries unless configured otherwise."""

    SPACE: ClassVar[Space] = {}
    """Ranges by hyperparameter that an Optuna search draws from unless configured otherwise."""

    EXPLAINED: ClassVar[Literal["log-odds", "probability"]] = "log-odds"
    """What SHAP values of the type add up to."""

    LIBRARIES: ClassVar[tuple[str, ...]] = ()
    """Modules whose major version must be the same when a fitted model is loaded."""

    @classmethod
    @abstractmethod
    def fit(
        cls,
        training: Sample,
        validation: Sample | None,
        *,
        parameters: P,
        categories: Sequence[int] = (),
        seed: int,
        threads: int,
    ) -> Self:
        """Fit a model; the same arguments give the same model.

        Args:
            training: accidents to learn from; both classes must occur.
            validation: accidents that tell when to stop; a type that does not stop early ignores them.
            parameters: hyperparameters, of the class `PARAMETERS`.
            categories: positions of columns whose values are codes without an order.
            seed: of everything random.
            threads: number of threads to fit with.
        """

    @abstractmethod
    def margin(self, X: Matrix, threads: int = 1) -> Vector:
        """Log-odds of priority, float64 (n). The value of a row does not depend on the other rows."""

    @abstractmethod
    def contributions(self, X: Matrix) -> Vector:
        """Exact SHAP values, float64 (n, k + 1): one a column, then what the model says on average.

        A row sums to `margin`, or to the probability for a type whose `EXPLAINED` says so.
        """

    def settled(self, parameters: P) -> P:
        """The hyperparameters for fitting again on more accidents without a validation part."""
        return parameters


def log_odds(probability: Vector) -> Vector:
    """Log-odds of probabilities; 0 and 1 are taken as `SMALLEST_PROBABILITY` and its complement."""
    clipped = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(clipped / (1 - clipped))
