"""The laws of `accidents.models.base`, for every model type that `model_types()` finds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accidents import models
from accidents.models import model_class, model_types
from accidents.models._booster import Booster
from accidents.models.base import Dataset, Model
from tests.models.conftest import CATEGORY, fit, small_parameters

pytestmark = pytest.mark.slow

MODULES = {path.stem for path in Path(models.__file__).parent.glob("[a-z]*.py")} - {"base"}


@pytest.fixture(scope="session", params=model_types())
def fitted(request: pytest.FixtureRequest, training: Dataset, validation: Dataset) -> tuple[str, Model[Any]]:
    return request.param, fit(request.param, training, validation)


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout


def test_every_public_module_is_a_type() -> None:
    assert {*model_types()} == MODULES
    assert list(model_types()) == sorted(model_types())


def test_listing_types_imports_nothing_heavy() -> None:
    code = "import sys; from accidents.models import model_types; model_types(); print('numpy' in sys.modules)"
    assert run(code) == "False\n"


def test_declaring_hyperparameters_imports_no_library() -> None:
    code = """
import sys
from accidents.models import model_class, model_types
for name in model_types():
    model_class(name).PARAMETERS()
print([m for m in ('sklearn', 'lightgbm', 'shap', 'numba', 'xgboost') if m in sys.modules])
"""
    assert run(code) == "[]\n"


def test_an_unknown_type_names_the_existing_ones() -> None:
    with pytest.raises(ValueError, match=f"'catboost'.*{'.*'.join(model_types())}"):
        model_class("catboost")


def test_sections_give_the_same_model_and_the_same_bytes(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    sections = model.to_sections()
    copy = type(model).from_sections(sections)
    assert copy.to_sections() == sections
    np.testing.assert_array_equal(copy.predict_margin(test.X), model.predict_margin(test.X))
    np.testing.assert_array_equal(copy.shap_values(test.X[:5]), model.shap_values(test.X[:5]))


def test_sections_are_written_alike_a_second_time(fitted: tuple[str, Model[Any]]) -> None:
    _, model = fitted
    model.predict_margin(np.zeros((1, model.n_features_in_), np.float32))  # whatever it caches does not count
    assert model.to_sections() == type(model).from_sections(model.to_sections()).to_sections()


def test_the_number_of_columns_survives(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    assert model.n_features_in_ == test.X.shape[1]
    assert type(model).from_sections(model.to_sections()).n_features_in_ == test.X.shape[1]


def test_margins_rank_unseen_accidents(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    from sklearn.metrics import roc_auc_score

    _, model = fitted
    margin = model.predict_margin(test.X)
    assert margin.dtype == np.float64
    assert roc_auc_score(test.y, margin) > 0.75


def test_margins_are_log_odds(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    probability = 1 / (1 + np.exp(-model.predict_margin(test.X)))
    assert probability.mean() == pytest.approx(test.y.mean(), abs=0.04)


def test_a_row_does_not_depend_on_its_neighbours(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    alone = np.array([model.predict_margin(test.X[row : row + 1])[0] for row in range(100)])
    np.testing.assert_allclose(alone, model.predict_margin(test.X)[:100], rtol=0, atol=1e-12)


def test_threads_change_no_margin(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    np.testing.assert_array_equal(model.predict_margin(test.X, threads=2), model.predict_margin(test.X, threads=1))


def test_a_row_without_any_value_has_a_margin(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    empty = np.full((20, test.X.shape[1]), np.nan, np.float32)
    margin = model.predict_margin(empty)
    assert np.isfinite(margin).all()
    assert margin[0] == pytest.approx(float(model.predict_margin(empty[:1])[0]), abs=1e-12)


def test_shap_values_add_up(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    values = model.shap_values(test.X[:30])
    assert values.shape == (30, test.X.shape[1] + 1)
    margin = model.predict_margin(test.X[:30])
    explained = 1 / (1 + np.exp(-margin)) if model.SHAP_UNIT == "probability" else margin
    np.testing.assert_allclose(values.sum(axis=1), explained, atol=1e-5)
    np.testing.assert_allclose(values[:, -1], values[0, -1], atol=1e-9)


def test_shap_values_name_the_columns_that_matter(fitted: tuple[str, Model[Any]], test: Dataset) -> None:
    _, model = fitted
    weight = np.abs(model.shap_values(test.X[:100])[:, :-1]).mean(axis=0)
    assert int(weight.argmax()) == 0
    assert weight[[0, CATEGORY]].min() > weight[4:].max()


@pytest.mark.parametrize("name", model_types())
def test_the_same_seed_gives_the_same_model(name: str, training: Dataset, validation: Dataset) -> None:
    first, second = (fit(name, training, validation, seed=7).to_sections() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", model_types())
def test_weights_shift_the_odds(name: str, training: Dataset) -> None:
    heavier = Dataset(training.X, training.y, np.where(training.y == 1, 3.0, 1.0))
    with_weights = fit(name, heavier, None).predict_margin(training.X).mean()
    assert with_weights > fit(name, training, None).predict_margin(training.X).mean() + 0.3


@pytest.mark.parametrize("name", model_types())
def test_a_column_without_any_value_does_no_harm(name: str, training: Dataset, test: Dataset) -> None:
    empty = Dataset(np.hstack([training.X, np.full((len(training.X), 1), np.nan, np.float32)]), training.y)
    model = fit(name, empty, None)
    X = np.hstack([test.X, np.full((len(test.X), 1), np.nan, np.float32)])
    assert np.isfinite(model.predict_margin(X)).all()
    X[:, -1] = 3
    assert np.isfinite(model.predict_margin(X)).all()
    assert type(model).from_sections(model.to_sections()).to_sections() == model.to_sections()


@pytest.mark.parametrize("name", model_types())
def test_a_refit_without_validation_set_is_as_good(name: str, training: Dataset, validation: Dataset) -> None:
    from sklearn.metrics import roc_auc_score

    model = fit(name, training, validation)
    parameters = model.refit_parameters(small_parameters(name))
    again = type(model).fit(training, None, parameters=parameters, categorical_features=(CATEGORY,), seed=0, threads=1)
    assert roc_auc_score(validation.y, again.predict_margin(validation.X)) > 0.75


@pytest.mark.parametrize("name", model_types())
def test_default_grids_and_search_spaces_are_valid_hyperparameters(name: str) -> None:
    model = model_class(name)
    defaults = model.PARAMETERS().model_dump()
    for key, values in {**model.GRID, **model.SPACE}.items():
        ends = values if not hasattr(values, "low") else (values.low, values.high)  # type: ignore[union-attr]
        for value in ends:
            assert model.PARAMETERS.model_validate(defaults | {key: value})


def test_the_first_trees_of_a_booster_are_those_of_a_shorter_fit(
    fitted: tuple[str, Model[Any]], training: Dataset, test: Dataset
) -> None:
    name, model = fitted
    if not isinstance(model, Booster):
        pytest.skip("not a booster")
    shorter = fit(name, training, None, rounds=2)
    trees = model.tree_ensemble()
    assert trees is not None
    first = model.first_trees(2 / len(trees.roots))
    np.testing.assert_array_equal(first.predict_margin(test.X), shorter.predict_margin(test.X))
    assert first.to_sections() == type(model).from_sections(first.to_sections()).to_sections()
    np.testing.assert_array_equal(model.first_trees(1).predict_margin(test.X), model.predict_margin(test.X))
    assert len(model.first_trees(0)._trees.roots) == 1
