"""What every model type must do, and what each promises on top."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from accidents.models import model_class, model_types
from accidents.models.base import Model, Sample
from tests.models.conftest import CATEGORY

SMALL: dict[str, dict[str, Any]] = {
    "lightgbm": {"rounds": 60, "patience": 10, "learning_rate": 0.2, "feature_fraction": 0.8},
    "xgboost": {"rounds": 60, "patience": 10, "learning_rate": 0.2, "colsample_bytree": 0.8},
    "random_forest": {"n_estimators": 20},
}


def fit(name: str, training: Sample, validation: Sample | None, seed: int = 0, **parameters: Any) -> Model[Any]:
    model = model_class(name)
    chosen = model.PARAMETERS.model_validate(SMALL.get(name, {}) | parameters)
    return model.fit(training, validation, parameters=chosen, categories=(CATEGORY,), seed=seed, threads=1)


@pytest.fixture(scope="session", params=model_types())
def fitted(request: pytest.FixtureRequest, training: Sample, validation: Sample) -> tuple[str, Model[Any]]:
    return request.param, fit(request.param, training, validation)


def test_the_four_types_are_found() -> None:
    assert model_types() == ("lightgbm", "logistic_regression", "random_forest", "xgboost")


def test_listing_types_imports_nothing_heavy() -> None:
    code = "import sys; from accidents.models import model_types; model_types(); print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_declaring_hyperparameters_imports_no_library() -> None:
    code = """
import sys
from accidents.models import model_class, model_types
for name in model_types():
    model_class(name).PARAMETERS()
