"""Accidents of no country: numbers, one category and missing values, with a label that depends on them."""

import numpy as np
import pytest

from accidents.models.base import Sample

CATEGORY = 3


def draw(n: int, seed: int) -> Sample:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 8)).astype(np.float32)
    X[:, CATEGORY] = random.integers(0, 5, n)
    logit = 1.5 * X[:, 0] + X[:, 1] * X[:, 2] + 2 * (X[:, CATEGORY] == 2) - 1
    y = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    X[random.random(X.shape) < 0.05] = np.nan
    return Sample(X, y)


@pytest.fixture(scope="session")
def training() -> Sample:
    return draw(1500, 0)


@pytest.fixture(scope="session")
def validation() -> Sample:
    return draw(500, 1)


@pytest.fixture(scope="session")
def test() -> Sample:
    return draw(500, 2)
