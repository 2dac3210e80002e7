"""A cluster of two processes gives what one process gives, also where a worker is killed in the middle."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from accidents.configuration.inference import InferenceSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.training import ModelSettings, TrainingSettings
from accidents.engine import LOCAL, Engine, EngineError
from accidents.features import feature_frame
from accidents.inference.batch_scoring import score_accidents
from accidents.ingestion import ingest
from accidents.training import TrainingResult, train
from tests.engine.clusters import Killer, add, die, die_once, fail, process_ids
from tests.engine.conftest import Years
from tests.hyperparameters import by_type
from tests.trained import small_models, small_year

pytestmark = pytest.mark.long

AUC_TOLERANCE = 0.002
SLOW_FIT = {"rounds": 2400, "patience": 2400, "learning_rate": 0.0025}  # longer than three seconds on any machine


def wait_for_workers(engine: Engine, count: int = 2) -> None:
    deadline = time.monotonic() + 300
    while len(engine.workers) < count:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_results_messages_and_errors_of_calls(cluster: Engine) -> None:
    messages: list[str] = []
    assert [*cluster.map(add, range(20), 3, progress=messages.append)] == [*range(3, 23)]
    assert sorted(messages) == sorted(f"got {number}" for number in range(20))
    shared = cluster.share(5)
    assert [*cluster.map(add, [1, 2], shared)] == [*cluster.map(add, [1, 2], 5)] == [6, 7]
    assert cluster.run(os.getpid) != os.getpid()
    with pytest.raises(ValueError, match="1 is refused"):
        [*cluster.map(fail, [1])]
    with pytest.raises(ValueError, match="2 is refused"):
        cluster.call_together(fail, [(2,)] * len(cluster.workers))


def test_calls_go_on_without_a_killed_worker(
    cluster: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [*cluster.map(die_once, range(8), str(tmp_path / "map"))] == [*range(8)]
    assert cluster.run(die_once, 7, str(tmp_path / "run")) == 7
    assert "a worker was lost: started again (1 of at most 3 times)" in capsys.readouterr().out
    with pytest.raises(EngineError, match="lost 4 times"):
        cluster.run(die, 1)
    wait_for_workers(cluster)
    with pytest.raises(EngineError, match="a worker was lost"):
        cluster.call_together(die_once, [(number, str(tmp_path / "together")) for number in range(2)])
    wait_for_workers(cluster)


def test_only_this_machine_can_connect(cluster: Engine) -> None:
    wait_for_workers(cluster)
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [one.laddr for process in processes for one in process.net_connections("tcp") if one.status == "LISTEN"]
    assert len(listening) >= 3
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_a_worker_killed_while_files_are_read(cluster: Engine, years: Years) -> None:
    wait_for_workers(cluster)
    killer = Killer(process_ids(cluster)[0], "cleaning")
    ingested = ingest(years.editions, years.settings, engine=cluster, progress=killer)
    assert killer.killed
    for name in ("accidents", "vehicles", "people"):
        pd.testing.assert_frame_equal(getattr(ingested.accidents, name), getattr(years.accidents, name))
    pd.testing.assert_frame_equal(feature_frame(ingested.accidents, engine=cluster), years.features, check_exact=True)


def fitted(
    model_type: str, years: Years, engine: Engine = LOCAL, progress: Callable[[str], None] = print, **changes: Any
) -> TrainingResult:
    arguments = model_type, years.features, years.accidents.accidents, TrainingSettings(**changes)
    return engine.run(train, *arguments, level="call", details=years.accidents, engine=engine, progress=progress)


def auc(result: TrainingResult) -> float:
    return result.bundle.metrics["test"]["roc_auc"]


@pytest.mark.parametrize("model_type", ["lightgbm", "xgboost"])
def test_boosters_are_as_good_as_those_of_one_process(cluster: Engine, years: Years, model_type: str) -> None:
    wait_for_workers(cluster)
    joint, alone = fitted(model_type, years, cluster), fitted(model_type, years)
    assert auc(joint) >= auc(alone) - AUC_TOLERANCE  # other trees may be better by more on so few accidents
    again = fitted(model_type, years, cluster)
    assert again.bundle.prediction_digest() == joint.bundle.prediction_digest()


@pytest.mark.parametrize("model_type", ["random_forest", "logistic_regression"])
def test_other_models_are_those_of_one_process(cluster: Engine, model_type: str) -> None:
    accidents, features = small_year()
    own = {model_type: ModelSettings(parameters=by_type(n_estimators=10, min_samples_leaf=10)[model_type])}
    settings = TrainingSettings(threads=1, partial_knowledge=False, model_settings=own)
    arguments = (model_type, features, accidents.accidents, settings)
    remote, here = cluster.run(train, *arguments, level="call", engine=cluster), train(*arguments, level="call")
    difference = remote.predictions["probability"] - here.predictions["probability"]
    assert difference.abs().max() < 1e-6  # sums of threads of BLAS have other last digits


@pytest.mark.parametrize("model_type", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("killed", [0, 1])
def test_a_worker_killed_in_a_fit(cluster: Engine, years: Years, model_type: str, killed: int) -> None:
    """One of the two also executes the training around the fit."""
    wait_for_workers(cluster)
    pid, messages = process_ids(cluster)[killed], []
    timer: list[threading.Timer] = []

    def progress(message: str) -> None:
        messages.append(message)
        if "workers together" in message and not timer:
            timer.append(threading.Timer(3, lambda: os.kill(pid, 9)))
            timer[0].start()

    slow = {model_type: ModelSettings(parameters=SLOW_FIT)}
    result = fitted(model_type, years, cluster, progress, partial_knowledge=False, refit=False, model_settings=slow)
    assert any("started again (1 of at most 3 times)" in message for message in messages), messages
    assert auc(result) > 0.8


def test_trials_run_on_the_cluster(cluster: Engine, tmp_path: Path) -> None:
    accidents, features = small_year()
    own = {"logistic_regression": ModelSettings(parameters={"knots": 0})}

    def searched(method: str, engine: Engine) -> TrainingResult:
        tuning = {"method": method, "trials": 5, "storage": tmp_path / f"{method}-{engine.is_remote}"}
        settings = TrainingSettings(cv_folds=3, threads=1, partial_knowledge=False, model_settings=own, tuning=tuning)
        arguments = ("logistic_regression", features, accidents.accidents, settings)
        return engine.run(train, *arguments, level="strict", engine=engine)

    def points(result: TrainingResult) -> list[tuple[dict, float | None]]:
        return [(trial["parameters"], trial["score"]) for trial in result.bundle.trials]

    assert points(searched("grid", cluster)) == points(searched("grid", LOCAL))
    side_by_side, one_by_one = searched("optuna", cluster).bundle, searched("optuna", LOCAL).bundle
    assert len(side_by_side.trials) == len(one_by_one.trials) == 5
    assert side_by_side.best_cv_score == pytest.approx(one_by_one.best_cv_score, abs=0.01)


def test_a_worker_killed_while_accidents_are_scored(cluster: Engine, years: Years, tmp_path: Path) -> None:
    wait_for_workers(cluster)
    bundle = small_models()["lightgbm"].trained.bundle
    source = str(Path(next(iter(years.editions[-1].files.values()))).parent)
    settings, limits = InferenceSettings(chunk=1000), years.settings.limits
    killer = Killer(process_ids(cluster)[0], "1,0")
    remote = score_accidents(
        source, str(tmp_path / "remote.csv"), bundle, settings, limits=limits, engine=cluster, progress=killer
    )
    local = score_accidents(source, str(tmp_path / "local.csv"), bundle, settings, limits=limits)
    assert killer.killed
    assert remote.scored == local.scored > 2900
    assert (tmp_path / "remote.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


def test_rows_of_one_file_are_scored_in_their_order(cluster: Engine, project: Path, tmp_path: Path) -> None:
    accident = json.loads((project / "examples" / "classic_flat.json").read_text())
    lines = [json.dumps(accident | {"jour": number % 35, "lum": number % 5}) for number in range(2500)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    bundle, settings = small_models()["lightgbm"].trained.bundle, InferenceSettings(chunk=1000)
    for name, options in (("remote.csv", {"engine": cluster}), ("local.csv", {})):
        limits = IngestionSettings().limits
        score_accidents(str(tmp_path / "rows.jsonl"), str(tmp_path / name), bundle, settings, limits=limits, **options)
    for suffix in ("", ".rejected.csv"):
        assert (tmp_path / f"remote.csv{suffix}").read_bytes() == (tmp_path / f"local.csv{suffix}").read_bytes()