print([m for m in ('sklearn', 'lightgbm', 'shap', 'numba', 'xgboost') if m in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'catboost'.*lightgbm.*xgboost"):
        model_class("catboost")


def test_margins_rank_unseen_accidents(fitted: tuple[str, Model[Any]], test: Sample) -> None:
    from sklearn.metrics import roc_auc_score

    _, model = fitted
    margin = model.margin(test.X)
    assert margin.dtype == np.float64
    assert roc_auc_score(test.y, margin) > 0.75


def test_margins_are_log_odds(fitted: tuple[str, Model[Any]], test: Sample) -> None:
    _, model = fitted
    probability = 1 / (1 + np.exp(-model.margin(test.X)))
    assert probability.mean() == pytest.approx(test.y.mean(), abs=0.04)


def test_one_row_gives_what_it_gives_among_others(fitted: tuple[str, Model[Any]], test: Sample) -> None:
    name, model = fitted
    alone = np.array([model.margin(test.X[row : row + 1])[0] for row in range(100)])
    np.testing.assert_allclose(alone, model.margin(test.X)[:100], rtol=0, atol=1e-12 if "logistic" in name else 0)


def test_threads_change_no_margin(fitted: tuple[str, Model[Any]], test: Sample) -> None:
    _, model = fitted
    np.testing.assert_array_equal(model.margin(test.X, threads=2), model.margin(test.X, threads=1))


def test_contributions_sum_to_what_they_explain(fitted: tuple[str, Model[Any]], test: Sample) -> None:
    name, model = fitted
    X = test.X[:30]
    contributions = model.contributions(X)
    assert contributions.shape == (30, X.shape[1] + 1)
    margin = model.margin(X)
    explained = 1 / (1 + np.exp(-margin)) if name == "random_forest" else margin
    np.testing.assert_allclose(contributions.sum(axis=1), explained, atol=1e-5)


def test_contributions_find_the_columns_that_matter(fitted: tuple[str, Model[Any]], test: Sample) -> None:
    _, model = fitted
    weight = np.abs(model.contributions(test.X[:100])[:, :-1]).mean(axis=0)
    assert int(weight.argmax()) == 0
    assert weight[[0, CATEGORY]].min() > weight[4:].max()


def test_a_pickled_model_answers_the_same(fitted: tuple[str, Model[Any]], test: Sample) -> None:
    _, model = fitted
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301 - made right here
    np.testing.assert_array_equal(copy.margin(test.X), model.margin(test.X))
    assert pickle.dumps(copy) == pickle.dumps(model)


@pytest.mark.parametrize("name", model_types())
def test_the_same_seed_gives_the_same_model(name: str, training: Sample, validation: Sample, test: Sample) -> None:
    first, second = (fit(name, training, validation, seed=7).margin(test.X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", model_types())
def test_weights_shift_the_odds(name: str, training: Sample, validation: Sample, test: Sample) -> None:
    heavier = Sample(training.X, training.y, np.where(training.y == 1, 3.0, 1.0))
    with_weights = fit(name, heavier, None, **_few(name)).margin(test.X).mean()
    assert with_weights > fit(name, training, None, **_few(name)).margin(test.X).mean() + 0.3


@pytest.mark.parametrize("name", model_types())
def test_a_column_without_any_value_does_no_harm(name: str, training: Sample, test: Sample) -> None:
    empty = Sample(np.hstack([training.X, np.full((len(training.X), 1), np.nan, np.float32)]), training.y)
    X = np.hstack([test.X, np.full((len(test.X), 1), np.nan, np.float32)])
    assert np.isfinite(fit(name, empty, None, **_few(name)).margin(X)).all()


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_boosters_stop_when_validation_gets_no_better(name: str, training: Sample, validation: Sample) -> None:
    model = model_class(name)
    parameters = model.PARAMETERS.model_validate({"rounds": 3000, "patience": 5, "learning_rate": 0.3})
    stopped = model.fit(training, validation, parameters=parameters, seed=0, threads=1)
    settled = stopped.settled(parameters).model_dump()
    assert 1 <= settled["rounds"] < 200
    again = model.fit(training, None, parameters=stopped.settled(parameters), seed=0, threads=1)
    np.testing.assert_allclose(again.margin(validation.X), stopped.margin(validation.X), atol=1e-6)


def test_the_forest_is_that_of_scikit_learn(training: Sample, test: Sample) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    model: Any = fit("random_forest", training, None, seed=3)
    options = model.PARAMETERS.model_validate(SMALL["random_forest"]).model_dump()
    oracle = make_pipeline(SimpleImputer(strategy="median"), RandomForestClassifier(**options, random_state=3))
    oracle.fit(training.X, training.y)
    np.testing.assert_allclose(model.probability(test.X), oracle.predict_proba(test.X)[:, 1], atol=1e-6)


def test_the_explanation_of_the_forest_is_that_of_shap(training: Sample, test: Sample) -> None:
    import shap
    from sklearn.ensemble import RandomForestClassifier

    complete = Sample(np.nan_to_num(training.X), training.y)
    X = np.nan_to_num(test.X[:10])
    model: Any = fit("random_forest", complete, None, n_estimators=5)
    options = model.PARAMETERS.model_validate({"n_estimators": 5}).model_dump()
    oracle = shap.TreeExplainer(RandomForestClassifier(**options, random_state=0).fit(complete.X, complete.y))
    np.testing.assert_allclose(model.contributions(X)[:, :-1], oracle.shap_values(X)[:, :, 1], atol=1e-6)


def test_the_regression_is_that_of_scikit_learn(training: Sample, test: Sample) -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = model_class("logistic_regression")
    parameters = model.PARAMETERS.model_validate({"knots": 0, "inverse_penalty": 0.5})
    fitted = model.fit(training, None, parameters=parameters, seed=0, threads=1)
    regression = LogisticRegression(C=0.5, max_iter=500, solver="newton-cholesky")
    oracle = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), regression)
    oracle.fit(training.X, training.y)
    np.testing.assert_allclose(fitted.margin(test.X), oracle.decision_function(test.X), atol=1e-5)


def test_an_unseen_code_has_no_weight(training: Sample, test: Sample) -> None:
    model = fit("logistic_regression", training, None)
    unseen, missing = test.X.copy(), test.X.copy()
    unseen[:, CATEGORY], missing[:, CATEGORY] = 99, np.nan
    np.testing.assert_array_equal(model.margin(unseen), model.margin(missing))


@pytest.mark.parametrize("name", model_types())
def test_default_grids_and_spaces_are_valid_hyperparameters(name: str) -> None:
    model = model_class(name)
    defaults = model.PARAMETERS().model_dump()
    for key, values in {**model.GRID, **model.SPACE}.items():
        ends = values if not hasattr(values, "low") else (values.low, values.high)  # type: ignore[union-attr]
        for value in ends:
            assert model.PARAMETERS.model_validate(defaults | {key: value})


def _few(name: str) -> dict[str, Any]:
    return {"rounds": 30} if name in {"lightgbm", "xgboost"} else {}
