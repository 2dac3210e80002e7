"""`run.py dashboard` starts and stops the dashboard of this machine and leaves the ZenML configuration as it was."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.conftest import PROJECT, traced

pytestmark = pytest.mark.slow

PRINT_ADDRESS = """
from types import SimpleNamespace
import steps
from cli.pipeline_commands import _print_address
_print_address(SimpleNamespace(id=7, project=SimpleNamespace(name="default")))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment variables of a ZenML with its own database."""
    own = {"ZENML_CONFIG_PATH": str(tmp_path / "config"), "ZENML_LOCAL_STORES_PATH": str(tmp_path / "stores")}
    return traced(os.environ | own)


def dashboard(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "run.py", "dashboard", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=180)


def test_a_mistyped_command_is_refused(environment: dict[str, str]) -> None:
    assert dashboard(environment, "begin").returncode == 2


@pytest.mark.long
def test_it_answers_until_it_is_stopped_and_the_client_is_unchanged(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert "no dashboard was running" in dashboard(environment, "stop").stdout
    configuration = tmp_path / "config" / "config.yaml"
    before = configuration.read_text()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    try:
        started = dashboard(environment, "start", str(port))
        assert f"dashboard {address}\n" in started.stdout, started.stderr
        assert configuration.read_text() == before
        assert requests.get(f"{address}/health", timeout=10).ok
        assert f"dashboard {address}\n" in dashboard(environment, "start").stdout
        command = [sys.executable, "-c", PRINT_ADDRESS]
        printed = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=180)
        assert printed.stdout == f"dashboard {address}/projects/default/runs/7\n", printed.stderr
    finally:
        stopped = dashboard(environment, "stop")
    assert stopped.stdout == "stopped\n"
    assert configuration.read_text() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/health", timeout=5)


@pytest.mark.long
def test_a_port_that_is_taken_is_named(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = dashboard(environment, "start", str(port))
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr
