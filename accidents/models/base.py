"""Interface of model types, for training, bundles and explanations.

A model predicts uncalibrated log-odds; calibration and decision threshold belong to `accidents.training` and bundles.

Laws that every type must obey; `tests/models/test_laws.py` holds each type in `model_types()` to them:

- A fitted model is data: `from_sections(to_sections())` is a model with the same sections, byte for byte, and the same
  answers, and reading sections runs no code from them.
- The log-odds of a row depend on that row alone, not on its neighbours, their number or the number of threads.
- Log-odds are finite for every row, also one without a single value, and for a column that training never saw filled.
- Fitting again with the same arguments gives the same model; sample weights shift the odds as repeated rows would.
- SHAP values and their base value add up to the log-odds, or to the probability where `SHAP_UNIT` says so.
- Declaring hyperparameters imports no library, and the default grid and search space hold valid values.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from accidents.settings import Settings

Matrix = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]
Sections = Mapping[str, bytes]
"""Files of a stored model: content by name."""

FitProgress = Callable[[int, int], None]
"""Called during a fit with the number of steps that are done and the number of all, as far as it is known."""

SMALLEST_PROBABILITY = 1e-6
"""Probabilities are clipped to this distance from 0 and 1 before log-odds are computed."""


def no_progress(done: int, total: int) -> None:
    """Say nothing during a fit."""


@dataclass(frozen=True)
class Dataset:
    """A dataset to fit on.

    `X` is float32 (n, k) in C order, NaN for a missing value; `y` is int8 (n), 1 priority and 0 not; `weight` is
    float64 (n), or None where all accidents weigh the same. With `overwrite` a fit may impute the missing values of `X`
    in place, which halves its memory.
    """

    X: Matrix
    y: npt.NDArray[np.int8]
    weight: Vector | None = None
    overwrite: bool = False


class SearchRange(Settings):
    """Range of a hyperparameter to draw from, both ends included; integers if both ends are."""

    low: int | float = Field(description="least value")
    high: int | float = Field(description="greatest value")
    log: bool = Field(False, description="draw from the logarithm, for values that span orders of magnitude")


Grid = Mapping[str, Sequence[Any]]
SearchSpace = Mapping[str, SearchRange | Sequence[Any]]

P = TypeVar("P", bound=Settings)


class Model(ABC, Generic[P]):
    """A fitted model of one type."""

    PARAMETERS: ClassVar[type[Settings]]
    """Hyperparameters of the type, with bounds and defaults."""

    GRID: ClassVar[Grid] = {}
    """Default grid of a grid search, values by hyperparameter."""

    SPACE: ClassVar[SearchSpace] = {}
    """Default search space of an Optuna search, ranges by hyperparameter."""

    SHAP_UNIT: ClassVar[Literal["log-odds", "probability"]] = "log-odds"
    """What the SHAP values of the type add up to."""

    LIBRARIES: ClassVar[tuple[str, ...]] = ()
    """Modules needed to load a fitted model, besides NumPy."""

    STEPS: ClassVar[str] = "trees"
    """What the steps of a fit are called."""

    TIE_RANK: ClassVar[int] = 100
    """Of models that tie, that of lowest rank is proposed; ranks by mean ROC-AUC in `benchmarks.model_choice`."""

    FIT_RANK: ClassVar[int] = 100
    """Of models that are trained side by side, those of lower rank begin first, since they take longer."""

    @classmethod
    @abstractmethod
    def fit(
        cls,
        training: Dataset,
        validation: Dataset | None,
        *,
        parameters: P,
        categorical_features: Sequence[int] = (),
        seed: int,
        threads: int,
        progress: FitProgress = no_progress,
    ) -> Self:
        """Fit a model; the same arguments give the same model.

        Args:
            training: accidents to fit on; both classes must occur.
            validation: accidents for early stopping; a type without early stopping ignores them.
            parameters: hyperparameters, an instance of `PARAMETERS`.
            categorical_features: positions of columns that hold unordered codes.
            seed: random seed.
            threads: number of threads to fit with.
            progress: called after each step, or each few.
        """

    @property
    @abstractmethod
    def n_features_in_(self) -> int:
        """Number of columns that the model was fitted on."""

    @abstractmethod
    def predict_margin(self, X: Matrix, threads: int = 1) -> Vector:
        """Predict log-odds of priority, float64 (n), for float32 (n, k)."""

    @abstractmethod
    def shap_values(self, X: Matrix) -> Vector:
        """Exact SHAP values, float64 (n, k + 1): one for each column, the base value last."""

    @abstractmethod
    def to_sections(self) -> Sections:
        """The fitted model as data: native text or UBJSON of a library, JSON, or arrays (`_npz.pack_arrays`)."""

    @classmethod
    @abstractmethod
    def from_sections(cls, sections: Sections) -> Self:
        """Restore a model from `to_sections`.

        Raises:
            Exception: of any kind; the sections do not fit.
        """

    def refit_parameters(self, parameters: P) -> P:
        """Hyperparameters for a refit on more accidents, without early stopping."""
        return parameters

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the sections, not the objects of a library."""
        return type(self).from_sections, (dict(self.to_sections()),)


class OutOfBagModel(Model[P]):
    """A model whose parts see a sample of the training accidents each, so that the others validate it."""

    @classmethod
    @abstractmethod
    def fit_out_of_bag(cls, training: Dataset, rows: npt.NDArray[np.intp], **options: Any) -> tuple[Self, Vector]:
        """Fit as `fit` does, and predict some of the same accidents by those parts that have not drawn them.

        Args:
            training: accidents to fit on.
            rows: positions of the accidents to predict.
            **options: other options of `fit`.

        Returns:
            The model, and log-odds, float64 (len(rows)).
        """


def log_odds(probability: Vector) -> Vector:
    """Log-odds of probabilities, with 0 and 1 clipped by `SMALLEST_PROBABILITY`.

    >>> log_odds(np.array([0.5, 0.0])).round(3).tolist()
    [0.0, -13.816]
    """
    clipped = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(clipped / (1 - clipped))
