"""The trees of a booster, walked down by our own code, against the booster itself: the same to the last bit."""

import numpy as np
import pytest
import xgboost

from accidents.models._boosted_trees import BoostedTrees
from accidents.models.base import Matrix, Sample
from tests.models.conftest import CATEGORY, draw


def boosted(sample: Sample, rounds: int, **options: object) -> xgboost.Booster:
    data = xgboost.DMatrix(sample.X, sample.y, nthread=1)
    settings = {"objective": "binary:logistic", "nthread": 1, "max_depth": 5, "eta": 0.1}
    return xgboost.train(settings | options, data, rounds)


def own(booster: xgboost.Booster) -> BoostedTrees:
    trees = BoostedTrees.of(booster)
    assert trees is not None
    return trees


def margins(booster: xgboost.Booster, X: Matrix) -> Matrix:
    found: Matrix = booster.inplace_predict(X, predict_type="margin", validate_features=False)
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rounds", "depth"), [(1, 1), (30, 3), (200, 7)])
def test_margins_are_those_of_the_booster(training: Sample, seed: int, rounds: int, depth: int) -> None:
    booster = boosted(training, rounds, max_depth=depth, subsample=0.7, seed=seed)
    X = draw(3000, 50 + seed).X
    np.testing.assert_array_equal(own(booster).margin(X), margins(booster, X))


@pytest.mark.parametrize("share", [0.001, 0.03, 0.3625, 0.5, 0.97])
def test_whatever_share_the_booster_starts_from(training: Sample, test: Sample, share: float) -> None:
    booster = boosted(training, 20, base_score=share)
    np.testing.assert_array_equal(own(booster).margin(test.X), margins(booster, test.X))


def test_values_at_the_thresholds(training: Sample) -> None:
    booster = boosted(training, 40)
    trees = own(booster)
    X = np.full((500, training.X.shape[1]), np.nan, dtype=np.float32)
    for column in range(X.shape[1]):
        at = trees.threshold[trees.feature == column][:490]
        X[: len(at), column] = at
    np.testing.assert_array_equal(trees.margin(X), margins(booster, X))


def test_trees_of_another_kind_are_left_to_the_booster(training: Sample) -> None:
    kinds = ["c" if column == CATEGORY else "q" for column in range(training.X.shape[1])]
    data = xgboost.DMatrix(training.X, training.y, feature_types=kinds, enable_categorical=True, nthread=1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_cat_to_onehot": 1}, data, 30)
    assert BoostedTrees.of(booster) is None
