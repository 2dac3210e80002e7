"""Random rows: numbers, one category and missing values, with a label that depends on them."""

from typing import Any

import numpy as np
import pytest

from accidents.models import model_class
from accidents.models.base import Dataset, Model
from tests.hyperparameters import applicable

CATEGORY = 3
SMALL: dict[str, Any] = {
    "rounds": 60,
    "patience": 10,
    "learning_rate": 0.2,
    "feature_fraction": 0.8,
    "colsample_bytree": 0.8,
    "n_estimators": 20,
}
"""Hyperparameters for a few hundred rows."""


def small_parameters(name: str, **others: Any) -> Any:
    """Hyperparameters of a type: those of `SMALL` unless others are given."""
    return model_class(name).PARAMETERS.model_validate(applicable(name, SMALL) | others)


def fit(name: str, training: Dataset, validation: Dataset | None, seed: int = 0, **others: Any) -> Model[Any]:
    """A model of a type with small hyperparameters."""
    parameters = small_parameters(name, **others)
    return model_class(name).fit(
        training, validation, parameters=parameters, categorical_features=(CATEGORY,), seed=seed, threads=1
    )


def draw(n: int, seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 8)).astype(np.float32)
    X[:, CATEGORY] = random.integers(0, 5, n)
    logit = 1.5 * X[:, 0] + X[:, 1] * X[:, 2] + 2 * (X[:, CATEGORY] == 2) - 1
    y = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    X[random.random(X.shape) < 0.05] = np.nan
    return Dataset(X, y)


@pytest.fixture(scope="session")
def training() -> Dataset:
    return draw(1500, 0)


@pytest.fixture(scope="session")
def validation() -> Dataset:
    return draw(500, 1)


@pytest.fixture(scope="session")
def test() -> Dataset:
    return draw(500, 2)
