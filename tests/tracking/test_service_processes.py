"""Processes of services are found by what they hold, with their children, and all of them can be ended."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tracking.service_processes import MARKER, ServiceMarker, end_processes, find_processes

pytestmark = [pytest.mark.slow, pytest.mark.traced]

PARENT_SCRIPT = """
import subprocess, sys
child = "import signal as s, sys; s.signal(s.SIGTERM, s.SIG_IGN); print('ready', flush=True); sys.stdin.read()"
with subprocess.Popen([sys.executable, "-c", child], stdin=0):
    sys.stdin.read()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process with a child that does not end on SIGTERM; all of them are killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def process(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", PARENT_SCRIPT, *arguments]
        found = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(found)
        assert found.stdout
        assert found.stdout.readline() == "ready\n"
        return found

    yield process
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()


def test_processes_are_found_and_ended_without_any_record(start: Start, tmp_path: Path) -> None:
    marker = ServiceMarker(str(tmp_path / "deployer" / "service"), "Model", "3", 8000)
    other = ServiceMarker(str(tmp_path / "deployer" / "other"), "Model", "4", 8001)
    daemon, bystander = start(marker.environment()), start(other.environment())
    start(ServiceMarker(str(tmp_path / "elsewhere" / "service")).environment())
    found = find_processes(tmp_path / "deployer")
    assert set(found) == {marker, other}
    assert found[marker][0].pid == daemon.pid
    assert len(found[marker]) == 2
    end_processes(marker.folder, timeout_seconds=0.5)
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in found[marker])
    assert set(find_processes(tmp_path / "deployer")) == {other}
    assert bystander.poll() is None


def test_a_child_that_outlives_the_daemon_is_found(start: Start, tmp_path: Path) -> None:
    marker = ServiceMarker(str(tmp_path / "service"), "Model", "3", 8000)
    daemon = start(marker.environment())
    daemon.kill()
    (child,) = find_processes(tmp_path)[marker]
    assert child.pid != daemon.pid
    end_processes(marker.folder, timeout_seconds=0.5)
    assert find_processes(tmp_path) == {}


def test_daemons_of_an_earlier_version_are_found_by_their_command_line(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "service" / "service.json"
    daemon = start({}, "-m", "zenml.services.local.local_daemon_entrypoint", "--config-file", str(file))
    (marker,) = found = find_processes(tmp_path)
    assert marker.folder == str(file.parent)
    assert found[marker][0].pid == daemon.pid
    assert len(found[marker]) == 2


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"folder": "x", "more": 1}), "17"])
def test_processes_with_another_meaning_of_the_variable_are_none_of_ours(
    start: Start, tmp_path: Path, text: str
) -> None:
    start({MARKER: text})
    assert find_processes(tmp_path) == {}
