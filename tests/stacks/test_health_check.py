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
from tests.stacks.conftest import PASSWORD, tracker

Made = Callable[..., dict[str, str]]


class MLflow(BaseHTTPRequestHandler):
    """Answers like an MLflow server whose only user has the password PASSWORD."""

    def do_GET(self) -> None:
        import base64

        expected = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
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
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def checks(name: str) -> dict[str, ComponentCheck]:
    from stacks.description import find_stack
    from stacks.health_check import check_stack

    return {check.kind: check for check in check_stack(find_stack(name))}


@pytest.mark.slow
def test_every_component_of_a_valid_stack_passes(name: str, made: Made, tmp_path: Path) -> None:
    made({}, {**tracker(tracking_uri=f"sqlite:///{tmp_path}/new/mlflow.db"), "model_registry": {"flavor": "mlflow"}})
    results = checks(name)
    assert results.keys() == {"orchestrator", "artifact_store", "experiment_tracker", "model_registry", "stack"}
    assert all(check.ok for check in results.values()), results
    assert not (tmp_path / "new").exists(), "the check creates nothing"


def test_the_check_leaves_no_file_in_the_artifact_store(name: str, made: Made, tmp_path: Path) -> None:
    made({}, {"artifact_store": {"flavor": "local", "configuration": {"path": str(tmp_path / "store")}}})
    assert checks(name)["artifact_store"].ok
    assert list((tmp_path / "store").iterdir()) == []


def test_an_artifact_store_that_is_not_writable_fails(name: str, made: Made, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder belongs")
    made({}, {"artifact_store": {"flavor": "local", "configuration": {"path": str(tmp_path / "store")}}})
    check = checks(name)["artifact_store"]
    assert not check.ok
    assert str(tmp_path / "store") in check.text


def test_a_file_in_place_of_the_mlflow_folder_fails(name: str, made: Made, tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("a file where the folder belongs")
    made({}, tracker(tracking_uri=f"sqlite:///{tmp_path}/mlruns/mlflow.db"))
    check = checks(name)["experiment_tracker"]
    assert not check.ok
    assert "MLFLOW_TRACKING_URI" in check.text


def test_a_server_that_answers_passes(name: str, made: Made, server: str) -> None:
    made({}, tracker(tracking_uri=server))
    assert checks(name)["experiment_tracker"].text == f"{server} answers"


@pytest.mark.slow
@pytest.mark.parametrize(("word", "ok"), [(PASSWORD, True), ("another", False)])
def test_credentials_are_checked(name: str, made: Made, server: str, word: str, ok: bool) -> None:
    references = {"tracking_username": f"{{{{{name}.user}}}}", "tracking_password": f"{{{{{name}.word}}}}"}
    secrets = {name: {"keys": {"user": "TEST_USER", "word": "TEST_WORD"}}}
    made({"TEST_USER": "me", "TEST_WORD": word}, tracker(tracking_uri=server, **references), secrets=secrets)
    check = checks(name)["experiment_tracker"]
    assert check.ok == ok
    assert ok or "refuses the credentials" in check.text
    assert word not in check.text


def test_a_server_that_is_down_fails_with_a_remedy(name: str, made: Made) -> None:
    made({}, tracker(tracking_uri="http://127.0.0.1:1"))
    check = checks(name)["experiment_tracker"]
    assert not check.ok
    assert "http://127.0.0.1:1 does not answer; start the server" in check.text


@pytest.mark.slow
def test_a_silent_server_fails_after_the_timeout(name: str, made: Made, silent: str) -> None:
    import zenml.integrations.mlflow.experiment_trackers  # noqa: F401 - its import time is not part of the timeout

    made({}, tracker(tracking_uri=silent))
    start = time.monotonic()
    check = checks(name)["experiment_tracker"]
    assert time.monotonic() - start < 6
    assert not check.ok
    assert "does not answer within 3 seconds" in check.text


@pytest.mark.slow
def test_another_service_at_the_address_fails(name: str, made: Made, server: str) -> None:
    made({}, tracker(tracking_uri=f"{server}/elsewhere"))
    check = checks(name)["experiment_tracker"]
    assert not check.ok
    assert "answers 401: is this an MLflow server?" in check.text


def test_a_deleted_secret_fails(name: str, made: Made) -> None:
    from zenml.client import Client

    references = {"tracking_username": f"{{{{{name}.user}}}}", "tracking_password": f"{{{{{name}.word}}}}"}
    secrets = {name: {"keys": {"user": "TEST_USER", "word": "TEST_WORD"}}}
    made(
        {"TEST_USER": "a", "TEST_WORD": "b"}, tracker(tracking_uri="sqlite:////tmp/x.db", **references), secrets=secrets
    )
    Client().delete_secret(name)
    results = checks(name)
    assert any(not check.ok and name in check.text for check in results.values()), results


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    name: str, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import PackageNotFoundError, version

    def without(package: str) -> str:
        if package == "python-rapidjson":
            raise PackageNotFoundError(package)
        return version(package)

    made({}, {"model_deployer": {"flavor": "mlflow"}})
    monkeypatch.setattr("stacks.extras.version", without)
    check = checks(name)["model_deployer"]
    assert not check.ok
    assert check.text == "python-rapidjson is not installed; pip install 'python-rapidjson<1.15'"


def test_incompatible_components_fail(name: str, made: Made) -> None:
    made({}, {"model_registry": {"flavor": "mlflow"}})
    check = checks(name)["stack"]
    assert not check.ok
    assert "experiment_tracker" in check.text


@pytest.mark.long
def test_a_real_mlflow_server_answers(name: str, made: Made, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    made({}, tracker(tracking_uri=f"http://127.0.0.1:{port}"))
    assert not checks(name)["experiment_tracker"].ok
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 120
            while not checks(name)["experiment_tracker"].ok and time.monotonic() < deadline:
                time.sleep(1)
            assert checks(name)["experiment_tracker"].ok
        finally:
            process.terminate()
