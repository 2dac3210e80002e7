"""Logistic regression: a weighted sum of standardised numbers and of one indicator a code of each category.

scikit-learn finds the weights. They are kept as plain arrays, so that applying a model needs NumPy alone, and what each
column adds to the log-odds can be read off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from accidents.configuration.base import Settings
from accidents.models._imputation import imputed, medians_of
from accidents.models.base import Grid, Matrix, Model, Range, Sample, Space, Vector


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
    """The terms of the sum, as float64 columns: numbers, hinges `max(0, number - knot)`, and indicators of codes.

    `medians` stand in for numbers that are not recorded, by column of the input; a category that is not recorded has
    no indicator. `source` is the input column of each term.
    """

    numbers: npt.NDArray[np.intp]
    medians: Matrix
    hinged: npt.NDArray[np.intp]
    knots: Matrix
    coded: npt.NDArray[np.intp]
    codes: Matrix

    @classmethod
    def learn(cls, X: Matrix, categories: Sequence[int], parameters: Parameters) -> Self:
        """Medians, knots and codes of the training rows."""
        numbers = np.setdiff1d(np.arange(X.shape[1]), categories)
        medians = medians_of(X)
        known = imputed(X, medians)
        quantiles = np.linspace(0, 1, parameters.knots + 2)[1:-1]
        hinges = [
            (number, knot)
            for number in numbers
            for knot in np.unique(np.quantile(known[:, number], quantiles))
            if known[:, number].min() < knot < known[:, number].max()
        ]
        indicators = []
        for category in categories:
            codes, counts = np.unique(X[:, category], return_counts=True)
            frequent = codes[(counts >= parameters.least_of_a_code) & ~np.isnan(codes)]
            indicators += [(category, code) for code in frequent]
        return cls(numbers, medians, *_columns(hinges), *_columns(indicators))

    @property
    def source(self) -> npt.NDArray[np.intp]:
        """Input column of each term."""
        return np.concatenate([self.numbers, self.hinged, self.coded])

    def __call__(self, X: Matrix) -> Vector:
        """The terms of each row, float64 (n, number of terms)."""
        known = imputed(X, self.medians)
        bent = np.maximum(known[:, self.hinged] - self.knots, 0)
        return np.hstack([known[:, self.numbers], bent, X[:, self.coded] == self.codes], dtype=np.float64)


def _columns(pairs: list[tuple[int, float]]) -> tuple[npt.NDArray[np.intp], Matrix]:
    positions, values = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(positions, np.intp), np.array(values, np.float32)


@dataclass(frozen=True)
class Classifier(Model[Parameters]):
    """Terms and their weights. Margins and SHAP values are log-odds."""

    PARAMETERS = Parameters
    GRID: ClassVar[Grid] = {"inverse_penalty": (0.005, 0.02, 0.1), "knots": (0, 3)}
    SPACE: ClassVar[Space] = {
        "inverse_penalty": Range(low=0.001, high=1.0, log=True),
        "knots": Range(low=0, high=6),
        "least_of_a_code": Range(low=5, high=200, log=True),
    }

    design: Design
    weights: Vector
    intercept: float
    averages: Vector
    """Average of each term over the training part, from which SHAP values are measured."""
    width: int
    """Number of input columns."""

    @classmethod
    def fit(
        cls,
        training: Sample,
        validation: Sample | None,  # noqa: ARG003 - does not stop early
        *,
        parameters: Parameters,
        categories: Sequence[int] = (),
        seed: int,
        threads: int,  # noqa: ARG003 - the solver has no such option
    ) -> Self:
        """Learn the terms, then their weights under an L2 penalty on standardised terms."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        design = Design.learn(training.X, categories, parameters)
        terms = design(training.X)
        scaler = StandardScaler().fit(terms)
        # float32 takes half the time; the limit on the penalty keeps the problem well enough conditioned for it.
        regression = LogisticRegression(
            C=parameters.inverse_penalty, max_iter=parameters.iterations, solver="newton-cholesky", random_state=seed
        ).fit(scaler.transform(terms).astype(np.float32), training.y, sample_weight=training.weight)
        weights = regression.coef_[0].astype(np.float64) / scaler.scale_
        intercept = float(regression.intercept_[0] - weights @ scaler.mean_)
        return cls(design, weights, intercept, terms.mean(axis=0), training.X.shape[1])

    def margin(self, X: Matrix, threads: int = 1) -> Vector:  # noqa: ARG002 - one sum of products
        """Log-odds, the weighted sum of the terms."""
        terms = np.ascontiguousarray(self.design(X))
        return np.einsum("ij,j->i", terms, self.weights) + self.intercept  # `@` rounds a row by its neighbours

    def contributions(self, X: Matrix) -> Vector:
        """SHAP values on the log-odds in closed form: weight times the distance of a term from its average."""
        of_terms = (self.design(X) - self.averages) * self.weights
        of_columns = np.zeros((len(X), self.width + 1))
        for term, column in enumerate(self.design.source):
            of_columns[:, column] += of_terms[:, term]
        of_columns[:, -1] = self.intercept + self.averages @ self.weights
        return of_columns
