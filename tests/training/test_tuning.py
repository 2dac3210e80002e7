"""Cross-validated scores and searches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.training import train
from accidents.training.tuning import CrossValidation, cross_validation
from tests.training.conftest import Frames, quick


def search(frames: Frames, method: str, messages: list[str] | None = None, **tuning: Any) -> Bundle:
    settings = quick(
        tuning={"method": method} | tuning,
        model_settings={
            "logistic_regression": {
                "parameters": {"inverse_penalty": 1e-7, "knots": 0},
                "grid": {"inverse_penalty": [1e-7, 0.001]},
                "space": {"inverse_penalty": {"low": 1e-7, "high": 0.1, "log": True}, "knots": [0, 1]},
            }
        },
    )
    progress = (lambda _: None) if messages is None else messages.append
    return train("logistic_regression", *frames, settings, level="strict", progress=progress).bundle


@pytest.mark.slow
def test_a_cross_validated_score_is_there_when_asked_for(frames: Frames) -> None:
    without = train("logistic_regression", *frames, quick(), level="strict").bundle
    with_score = train("logistic_regression", *frames, quick(cross_validate=True), level="strict").bundle
    assert without.best_cv_score is None
    assert with_score.best_cv_score == pytest.approx(with_score.metrics["test"]["roc_auc"], abs=0.1)
    assert with_score.metrics == without.metrics


def test_the_grid_finds_the_better_point(frames: Frames) -> None:
    messages: list[str] = []
    bundle = search(frames, "grid", messages)
    assert bundle.tuning == "grid"
    assert bundle.parameters["inverse_penalty"] == 0.001
    assert bundle.parameters["knots"] == 0
    assert any("grid 2/2" in line for line in messages)
    assert [trial["parameters"] for trial in bundle.trials] == [{"inverse_penalty": 1e-7}, {"inverse_penalty": 0.001}]
    assert max(trial["score"] for trial in bundle.trials) == bundle.best_cv_score


@pytest.mark.slow
def test_optuna_improves_on_the_start_and_repeats_itself(frames: Frames, tmp_path: Path) -> None:
    start = train(
        "logistic_regression",
        *frames,
        quick(
            cross_validate=True,
            model_settings={"logistic_regression": {"parameters": {"inverse_penalty": 1e-7, "knots": 0}}},
        ),
        level="strict",
    ).bundle
    first = search(frames, "optuna", trials=6, storage=tmp_path / "first")
    second = search(frames, "optuna", trials=6, storage=tmp_path / "second")
    assert first.best_cv_score is not None
    assert start.best_cv_score is not None
    assert first.best_cv_score > start.best_cv_score
    assert first.parameters == second.parameters
    assert first.metrics == second.metrics


@pytest.mark.slow
def test_an_interrupted_search_goes_on_to_the_same_result(
    frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[str] = []
    uninterrupted = search(frames, "optuna", whole, trials=7, storage=tmp_path / "whole")
    score, calls = CrossValidation.fold_score, []

    def killed_in_the_fourth(self: CrossValidation, *arguments: Any) -> float:
        calls.append(1)
        if len(calls) == 10:  # the first fold of the fourth trial
            raise KeyboardInterrupt
        return score(self, *arguments)

    monkeypatch.setattr(CrossValidation, "fold_score", killed_in_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        search(frames, "optuna", trials=7, storage=tmp_path / "resumed")
    monkeypatch.setattr(CrossValidation, "fold_score", score)
    rest: list[str] = []
    resumed = search(frames, "optuna", rest, trials=7, storage=tmp_path / "resumed")
    assert [line for line in rest if "trial" in line] == [line for line in whole if "trial" in line][3:]
    assert resumed.parameters == uninterrupted.parameters
    assert resumed.best_cv_score == uninterrupted.best_cv_score
    assert [without_clock(trial) for trial in resumed.trials] == [without_clock(t) for t in uninterrupted.trials]
    assert len(resumed.trials) == 7


def without_clock(trial: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in trial.items() if name != "seconds"}


@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["hyperband", "none"])
def test_every_pruner_works(frames: Frames, tmp_path: Path, pruner: str) -> None:
    assert search(frames, "optuna", trials=3, pruner=pruner, storage=tmp_path / "journal").best_cv_score


def test_no_trial_starts_after_the_timeout(frames: Frames, tmp_path: Path) -> None:
    messages: list[str] = []
    search(frames, "optuna", messages, trials=50, timeout_seconds=1e-9, storage=tmp_path / "journal")
    assert sum("trial" in line for line in messages) == 1


def test_folds_see_neither_held_out_labels_nor_resampled_accidents(frames: Frames) -> None:
    from accidents.models import model_class
    from accidents.training.split import join_labels
    from accidents.training.training_data import TrainingData

    settings = quick(resampling="smote")
    rows = np.arange(600)
    frame = join_labels(*frames)
    model = model_class("logistic_regression")
    folds = cross_validation(model, TrainingData(frame, "call", True, settings), rows).folds
    assert sum(len(fold.test.y) for fold in folds) == len(rows)
    for fold in folds:
        assert np.bincount(fold.training.y).tolist() == [np.bincount(fold.training.y)[0]] * 2
        share = np.concatenate([fold.test.y, fold.validation.y]).mean()
        assert share == pytest.approx(frame["priority"].to_numpy()[rows].mean(), abs=0.06)
