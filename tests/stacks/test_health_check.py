import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from stacks.health_check import ComponentCheck
from tests.stacks.conftest import WATCHWORD, tracker

Made = Callable[..., dict[str, str]]


class MLflow(BaseHTTPRequestHandler):
    """Answers like an MLflow server whose only user has the password WATCHWORD."""

    def do_GET(self) -> None:
        import base64

        expected = "Basic " + base64.b64encode(f"me:{WATCHWORD}".encode()).decode()
        known = self.path == "/health" or self.headers.get("Authorization") == expected
        self.send_response(200 if known else 401)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), MLflow) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def answers(name: str) -> dict[str, ComponentCheck]:
    from stacks.description import find_stack
    from stacks.health_check import check_stack

    return {answer.kind: answer for answer in check_stack(find_stack(name))}


@pytest.mark.slow
def test_every_component_of_a_sound_stack_answers(name: str, made: Made, tmp_path: Path) -> None:
    made({}, {**tracker(tracking_uri=f"sqlite:///{tmp_path}/new/mlflow.db"), "model_registry": {"flavor": "mlflow"}})
    found = answers(name)
    assert found.keys() == {"orchestrator", "artifact_store", "experiment_tracker", "model_registry", "stack"}
    assert all(answer.ok for answer in found.values()), found
    assert not (tmp_path / "new").exists(), "asking makes nothing"


def test_the_store_is_left_as_it_was(name: str, made: Made, tmp_path: Path) -> None:
    made({}, {"artifact_store": {"flavor": "local", "configuration": {"path": str(tmp_path / "store")}}})
    assert answers(name)["artifact_store"].ok
    assert list((tmp_path / "store").iterdir()) == []


def test_a_store_that_cannot_be_written_is_told(name: str, made: Made, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder belongs")
    made({}, {"artifact_store": {"flavor": "local", "configuration": {"path": str(tmp_path / "store")}}})
    answer = answers(name)["artifact_store"]
    assert not answer.ok
    assert str(tmp_path / "store") in answer.text


def test_a_folder_that_is_none_is_told(name: str, made: Made, tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("a file where the folder belongs")
    made({}, tracker(tracking_uri=f"sqlite:///{tmp_path}/mlruns/mlflow.db"))
    answer = answers(name)["experiment_tracker"]
    assert not answer.ok
    assert "MLFLOW_TRACKING_URI" in answer.text


def test_a_server_that_answers_is_ok(name: str, made: Made, server: str) -> None:
    made({}, tracker(tracking_uri=server))
    assert answers(name)["experiment_tracker"].text == f"{server} answers"


@pytest.mark.slow
@pytest.mark.parametrize(("word", "ok"), [(WATCHWORD, True), ("another", False)])
def test_credentials_are_tried(name: str, made: Made, server: str, word: str, ok: bool) -> None:
    references = {"tracking_username": f"{{{{{name}.user}}}}", "tracking_password": f"{{{{{name}.word}}}}"}
    secrets = {name: {"keys": {"user": "TEST_USER", "word": "TEST_WORD"}}}
    made({"TEST_USER": "me", "TEST_WORD": word}, tracker(tracking_uri=server, **references), secrets=secrets)
    answer = answers(name)["experiment_tracker"]
    assert answer.ok == ok
    assert ok or "refuses the credentials" in answer.text
    assert word not in answer.text


def test_a_server_that_is_not_there_is_told_within_seconds(name: str, made: Made) -> None:
    made({}, tracker(tracking_uri="http://127.0.0.1:1"))
    answer = answers(name)["experiment_tracker"]
    assert not answer.ok
    assert "http://127.0.0.1:1 does not answer; start the server" in answer.text


@pytest.mark.slow
def test_a_server_that_says_nothing_is_told_within_seconds(name: str, made: Made, silent: str) -> None:
    import zenml.integrations.mlflow.experiment_trackers  # noqa: F401 - its seconds are not those of the question

    made({}, tracker(tracking_uri=silent))
    start = time.monotonic()
    answer = answers(name)["experiment_tracker"]
    assert time.monotonic() - start < 6
    assert not answer.ok
    assert "does not answer within 3 seconds" in answer.text


@pytest.mark.slow
def test_something_else_at_the_address_is_told(name: str, made: Made, server: str) -> None:
    made({}, tracker(tracking_uri=f"{server}/elsewhere"))
    answer = answers(name)["experiment_tracker"]
    assert not answer.ok
    assert "answers 401: is this an MLflow server?" in answer.text


def test_a_secret_that_was_deleted_is_told(name: str, made: Made) -> None:
    from zenml.client import Client

    references = {"tracking_username": f"{{{{{name}.user}}}}", "tracking_password": f"{{{{{name}.word}}}}"}
    secrets = {name: {"keys": {"user": "TEST_USER", "word": "TEST_WORD"}}}
    made(
        {"TEST_USER": "a", "TEST_WORD": "b"}, tracker(tracking_uri="sqlite:////tmp/x.db", **references), secrets=secrets
    )
    Client().delete_secret(name)
    found = answers(name)
    assert any(not answer.ok and name in answer.text for answer in found.values()), found


def test_what_is_not_installed_is_named_with_the_command(
    name: str, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import PackageNotFoundError, version

    def without(package: str) -> str:
        if package == "python-rapidjson":
            raise PackageNotFoundError(package)
        return version(package)

    made({}, {"model_deployer": {"flavor": "mlflow"}})
    monkeypatch.setattr("stacks.health_check.version", without)
    answer = answers(name)["model_deployer"]
    assert not answer.ok
    assert answer.text == "python-rapidjson is not installed; pip install 'python-rapidjson<1.15'"


def test_components_that_do_not_go_together_are_told(name: str, made: Made) -> None:
    made({}, {"model_registry": {"flavor": "mlflow"}})
    answer = answers(name)["stack"]
    assert not answer.ok
    assert "experiment_tracker" in answer.text


@pytest.mark.slow
def test_a_real_mlflow_server_answers(name: str, made: Made, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    made({}, tracker(tracking_uri=f"http://127.0.0.1:{port}"))
    assert not answers(name)["experiment_tracker"].ok
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 120
            while not answers(name)["experiment_tracker"].ok and time.monotonic() < deadline:
                time.sleep(1)
            assert answers(name)["experiment_tracker"].ok
        finally:
            process.terminate()
