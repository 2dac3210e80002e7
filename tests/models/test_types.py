"""Properties of single model types: early stopping, and agreement with scikit-learn and shap."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accidents.models import model_class, model_types
from accidents.models._booster import Booster
from accidents.models.base import Dataset
from accidents.models.random_forest import _tree_counts
from tests.models.conftest import CATEGORY, SMALL, fit

BOOSTERS = [name for name in model_types() if issubclass(model_class(name), Booster)]


@pytest.mark.parametrize("name", BOOSTERS)
def test_boosters_stop_when_validation_gets_no_better(name: str, training: Dataset, validation: Dataset) -> None:
    model = model_class(name)
    parameters = model.PARAMETERS.model_validate({"rounds": 3000, "patience": 5, "learning_rate": 0.3})
    stopped = model.fit(training, validation, parameters=parameters, seed=0, threads=1)
    refit = stopped.refit_parameters(parameters).model_dump()
    assert 1 <= refit["rounds"] < 200
    again = model.fit(training, None, parameters=stopped.refit_parameters(parameters), seed=0, threads=1)
    np.testing.assert_allclose(again.predict_margin(validation.X), stopped.predict_margin(validation.X), atol=1e-6)


@pytest.mark.parametrize("name", BOOSTERS)
@pytest.mark.parametrize("rounds", [3, 23])
def test_boosters_keep_all_trees_while_validation_gets_better(
    name: str, rounds: int, training: Dataset, validation: Dataset
) -> None:
    model = model_class(name)
    parameters = model.PARAMETERS.model_validate({"rounds": rounds, "patience": 5, "learning_rate": 0.02})
    fitted = model.fit(training, validation, parameters=parameters, seed=0, threads=1)
    assert fitted.refit_parameters(parameters).model_dump()["rounds"] == rounds


def test_the_forest_is_that_of_scikit_learn(training: Dataset, test: Dataset) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    model: Any = fit("random_forest", training, None, seed=3)
    options = model.PARAMETERS.model_validate({"n_estimators": SMALL["n_estimators"]}).model_dump()
    oracle = make_pipeline(SimpleImputer(strategy="median"), RandomForestClassifier(**options, random_state=3))
    oracle.fit(training.X, training.y)
    np.testing.assert_allclose(model.predict_proba(test.X), oracle.predict_proba(test.X)[:, 1], atol=1e-6)


def test_an_accident_is_predicted_by_the_trees_that_have_not_drawn_it(training: Dataset) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer

    model: Any = model_class("random_forest")
    parameters = model.PARAMETERS.model_validate({"n_estimators": 60, "max_samples": 0.4})
    rows, options = np.array([5, 0, 17, 3]), {"parameters": parameters, "seed": 3, "threads": 1}
    fitted, margin = model.fit_out_of_bag(training, rows, **options)
    oracle = RandomForestClassifier(**parameters.model_dump(), random_state=3, oob_score=True)
    oracle.fit(SimpleImputer(strategy="median").fit_transform(training.X), training.y)
    np.testing.assert_allclose(1 / (1 + np.exp(-margin)), oracle.oob_decision_function_[rows, 1], atol=1e-6)
    whole = model.fit(training, None, **options)
    np.testing.assert_array_equal(fitted.predict_margin(training.X), whole.predict_margin(training.X))
    assert not np.allclose(margin, whole.predict_margin(training.X[rows]), atol=1e-2)


def test_an_accident_that_every_tree_has_drawn_has_the_average_of_all(training: Dataset) -> None:
    model: Any = model_class("random_forest")
    parameters, rows = model.PARAMETERS.model_validate({"n_estimators": 1}), np.arange(len(training.y))
    _, margin = model.fit_out_of_bag(training, rows, parameters=parameters, seed=0, threads=1)
    drawn = np.isclose(1 / (1 + np.exp(-margin)), training.y.mean())
    assert 0.3 < drawn.mean() < 0.5  # 1 - exp(-max_samples)


@pytest.mark.parametrize("name", model_types())
def test_a_fit_changes_its_rows_only_where_it_may_and_is_the_same(name: str, training: Dataset, test: Dataset) -> None:
    rows = training.X.copy()
    model = fit(name, training, None)
    np.testing.assert_array_equal(training.X, rows)
    own = replace(training, X=rows, overwrite=True)
    np.testing.assert_array_equal(fit(name, own, None).predict_margin(test.X), model.predict_margin(test.X))
    np.testing.assert_array_equal(model.predict_margin(own.X), model.predict_margin(training.X))
    assert np.isnan(own.X).any() == (name != "random_forest")


def test_the_explanation_of_the_forest_is_that_of_shap(training: Dataset, test: Dataset) -> None:
    import shap
    from sklearn.ensemble import RandomForestClassifier

    complete = Dataset(np.nan_to_num(training.X), training.y)
    X = np.nan_to_num(test.X[:10])
    model: Any = fit("random_forest", complete, None, n_estimators=5)
    options = model.PARAMETERS.model_validate({"n_estimators": 5}).model_dump()
    oracle = shap.TreeExplainer(RandomForestClassifier(**options, random_state=0).fit(complete.X, complete.y))
    np.testing.assert_allclose(model.shap_values(X)[:, :-1], oracle.shap_values(X)[:, :, 1], atol=1e-6)


def test_the_regression_is_that_of_scikit_learn(training: Dataset, test: Dataset) -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = model_class("logistic_regression")
    parameters = model.PARAMETERS.model_validate({"knots": 0, "inverse_penalty": 0.5})
    fitted = model.fit(training, None, parameters=parameters, seed=0, threads=1)
    regression = LogisticRegression(C=0.5, max_iter=500, solver="newton-cholesky", tol=1e-9)
    oracle = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), regression)
    oracle.fit(training.X, training.y)
    np.testing.assert_allclose(fitted.predict_margin(test.X), oracle.decision_function(test.X), atol=1e-5)


def test_equal_columns_of_the_regression_share_their_weight(training: Dataset, test: Dataset) -> None:
    model = model_class("logistic_regression")
    once = model.PARAMETERS.model_validate({"inverse_penalty": 5})
    twice = model.PARAMETERS.model_validate({"inverse_penalty": 2.5})  # two halves of a weight are penalised by half
    repeated = Dataset(np.hstack([training.X, training.X]), training.y)
    expected = model.fit(training, None, parameters=once, seed=0, threads=1).predict_margin(test.X)
    fitted = model.fit(repeated, None, parameters=twice, seed=0, threads=1)
    np.testing.assert_allclose(fitted.predict_margin(np.hstack([test.X, test.X])), expected, atol=1e-3)


def test_the_regression_needs_few_steps(training: Dataset) -> None:
    model, steps = model_class("logistic_regression"), []
    model.fit(
        training,
        None,
        parameters=model.PARAMETERS.model_validate({"inverse_penalty": 10, "knots": 6}),
        categorical_features=(CATEGORY,),
        seed=0,
        threads=1,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert len(steps) <= 12
    assert all(done <= total for done, total in steps)


@pytest.mark.parametrize("kept", [0, 10**9])
def test_blocks_of_the_regression_change_nothing_but_the_last_digits(
    kept: int, training: Dataset, test: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fit("logistic_regression", training, None).predict_margin(test.X)
    monkeypatch.setattr("accidents.models.logistic_regression._BLOCK", 100)
    monkeypatch.setattr("accidents.models.logistic_regression._KEPT", kept)
    in_blocks = fit("logistic_regression", training, None).predict_margin(test.X)
    np.testing.assert_allclose(in_blocks, expected, atol=1e-4)


@pytest.mark.parametrize("elapsed", [0.0, 1.0, 1e9])
def test_a_forest_is_the_same_however_its_trees_are_divided(
    elapsed: float, training: Dataset, test: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit("random_forest", training, None, n_estimators=7)
    chosen = list(_tree_counts(7, 1, lambda: elapsed))
    monkeypatch.setattr("accidents.models.random_forest._tree_counts", lambda *_: iter(chosen))
    assert chosen == sorted(set(chosen))
    assert chosen[-1] == 7
    np.testing.assert_array_equal(fit("random_forest", training, None, n_estimators=7).predict_margin(test.X),
                                  whole.predict_margin(test.X))  # fmt: skip


def test_an_unseen_code_has_no_weight(training: Dataset, test: Dataset) -> None:
    model = fit("logistic_regression", training, None)
    unseen, missing = test.X.copy(), test.X.copy()
    unseen[:, CATEGORY], missing[:, CATEGORY] = 99, np.nan
    np.testing.assert_array_equal(model.predict_margin(unseen), model.predict_margin(missing))
