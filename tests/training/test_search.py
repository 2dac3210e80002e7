"""Hyperparameter searches with given scores, and the names of studies."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accidents.configuration.training import TuningSettings
from accidents.models.base import Dataset, Model, SearchRange
from accidents.settings import Settings
from accidents.training.tuning import CrossValidation, Fold, _pruner, _study_name, _suggest, grid_search, optuna_search


class Guess(Model[Settings]):
    """A model that ranks by one column, as its parameters say."""

    PARAMETERS = Settings


class Parameters(Settings):
    depth: int = 3
    rate: float = 0.1
    kind: str = "a"


NOTHING = Dataset(np.zeros((2, 2), np.float32), np.zeros(2, np.int8))
FOLDS = (Fold(NOTHING, NOTHING, NOTHING),) * 3


def quiet(message: str) -> None:
    """Progress without output."""


class ByDepth(CrossValidation):
    """Scores by depth: 1 is best, 2 and 3 are equal, on each of three folds."""

    def fold_score(self, parameters: Any, fold: Fold) -> float:  # noqa: ARG002
        return 0.9 if parameters.depth == 1 else 0.8 if parameters.depth < 4 else 0.6


CROSS_VALIDATION = ByDepth(Guess, FOLDS, (), 0, 1)


def test_the_first_of_equal_points_of_a_grid_is_the_best() -> None:
    result = grid_search(CROSS_VALIDATION, Parameters(rate=0.5), {"depth": (4, 2, 3)}, quiet)
    assert result.parameters == Parameters(depth=2, rate=0.5)
    assert result.score == pytest.approx(0.8)
    assert [trial["number"] for trial in result.trials] == [0, 1, 2]
    assert [trial["score"] for trial in result.trials] == pytest.approx([0.6, 0.8, 0.8])


def test_a_score_is_the_mean_of_the_folds() -> None:
    rows = np.array([[0, 5], [1, 4], [2, 3], [3, 2]], np.float32)
    labels = np.array([0, 0, 1, 1], np.int8)

    class ByColumn:
        def __init__(self, column: int) -> None:
            self.column = column

        @classmethod
        def fit(cls, training: Dataset, validation: Dataset | None, **arguments: Any) -> "ByColumn":
            assert validation is training
            assert arguments == {"parameters": Parameters(), "categorical_features": (1,), "seed": 5, "threads": 2}
            return cls(0)

        def predict_margin(self, X: np.ndarray, threads: int = 1) -> np.ndarray:
            assert threads == 2
            return X[:, self.column].astype(float)

    dataset = Dataset(rows, labels)
    folds = tuple(Fold(dataset, dataset, Dataset(rows, y)) for y in (labels, np.array([0, 1, 0, 1], np.int8)))
    validation = CrossValidation(ByColumn, folds, (1,), 5, 2)
    assert validation.score(Parameters()) == pytest.approx((1 + 0.75) / 2)
    assert [*validation.fold_scores([(Parameters(), 1), (Parameters(), 0)])] == [0.75, 1.0]


def test_values_are_drawn_from_their_ranges() -> None:
    import optuna

    space = {
        "depth": SearchRange(low=2, high=9),
        "rate": SearchRange(low=0.001, high=0.1, log=True),
        "share": SearchRange(low=0.5, high=1.0),
        "trees": SearchRange(low=10, high=1000, log=True),
        "kind": ("a", "b"),
    }
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    drawn = {name: _suggest(trial, name, values) for name, values in space.items()}
    distributions = optuna.distributions
    assert trial.distributions == {
        "depth": distributions.IntDistribution(2, 9),
        "rate": distributions.FloatDistribution(0.001, 0.1, log=True),
        "share": distributions.FloatDistribution(0.5, 1.0),
        "trees": distributions.IntDistribution(10, 1000, log=True),
        "kind": distributions.CategoricalDistribution(("a", "b")),
    }
    assert drawn == trial.params


def test_a_score_depends_on_everything_in_the_digest() -> None:
    def some(X: float = 0.0, y: int = 0, weight: float | None = None, **changes: Any) -> str:
        rows = np.full((2, 2), X, np.float32)
        plain = Dataset(np.zeros((2, 2), np.float32), np.zeros(2, np.int8))
        sample = Dataset(rows, np.full(2, y, np.int8), None if weight is None else np.full(2, weight))
        datasets = {"training": plain, "validation": plain, "test": plain} | changes.pop(
            "datasets", {"training": sample}
        )
        values = {"seed": 0, "threads": 1, "categorical_features": ()} | changes
        return CrossValidation(Guess, (Fold(**datasets),), **values).digest()

    other = Dataset(np.ones((2, 2), np.float32), np.zeros(2, np.int8))
    digests = [
        some(),
        some(X=1.0),
        some(y=1),
        some(weight=1.0),
        some(weight=2.0),
        some(seed=1),
        some(threads=2),
        some(categorical_features=(1,)),
        some(datasets={"validation": other}),
        some(datasets={"test": other}),
    ]
    assert len({*digests}) == len(digests)
    assert some() == digests[0]


def test_another_search_is_another_study() -> None:
    base = (CROSS_VALIDATION, Parameters(), {"depth": SearchRange(low=1, high=5)}, TuningSettings())
    others = [
        base,
        (replace(CROSS_VALIDATION, seed=1), *base[1:]),
        (base[0], Parameters(rate=0.2), *base[2:]),
        (*base[:2], {"depth": SearchRange(low=1, high=6)}, base[3]),
        (*base[:2], {"depth": (1, 5)}, base[3]),
        (*base[:3], TuningSettings(pruner="hyperband")),
    ]
    names = [_study_name(*one) for one in others]
    assert len({*names}) == len(names)
    assert _study_name(*base[:3], TuningSettings(trials=99, timeout_seconds=5)) == names[0]
    assert all(re.fullmatch(r"test_search-[0-9a-f]{16}", name) for name in names)


def test_pruners_are_those_of_their_names() -> None:
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

    median, hyperband = _pruner("median", 4), _pruner("hyperband", 4)
    assert isinstance(median, MedianPruner)
    assert median._n_startup_trials == 5
    assert isinstance(hyperband, HyperbandPruner)
    assert hyperband._max_resource == 4
    assert isinstance(_pruner("none", 4), NopPruner)


def test_a_trial_that_falls_behind_is_pruned(tmp_path: Path) -> None:
    messages: list[str] = []
    settings, start = TuningSettings(trials=30, storage=tmp_path / "new" / "folder" / "journal"), Parameters(depth=1)
    result = optuna_search(CROSS_VALIDATION, start, {"depth": (1, 2, 4)}, settings, messages.append)
    pruned = [trial for trial in result.trials if trial["score"] is None]
    assert pruned
    assert result.parameters == start
    assert result.score == pytest.approx(0.9)
    assert result.trials[0]["parameters"] == {"depth": 1}
    assert [trial["number"] for trial in result.trials] == list(range(30))
    assert all(
        trial["score"] in {None, CROSS_VALIDATION.score(Parameters(**trial["parameters"]))} for trial in result.trials
    )
    assert all(0 <= trial["seconds"] < 60 for trial in result.trials)
    assert messages[0] == "trial 1/30: AUC 0.9000, best 0.9000"
    assert sum("pruned, best 0.9000" in line for line in messages) == len(pruned)
