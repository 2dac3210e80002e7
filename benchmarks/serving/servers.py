"""Servers to compare: the service and its alternatives, each in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests

from accidents.bundle import Bundle
from accidents.configuration.serving import RecordSettings
from accidents.features import feature_matrix
from benchmarks.serving import booster_app, mlflow_models
from benchmarks.serving.load_test import request
from benchmarks.serving.workload import Workload

ROOT = Path(__file__).resolve().parents[2]
SERVICE, BARE = "this service", "FastAPI, booster alone"
PLAIN = "FastAPI, pandas"
MLFLOW, MLFLOW_FRAMES = "mlflow models serve", "mlflow models serve, pandas"
"""The first serves the pyfunc model of this project, which works without frames; the second one the pandas chain of
`PLAIN`, as most models are."""

_TIMEOUT = 300.0
_POLL_SECONDS = 0.02

Answers = Callable[[Any], list[float]]
"""Extracts probabilities from the content of a response."""


@dataclass(frozen=True)
class ServerSpec:
    """How to start a server and send requests to it.

    `command` follows the Python interpreter; `single` and `batch` build requests from accidents in JSON. `answers` is
    None where the server reads no accidents.
    """

    name: str
    command: Sequence[str]
    port: int
    ready: str
    environment: Mapping[str, str]
    single: Callable[[bytes], bytes]
    batch: Callable[[Sequence[bytes]], bytes]
    answers: Answers | None


@dataclass(frozen=True)
class RunningServer:
    """A server that is ready: seconds until then, and its first process."""

    spec: ServerSpec
    seconds: float
    process: "subprocess.Popen[bytes]"

    def processor_seconds(self) -> float:
        """Processor time of all its processes so far."""
        first = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
        return sum(time.user + time.system for time in times)


@contextmanager
def run_server(spec: ServerSpec, log: Path, extra: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """Run a server during a `with` block, from readiness on; its output goes to a file.

    Raises:
        SystemExit: the server does not become ready.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **spec.environment, **(extra or {})}
    started = time.perf_counter()
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *spec.command],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            _wait(spec, process, log, started)
            yield RunningServer(spec, time.perf_counter() - started, process)
        finally:
            _stop(process)


def _wait(spec: ServerSpec, process: "subprocess.Popen[bytes]", log: Path, started: float) -> None:
    while True:
        try:
            if requests.get(f"http://127.0.0.1:{spec.port}{spec.ready}", timeout=5).ok:
                return
        except requests.RequestException:
            pass
        if process.poll() is not None or time.perf_counter() - started > _TIMEOUT:
            raise SystemExit(f"{spec.name} does not become ready:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(_POLL_SECONDS)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(family, 5)
    for one in alive:
        one.kill()


def server_specs(bundle: Bundle, workload: Workload, folder: Path) -> list[ServerSpec]:
    """All servers with one model, on free ports; their files go to a folder."""
    model = folder / f"{bundle.model_type}_model.zip"
    bundle.save(model)
    np.save(folder / "rows.npy", feature_matrix(workload.features, bundle.columns, bundle.encoder))
    model_files = {booster_app.BUNDLE: str(model), booster_app.ROWS: str(folder / "rows.npy")}
    own, frames, environment = mlflow_models.store_models(model, bundle, workload, folder)
    return [
        service(model, folder),
        _mlflow(MLFLOW, own, environment),
        _mlflow(MLFLOW_FRAMES, frames, environment),
        _fastapi(PLAIN, "pandas_app", model_files),
        _fastapi(BARE, "booster_app", model_files),
    ]


def service(model: Path, folder: Path, *options: str) -> ServerSpec:
    """This service in full: API key, validation, prediction log in SQLite, request log and metrics.

    Args:
        model: the model file.
        folder: for configuration and database.
        *options: further words of the command line.
    """
    port = free_port()
    configuration = folder / "serving.yaml"
    configuration.write_text(
        f"pipeline: serving\nport: {port}\ncaller: {{requests_per_second: 1000000}}\nload: {{wait_seconds: 30}}\n"
    )
    database = f"sqlite:///{folder}/serving.db"
    key = f"Authorization: Bearer {_key(database)}"
    return ServerSpec(
        SERVICE,
        ("run.py", "--serve", "--model-path", str(model), "--config", str(configuration), *options),
        port,
        "/ready",
        {"SERVING_DATABASE_URL": database},
        lambda text: request("/v1/predict", text, key),
        lambda texts: request("/v1/predict/batch", b'{"accidents":[' + b",".join(texts) + b"]}", key),
        lambda content: [one["probability"] for one in content.get("results", [content])],
    )


def _key(database: str) -> str:
    from serving.auth import api_keys
    from serving.auth.roles import Role
    from serving.records.database import migrate, open_database

    engine = open_database(RecordSettings.model_validate({"database_url": database}), {})
    migrate(engine)
    key = api_keys.create_key(engine, "benchmark", Role.PREDICT).text
    engine.dispose()
    return key


def _mlflow(name: str, address: str, environment: Mapping[str, str]) -> ServerSpec:
    port = free_port()
    command = ("models", "serve", "--model-uri", address, "--env-manager", "local", "--port", str(port))
    return ServerSpec(
        name,
        ("-m", "mlflow", *command),
        port,
        "/ping",
        environment,
        lambda text: mlflow_models.invocation_request([text]),
        mlflow_models.invocation_request,
        lambda content: [one["probability"] for one in content["predictions"]],
    )


def _fastapi(name: str, module: str, environment: Mapping[str, str]) -> ServerSpec:
    port = free_port()
    application = f"benchmarks.serving.{module}:create"
    return ServerSpec(
        name,
        ("-m", "uvicorn", "--factory", application, "--port", str(port), "--no-access-log"),
        port,
        "/ready",
        environment,
        lambda text: request("/predict", text),
        lambda texts: request(f"/batch?size={len(texts)}", b"[" + b",".join(texts) + b"]"),
        None if module == "booster_app" else lambda content: content.get("probabilities", [content.get("probability")]),
    )


def free_port() -> int:
    """A port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
