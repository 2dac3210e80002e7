"""Models that worker processes train beside this one are those that `train` gives; plans cover equal data alone."""

import copy
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accidents.errors import ModelError
from accidents.features.arrays import to_arrays
from accidents.features.place_encoder import PlaceEncoder
from accidents.knowledge.masks import draw_mask
from accidents.training import TrainingResult, partial_fit, plan_models, side_by_side, train, train_planned
from accidents.training.shared_results import SharedResults
from accidents.worker_process import worker_process
from tests.trained import small_year
from tests.training.conftest import Frames, quick

pytestmark = pytest.mark.slow

TYPES = ("lightgbm", "xgboost")


def write_process(folder: Path, model_type: str, _message: str) -> None:
    """Leave the id of the process that trains a model in a file."""
    (folder / model_type).write_text(str(os.getpid()))


@pytest.fixture(autouse=True)
def _no_plan_left() -> Iterator[None]:
    yield
    plan_models({})


def train_all(frames: Frames, folder: Path, settings: Any, data: Any = 1) -> dict[str, TrainingResult]:
    progress = partial(write_process, folder)
    return {name: train_planned(name, *frames, settings, data=data, level="call", progress=progress) for name in TYPES}


def digests(results: dict[str, TrainingResult]) -> dict[str, str]:
    return {name: result.bundle.prediction_digest() for name, result in results.items()}


def test_a_worker_process_trains_the_second_model_alike(frames: Frames, tmp_path: Path) -> None:
    expected = {name: train(name, *frames, quick(), level="call") for name in TYPES}
    with worker_process():
        plan_models(dict.fromkeys(TYPES, quick()))
        results = train_all(frames, tmp_path, quick())
    assert digests(results) == digests(expected)
    for name in TYPES:
        assert results[name].predictions.equals(expected[name].predictions)
    processes = {name: int((tmp_path / name).read_text()) for name in TYPES}
    assert processes["lightgbm"] == os.getpid() != processes["xgboost"]


def wait_for_xgboost(folder: Path, waiting: str, model_type: str, _message: str) -> None:
    """Leave the id of the process, and let one model wait until the training of XGBoost has begun."""
    write_process(folder, model_type, "")
    end = time.monotonic() + 120
    while model_type == waiting and not (folder / "xgboost").exists() and time.monotonic() < end:
        time.sleep(0.05)


@pytest.mark.parametrize(("waiting", "by_worker"), [("lightgbm", True), ("random_forest", False)])
def test_a_worker_process_trains_the_longest_model_and_then_who_is_free_trains_the_next(
    frames: Frames, tmp_path: Path, waiting: str, by_worker: bool
) -> None:
    types, progress = ("lightgbm", "random_forest", "xgboost"), partial(wait_for_xgboost, tmp_path, waiting)
    with worker_process():
        plan_models(dict.fromkeys(types, quick()))
        for name in types:
            train_planned(name, *frames, quick(), data=1, level="call", progress=progress)
    is_here = {name: int((tmp_path / name).read_text()) == os.getpid() for name in types}
    assert is_here == {"lightgbm": True, "random_forest": False, "xgboost": not by_worker}
    assert (tmp_path / "random_forest").stat().st_mtime_ns < (tmp_path / "xgboost").stat().st_mtime_ns or not by_worker


