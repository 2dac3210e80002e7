"""Tree ensembles against the libraries that grew them: the same margins to the last bit; broken trees are refused."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost

from accidents.models._tree_ensemble import TreeEnsemble
from accidents.models.base import Dataset, Matrix
from accidents.models.lightgbm import Classifier as LightGBM
from accidents.models.xgboost import Classifier as XGBoost
from tests.models.conftest import CATEGORY, draw

pytestmark = pytest.mark.slow

Margin = Callable[[Matrix], Any]
Boosted = tuple[TreeEnsemble | None, Margin]


def of_xgboost(sample: Dataset, rounds: int, **options: object) -> Boosted:
    data = xgboost.DMatrix(sample.X, sample.y, nthread=1)
    settings = {"objective": "binary:logistic", "nthread": 1, "max_depth": 5, "eta": 0.1}
    booster = xgboost.train(settings | options, data, rounds)

    def margin(X: Matrix) -> Any:
        return booster.inplace_predict(X, predict_type="margin", validate_features=False)

    return XGBoost(bytes(booster.save_raw("json"))).tree_ensemble(), margin


def of_lightgbm(sample: Dataset, rounds: int, categories: list[int] | None = None, **options: object) -> Boosted:
    data = lightgbm.Dataset(sample.X, sample.y, categorical_feature=categories or [])
    settings = {"objective": "binary", "num_threads": 1, "max_depth": 5, "verbosity": -1, "bagging_freq": 1}
    text = lightgbm.train(settings | options, data, rounds).model_to_string()
    booster = lightgbm.Booster(model_str=text)
    return LightGBM(text).tree_ensemble(), lambda X: booster.predict(X, raw_score=True, num_threads=1)


LIBRARIES = pytest.mark.parametrize("boosted", [of_xgboost, of_lightgbm])
Library = Callable[..., Boosted]


def check(boosted: Boosted, X: Matrix) -> None:
    trees, margin = boosted
    assert trees is not None
    np.testing.assert_array_equal(trees.leaf_sums(X), margin(X))


@LIBRARIES
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rounds", "depth"), [(1, 1), (30, 3), (200, 7)])
def test_margins_are_those_of_the_booster(
    training: Dataset, boosted: Library, seed: int, rounds: int, depth: int
) -> None:
    check(boosted(training, rounds, max_depth=depth, subsample=0.7, seed=seed), draw(3000, 50 + seed).X)


@LIBRARIES
def test_values_at_the_thresholds(training: Dataset, boosted: Library) -> None:
    trees, margin = boosted(training, 40)
    assert trees is not None
    X = np.full((1500, training.X.shape[1]), np.nan, dtype=np.float32)
    for column in range(X.shape[1]):
        at = trees.threshold[trees.feature == column][:490].astype(np.float32)
        X[: 3 * len(at), column] = np.concatenate([at, *(np.nextafter(at, np.float32(end)) for end in (-9e9, 9e9))])
    check((trees, margin), X)


@LIBRARIES
def test_zeros_and_what_is_next_to_them(boosted: Library) -> None:
    sample = draw(2000, 9)
    complete = Dataset(np.round(np.nan_to_num(sample.X)), sample.y)
    X = complete.X.copy()
    X[X == 0] = np.random.default_rng(0).choice(np.float32([0, 1e-36, -1e-36, 1e-35, -1e-35, np.nan]), (X == 0).sum())
    check(boosted(complete, 60), X)


def test_infinite_values(training: Dataset) -> None:
    X = draw(200, 3).X
    X[::3], X[1::3] = np.inf, -np.inf
    check(of_lightgbm(training, 200, max_depth=7), X)  # XGBoost refuses them


@LIBRARIES
def test_trees_that_are_leaves(boosted: Library) -> None:
    alone = {"min_child_weight": 1e9} if boosted is of_xgboost else {"min_data_in_leaf": 50}
    check(boosted(draw(60, 5), 3, **alone), draw(100, 6).X)


@pytest.mark.parametrize("share", [0.001, 0.03, 0.3625, 0.5, 0.97])
def test_whatever_share_the_booster_starts_from(training: Dataset, test: Dataset, share: float) -> None:
    check(of_xgboost(training, 20, base_score=share), test.X)


def test_trees_of_another_kind_are_left_to_xgboost(training: Dataset) -> None:
    kinds = ["c" if column == CATEGORY else "q" for column in range(training.X.shape[1])]
    data = xgboost.DMatrix(training.X, training.y, feature_types=kinds, enable_categorical=True, nthread=1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_cat_to_onehot": 1}, data, 30)
    assert XGBoost(bytes(booster.save_raw("json"))).tree_ensemble() is None


def test_trees_of_another_kind_are_left_to_lightgbm(training: Dataset) -> None:
    categories, _ = of_lightgbm(training, 30, [CATEGORY], min_data_per_group=1)
    zeros, _ = of_lightgbm(training, 30, zero_as_missing=True)
    assert categories is None
    assert zeros is None


@pytest.mark.parametrize(
    "change",
    [
        {"left": np.int32([0, 0, 0])},  # a circle
        {"right": np.int32([9, 0, 0])},  # beyond the end
        {"default": np.int32([-5, 0, 0])},
        {"roots": np.int32([7])},
        {"threshold": np.float64([0.5])},
    ],
)
def test_trees_that_lead_elsewhere_are_refused(change: dict[str, Any]) -> None:
    sound: dict[str, Any] = {
        "base_score": 0.0,
        "roots": np.int32([0]),
        "feature": np.int32([0, -1, -1]),
        "threshold": np.float64([0.5, -1.0, 1.0]),
        "left": np.int32([1, 0, 0]),
        "right": np.int32([2, 0, 0]),
        "default": np.int32([2, 0, 0]),
    }
    assert TreeEnsemble(**sound).leaf_sums(np.float32([[0.0], [0.5], [np.nan]])).tolist() == [-1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="tree"):
        TreeEnsemble(**sound | change)


def test_a_row_with_too_few_columns_is_refused() -> None:
    trees, _ = of_xgboost(draw(500, 8), 10)
    assert trees is not None
    with pytest.raises(ValueError, match="column"):
        trees.leaf_sums(np.zeros((1, 1), np.float32))
