"""A cluster behind an address: `dask scheduler`, two `dask worker`, and a training through `run.py`."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from accidents.configuration.engine import EngineSettings
from accidents.engine import EngineError, connect
from tests.engine.clusters import add, process_ids
from tests.engine.commands import run

pytestmark = pytest.mark.long

PATIENCE = 300


@contextmanager
def cluster(project: Path, folder: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """The address of a scheduler, and its process."""
    file = folder / "scheduler.json"
    own = ["--scheduler-file", str(file), "--host", "127.0.0.1"]
    commands = [
        ["scheduler", *own, "--port", "0", "--dashboard-address", "127.0.0.1:0"],
        *[["worker", *own, "--nthreads", "1", "--local-directory", str(folder)]] * 2,
    ]
    with (folder / "log").open("w") as log:
        options = {"cwd": project, "stdout": log, "stderr": log}
        processes = [subprocess.Popen([sys.executable, "-m", "dask", *own], **options) for own in commands]
        try:
            deadline = time.monotonic() + PATIENCE
            while not file.exists() and time.monotonic() < deadline:
                time.sleep(0.2)
            yield json.loads(file.read_text())["address"], processes[0]
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait(60)


@pytest.fixture(scope="module")
def address(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(project, tmp_path_factory.mktemp("cluster")) as (address, _):
        yield address


@pytest.mark.parametrize("method", ["map", "run"])
def test_a_scheduler_that_is_lost_is_named(method: str, project: Path, tmp_path: Path) -> None:
    own = {"kind": "dask", "timeout_seconds": 30}
    with cluster(project, tmp_path) as (address, scheduler), connect(EngineSettings(address=address, **own)) as engine:
        threading.Timer(2, scheduler.kill).start()
        with pytest.raises(EngineError, match="scheduler does not answer any more"):
            [*engine.map(time.sleep, [600])] if method == "map" else engine.run(time.sleep, 600)


def test_calls_run_in_the_workers_at_the_address(address: str) -> None:
    settings = EngineSettings(kind="dask", address=address, workers=2, timeout_seconds=PATIENCE)
    with connect(settings) as engine:
        assert [*engine.map(add, range(4), 1)] == [1, 2, 3, 4]
        assert os.getpid() not in process_ids(engine)


def test_too_few_workers_are_named(address: str) -> None:
    settings = EngineSettings(kind="dask", address=address, workers=9, timeout_seconds=5)
    with pytest.raises(EngineError, match=r"the scheduler has [0-2] of 9 workers"), connect(settings):
        pass


def test_a_training_through_the_address(address: str, project: Path, tmp_path: Path) -> None:
    arguments = ["--training", "--models", "xgboost", "logistic_regression", "--engine", "dask"]
    done = run(project, tmp_path, *arguments, "--engine-address", address, "--engine-workers", "2")
    assert done.returncode == 0, done.stderr
    assert "xgboost: fitting in 2 workers together" in done.stdout
    assert "Logistic Regression" in done.stdout
    assert (tmp_path / "models" / "xgboost_model.zip").exists()


def test_nobody_at_the_address_is_one_paragraph(project: Path, tmp_path: Path) -> None:
    engine = tmp_path / "engine.yaml"
    engine.write_text("pipeline: engine\nkind: dask\naddress: tcp://127.0.0.1:1\ntimeout_seconds: 2\n")
    done = run(project, tmp_path, "--features", "--config", str(engine))
    assert done.returncode == 1
    assert done.stderr.startswith("error: engine.address = tcp://127.0.0.1:1: no Dask scheduler answers")
    assert done.stderr.count("\n") == 1