@pytest.mark.parametrize("reason", ["no worker", "no plan", "outside of a pipeline", "large"])
def test_otherwise_each_call_trains_its_own_model(
    frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "large":
        monkeypatch.setattr(side_by_side, "MOST_ACCIDENTS", 10)
    if reason != "no plan":
        plan_models(dict.fromkeys(TYPES, quick()))
    data = None if reason == "outside of a pipeline" else 1
    if reason == "no worker":
        train_all(frames, tmp_path, quick(), data)
    else:
        with worker_process():
            train_all(frames, tmp_path, quick(), data)
    assert {(tmp_path / name).read_text() for name in TYPES} == {str(os.getpid())}


def test_models_of_one_process_share_what_does_not_depend_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    accidents, features = small_year()
    types, options = ("random_forest", "lightgbm"), {"level": "call", "details": accidents}
    expected = {name: train(name, features, accidents.accidents, quick(), **options).bundle for name in types}
    encoded = []
    fit_out_of_fold = PlaceEncoder.fit_out_of_fold

    def counted(self: PlaceEncoder, *arguments: Any, **named: Any) -> Any:
        encoded.append(len(arguments[1]))
        return fit_out_of_fold(self, *arguments, **named)

    monkeypatch.setattr(PlaceEncoder, "fit_out_of_fold", counted)
    monkeypatch.setattr("accidents.training.own_process.wait_policy_is_late", lambda: False)  # to train in this process
    plan_models(dict.fromkeys(types, quick()))
    masked = draw_mask(arrays := to_arrays(accidents), np.random.default_rng(0)).apply(arrays)
    for name, bundle in expected.items():
        found = train_planned(name, features, accidents.accidents, quick(), data=1, **options).bundle
        assert bundle.questions
        assert found.questions
        assert found.questions.to_bytes() == bundle.questions.to_bytes()
        np.testing.assert_array_equal(found.predict(masked), bundle.predict(masked))
    assert len(encoded) == 2  # of the training set, and of that with the validation set


def test_large_models_share_what_is_small_and_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    accidents, features = small_year()
    learned = []
    learn = partial_fit._fit_partial_model
    monkeypatch.setattr(partial_fit, "_fit_partial_model", lambda *data: (learned.append(1), learn(*data))[1])
    monkeypatch.setattr("accidents.training.own_process.wait_policy_is_late", lambda: False)
    monkeypatch.setattr(side_by_side, "MOST_ACCIDENTS", 10)
    monkeypatch.setattr(side_by_side, "available_cpus", lambda: 2)
    plan_models(dict.fromkeys(TYPES, quick()))
    bundles = [
        train_planned(name, features, accidents.accidents, quick(), data=1, level="call", details=accidents).bundle
        for name in TYPES
    ]
    assert len(learned) == 1
    assert bundles[0].partial == bundles[1].partial is not None


def test_models_of_a_worker_process_get_the_partial_knowledge_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    accidents, features = small_year()
    types, options = ("lightgbm", "xgboost"), {"level": "call", "details": accidents}
    expected = {name: train(name, features, accidents.accidents, quick(), **options).bundle for name in types}
    monkeypatch.setattr("accidents.training.own_process.wait_policy_is_late", lambda: False)
    with worker_process():
        plan_models(dict.fromkeys(types, quick()))
        for name, bundle in expected.items():
            found = train_planned(name, features, accidents.accidents, quick(), data=1, **options).bundle
            assert found.prediction_digest() == bundle.prediction_digest()
            assert found.by_knowledge == bundle.by_knowledge
            assert found.questions
            assert bundle.questions
            assert found.questions.to_bytes() == bundle.questions.to_bytes()


@pytest.mark.parametrize("changed", ["data", "settings"])
def test_a_model_of_other_data_or_settings_is_trained_again(frames: Frames, changed: str) -> None:
    with worker_process():
        plan_models(dict.fromkeys(TYPES, quick()))
        train_planned("lightgbm", *frames, quick(), data=1, level="call")
        settings = quick(seed=9) if changed == "settings" else quick()
        found = train_planned("xgboost", *frames, settings, data=2 if changed == "data" else 1, level="call")
    assert found.bundle.seed == settings.seed
    assert digests({"": found}) == digests({"": train("xgboost", *frames, settings, level="call")})


def test_an_error_of_a_worker_process_is_that_of_the_model(frames: Frames) -> None:
    bad = quick(split={"kind": "temporal", "test_from": "2030-01-01"})
    with worker_process():
        plan_models({"lightgbm": quick(), "xgboost": bad})
        train_planned("lightgbm", *frames, quick(), data=1, level="call")
        with pytest.raises(ModelError, match="the test set has 0 accidents"):
            train_planned("xgboost", *frames, bad, data=1, level="call")


def test_results_that_are_sent_to_another_process_keep_what_they_may_keep() -> None:
    for keep_large in (True, False):
        shared = SharedResults(keep_large=keep_large)
        shared.get("squares", lambda: [1, 4])
        received = copy.deepcopy(shared)
        assert received.keep_large == keep_large
        assert received.get("squares", list) == []
