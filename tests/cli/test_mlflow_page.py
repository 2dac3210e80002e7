"""`run.py mlflow` serves a database on this machine, and reports an MLflow server that does not answer."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from tests.cli.test_dashboard import free_port
from tests.conftest import PROJECT, traced

pytestmark = pytest.mark.slow
TIMEOUT = 300


def start(folder: Path, uri: str, port: int) -> "subprocess.Popen[str]":
    own = {
        "ZENML_CONFIG_PATH": str(folder / "config"),
        "ZENML_LOCAL_STORES_PATH": str(folder / "stores"),
        "MLFLOW_TRACKING_URI": uri,
    }
    return subprocess.Popen(
        [sys.executable, "run.py", "mlflow", str(port)],
        cwd=PROJECT,
        env=traced(os.environ | own),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.long
def test_a_database_is_served_on_this_machine_until_it_is_interrupted(tmp_path: Path) -> None:
    port = free_port()
    page = start(tmp_path, f"sqlite:///{tmp_path}/mlflow.db", port)
    try:
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/", timeout=20)
                break
            except requests.RequestException:
                assert page.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.5)
        assert answer.ok
        first = psutil.Process(page.pid)
        lines = [part for one in (first, *first.children(recursive=True)) for part in one.cmdline()]
        assert any("uvicorn" in part for part in lines)
        assert not any("mlflow.db" in part for part in lines)  # anybody may read a command line
        assert "MLflow" in answer.text
    finally:
        os.killpg(page.pid, signal.SIGINT)
        output, _ = page.communicate(timeout=TIMEOUT)
    assert f"http://127.0.0.1:{port} (Ctrl-C ends it)" in output
    assert page.returncode == 0
    assert "cli/mlflow_page.py" not in output  # MLflow's own helpers may say that they were interrupted


@pytest.mark.long
def test_a_server_that_does_not_answer_is_reported(tmp_path: Path) -> None:
    page = start(tmp_path, f"http://127.0.0.1:{free_port()}", free_port())
    output, _ = page.communicate(timeout=TIMEOUT)
    assert page.returncode == 1
    assert "does not answer or refuses" in output
    assert "Traceback" not in output
