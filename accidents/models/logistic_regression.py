"""Logistic regression on standardised numbers, hinge functions of them, and one-hot encoded categories.

The terms are computed in blocks of rows, since there are several for each column. They and their weights are stored as
arrays; predictions need NumPy only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from accidents.models._imputation import impute, median_of, sorted_columns
from accidents.models._newton import Block, Blocks, fit_newton
from accidents.models._npz import pack_arrays, unpack_arrays
from accidents.models.base import (
    Dataset,
    FitProgress,
    Grid,
    Matrix,
    Model,
    SearchRange,
    SearchSpace,
    Sections,
    Vector,
    no_progress,
)
from accidents.settings import Settings

_DESIGN, _REGRESSION = "design.npz", "regression.npz"
_BLOCK = 8192  # rows whose terms are computed at a time
_KEPT = 100_000_000  # terms that are kept between steps of the solver; more are computed again


class Parameters(Settings):
    """Hyperparameters."""

    inverse_penalty: float = Field(
        0.02, gt=0, le=10, description="`C` of scikit-learn: inverse strength of the L2 penalty"
    )
    knots: int = Field(3, ge=0, description="bends of the line through each number, at quantiles of its values")
    least_of_a_code: int = Field(20, ge=1, description="least accidents with a code for it to have a weight of its own")
    iterations: int = Field(500, ge=1, description="greatest number of steps of the solver")


@dataclass(frozen=True)
class Design:
    """Terms of the regression: numbers, hinges `max(0, number - knot)`, and an indicator of each frequent code.

    Missing numbers are imputed by `medians` (one for each input column); a missing category has no indicator.
    """

    numbers: npt.NDArray[np.intp]
    medians: Matrix
    hinged: npt.NDArray[np.intp]
    knots: Matrix
    coded: npt.NDArray[np.intp]
    codes: Matrix

    @classmethod
    def fit(cls, X: Matrix, categorical_features: Sequence[int], parameters: Parameters) -> Self:
        """Compute medians, knots and frequent codes of the training rows."""
        medians = np.empty(X.shape[1], np.float32)
        hinges, indicators = [], []
        quantiles = np.linspace(0, 1, parameters.knots + 2)[1:-1]
        for position, column in enumerate(sorted_columns(X)):
            medians[position] = median_of(column)
            if position in categorical_features:
                codes, counts = np.unique(column, return_counts=True)
                indicators += [(position, code) for code in codes[counts >= parameters.least_of_a_code]]
            else:
                imputed = np.full(len(X) - len(column), medians[position])
                complete = np.insert(column, np.searchsorted(column, imputed), imputed)
                knots = np.unique(np.quantile(complete, quantiles))
                hinges += [(position, knot) for knot in knots if complete[0] < knot < complete[-1]]
        numbers = np.setdiff1d(np.arange(X.shape[1]), categorical_features)
        return cls(numbers, medians, *_columns(hinges), *_columns(indicators))

    @property
    def source(self) -> npt.NDArray[np.intp]:
        """Input column of each term."""
        return np.concatenate([self.numbers, self.hinged, self.coded])

    def transform(self, X: Matrix) -> Vector:
        """The terms of each row, float64 (n, number of terms)."""
        columns = np.ascontiguousarray(X.T)  # whole rows of it are taken, which is many times faster than columns
        complete = impute(columns, self.medians[:, None])
        hinges = np.maximum(complete[self.hinged] - self.knots[:, None], 0)
        indicators = columns[self.coded] == self.codes[:, None]
        return np.vstack([complete[self.numbers], hinges, indicators], dtype=np.float64).T

    def moments(self, X: Matrix) -> tuple[Vector, Vector]:
        """Mean and standard deviation of each term, 1 for a constant."""
        from accidents.models._terms import add_moments  # numba takes a second to import

        origin = self.transform(X[:1])[0]
        sums = np.zeros((2, len(origin)))
        for rows in _blocks_of(len(X)):
            add_moments(*self._arguments(X[rows]), origin, sums)
        mean, square = sums / len(X)
        variance = square - mean**2
        return origin + mean, np.sqrt(np.where(variance > 0, variance, 1))

    def standardised(self, X: Matrix, mean: Vector, scale: Vector) -> Matrix:
        """The terms less their mean, over their scale, float32 (number of terms, n)."""
        from accidents.models._terms import standardise

        out = np.empty((len(mean), len(X)), np.float32)
        standardise(*self._arguments(X), mean, scale, out)
        return out

    def _arguments(self, X: Matrix) -> tuple[npt.NDArray[Any], ...]:
        columns = np.ascontiguousarray(X.T)
        return columns, self.medians, self.numbers, self.hinged, self.knots, self.coded, self.codes


def _columns(pairs: list[tuple[int, float]]) -> tuple[npt.NDArray[np.intp], Matrix]:
    positions, values = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(positions, np.intp), np.array(values, np.float32)


def _blocks_of(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


def _standardised(design: Design, training: Dataset, weight: Vector, mean: Vector, scale: Vector) -> Blocks:
    """The rows as blocks of standardised terms, in float32, which takes half the time; the penalty allows for it."""

    def compute() -> Iterator[Block]:
        for rows in _blocks_of(len(training.y)):
            yield Block(design.standardised(training.X[rows], mean, scale), training.y[rows], weight[rows])

    if len(training.y) * len(mean) > _KEPT:
        return compute
    kept = list(compute())
    return lambda: kept


@dataclass(frozen=True)
class Classifier(Model[Parameters]):
    """The regression: terms and their weights."""

    PARAMETERS = Parameters
    STEPS = "steps"
    TIE_RANK = 3
    FIT_RANK = 4
    GRID: ClassVar[Grid] = {"inverse_penalty": (0.005, 0.02, 0.1), "knots": (0, 3)}
    SPACE: ClassVar[SearchSpace] = {
        "inverse_penalty": SearchRange(low=0.001, high=1.0, log=True),
        "knots": SearchRange(low=0, high=6),
        "least_of_a_code": SearchRange(low=5, high=200, log=True),
    }

    design: Design
    weights: Vector
    intercept: float
    averages: Vector
    """Mean of each term over the training set, the background of SHAP values."""

    @classmethod
    def fit(
        cls,
        training: Dataset,
        validation: Dataset | None,  # noqa: ARG003 - no early stopping
        *,
        parameters: Parameters,
        categorical_features: Sequence[int] = (),
        seed: int,  # noqa: ARG003 - nothing is drawn
        threads: int,
        progress: FitProgress = no_progress,
    ) -> Self:
        """Fit the terms, then their weights under an L2 penalty on standardised terms."""
        from threadpoolctl import threadpool_limits

        design = Design.fit(training.X, categorical_features, parameters)
        mean, scale = design.moments(training.X)
        weight = np.ones(len(training.y)) if training.weight is None else training.weight
        blocks = _standardised(design, training, weight / weight.sum(), mean, scale)
        penalty = 1 / (parameters.inverse_penalty * float(weight.sum()))
        with threadpool_limits(threads, "blas"):
            solution = fit_newton(blocks, len(mean), penalty, parameters.iterations, progress)
        weights, intercept = solution[:-1] / scale, solution[-1]
        return cls(design, weights, float(intercept - weights @ mean), mean)

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the regression was fitted on."""
        return len(self.design.medians)

    def predict_margin(self, X: Matrix, threads: int = 1) -> Vector:  # noqa: ARG002 - one sum of products
        """Log-odds, the weighted sum of the terms."""
        margin = np.empty(len(X))
        for rows in _blocks_of(len(X)):
            terms = np.ascontiguousarray(self.design.transform(X[rows]))
            margin[rows] = np.einsum("ij,j->i", terms, self.weights)  # `@` rounds a row by its neighbours
        return margin + self.intercept

    def shap_values(self, X: Matrix) -> Vector:
        """SHAP values of the log-odds in closed form: weight times the difference of a term from its mean."""
        by_term = (self.design.transform(X) - self.averages) * self.weights
        by_column = np.zeros((len(X), X.shape[1] + 1))
        for term, column in enumerate(self.design.source):
            by_column[:, column] += by_term[:, term]
        by_column[:, -1] = self.intercept + self.averages @ self.weights
        return by_column

    def to_sections(self) -> Sections:
        """Arrays of the terms and of the regression."""
        regression = pack_arrays(weights=self.weights, intercept=self.intercept, averages=self.averages)
        return {_DESIGN: pack_arrays(**asdict(self.design)), _REGRESSION: regression}

    @classmethod
    def from_sections(cls, sections: Sections) -> Self:
        """Restore a regression from its arrays."""
        regression = unpack_arrays(
            sections[_REGRESSION], dict.fromkeys(("weights", "intercept", "averages"), np.float64)
        )
        intercept = float(regression.pop("intercept"))
        positions = ("numbers", "hinged", "coded")
        columns = dict.fromkeys(positions, np.intp) | dict.fromkeys(("medians", "knots", "codes"), np.float32)
        design = Design(**unpack_arrays(sections[_DESIGN], columns))
        source = design.source
        if np.any((source < 0) | (source >= len(design.medians))) or not len(source) == len(
            regression["weights"]
        ) == len(regression["averages"]):
            raise ValueError("the terms of the regression are not those of its columns")
        return cls(design, intercept=intercept, **regression)
