"""Commands that start a cluster of processes give what one process gives, and leave nothing behind."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from accidents.sample.writer import write_sample
from tests.engine.commands import MEASURED, run
from tests.trained import small_models

pytestmark = pytest.mark.long

LEFT_BEHIND = """
import logging, os, signal, sys
from accidents.configuration.engine import EngineSettings
from accidents.engine import connect
from tests.engine.clusters import leave_at_exit, process_ids

logging.basicConfig()  # as ZenML has handlers for the messages of all libraries
with connect(EngineSettings(kind="dask", workers=2, timeout_seconds=300)) as engine:
    stopped, other = process_ids(engine)
    engine.call_together(leave_at_exit, [(path,) for path in sys.argv[1:]])
    print(stopped, other)
    os.kill(stopped, signal.SIGSTOP)
"""


def test_an_evaluation_is_that_of_one_process(project: Path, tmp_path: Path) -> None:
    model, metrics = tmp_path / "model.zip", tmp_path / "reports" / "evaluation" / "metrics.json"
    model.write_bytes(small_models()["xgboost"].trained.bundle.to_bytes())
    results = []
    for engine in (["dask", "--engine-workers", "2"], ["local"]):
        done = run(project, tmp_path, "--evaluation", "--no-cache", "--model-path", str(model), "--engine", *engine)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        results.append((metrics.read_text(), metrics.with_name("report.html").read_text()))
    assert results[0] == results[1]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
def test_the_memory_of_the_client_does_not_grow_with_the_accidents(project: Path, tmp_path: Path) -> None:
    peaks = []
    for accidents in (10_000, 60_000):
        source = tmp_path / str(accidents)
        write_sample(source, accidents=accidents)
        done = run(
            project, tmp_path, "--training", "--no-cache", "--source", str(source), "--models", "logistic_regression",
            "--engine", "dask", "--engine-workers", "1", program=("-c", MEASURED),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pass through this process" not in done.stdout
        peaks.append(int(done.stdout.rpartition("peak")[2]))
    assert peaks[1] - peaks[0] < 50_000  # kB: half of what the frames of 50,000 accidents take there


def test_processes_end_with_the_command_at_once_and_silently(project: Path, tmp_path: Path) -> None:
    markers = [str(tmp_path / name) for name in ("stopped", "other")]
    command = [sys.executable, "-c", LEFT_BEHIND, *markers]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert not any(psutil.pid_exists(int(pid)) for pid in done.stdout.split())
    assert not any(Path(marker).exists() for marker in markers)
