"""The service and its alternatives, each started as its users start it, in processes of its own."""

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
from accidents.configuration.records import RecordSettings
from benchmarks.serving import bare, of_mlflow
from benchmarks.serving.load import request
from benchmarks.serving.subject import Subject

ROOT = Path(__file__).resolve().parents[2]
SERVICE, BARE = "this service", "FastAPI, booster alone"
PLAIN = "FastAPI, pandas"
MLFLOW, MLFLOW_FRAMES = "mlflow models serve", "mlflow models serve, pandas"
"""The first serves the bundle as this project stores it, which answers without frames; the second serves the chain of
frames that `PLAIN` is made of, as models mostly are."""

_PATIENCE = 300.0
_GLANCE = 0.02

Answers = Callable[[Any], list[float]]
"""Probabilities in the content of an answer."""


@dataclass(frozen=True)
class Contender:
    """How a server is started and asked.

    `command` goes after the interpreter; `single` and `batch` make requests of accidents in JSON. `answers` is None
    where no accident is read.
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
class Running:
    """A server that answers: how many seconds that took, and the process that it was started by."""

    contender: Contender
    seconds: float
    process: "subprocess.Popen[bytes]"

    def processor_seconds(self) -> float:
        """Processor time of all its processes until now."""
        first = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
        return sum(time.user + time.system for time in times)


@contextmanager
def running(contender: Contender, log: Path, extra: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start a server, wait until it is ready, and stop it in the end; what it writes goes to a file.

    Raises:
        SystemExit: it does not come up.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **contender.environment, **(extra or {})}
    began = time.perf_counter()
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *contender.command],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            _wait(contender, process, log, began)
            yield Running(contender, time.perf_counter() - began, process)
        finally:
            _stop(process)


def _wait(contender: Contender, process: "subprocess.Popen[bytes]", log: Path, began: float) -> None:
    while True:
        try:
            if requests.get(f"http://127.0.0.1:{contender.port}{contender.ready}", timeout=5).ok:
                return
        except requests.RequestException:
            pass
        if process.poll() is not None or time.perf_counter() - began > _PATIENCE:
            raise SystemExit(f"{contender.name} does not come up:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(_GLANCE)


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


def contenders(bundle: Bundle, subject: Subject, folder: Path) -> list[Contender]:
    """All of them, with one model, on free ports, and with what they need in a folder."""
    model = folder / f"{bundle.model_type}_model.joblib"
    bundle.save(model)
    np.save(folder / "rows.npy", subject.rows(bundle.model_type))
    told = {bare.BUNDLE: str(model), bare.ROWS: str(folder / "rows.npy")}
    own, frames, environment = of_mlflow.stored(model, bundle, subject, folder)
    return [
        service(model, folder),
        _mlflow(MLFLOW, own, environment),
        _mlflow(MLFLOW_FRAMES, frames, environment),
        _fastapi(PLAIN, "plain", told),
        _fastapi(BARE, "bare", told),
    ]


def service(model: Path, folder: Path) -> Contender:
    """This service with all that it does: a key, validation, the prediction log in SQLite, request log and metrics."""
    port = free_port()
    configuration = folder / "serving.yaml"
    configuration.write_text(f"pipeline: serving\nport: {port}\ncaller: {{requests_per_second: 1000000}}\n")
    database = f"sqlite:///{folder}/serving.db"
    key = f"Authorization: Bearer {_key(database)}"
    return Contender(
        SERVICE,
        ("run.py", "--serve", "--model-path", str(model), "--config", str(configuration)),
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


def _mlflow(name: str, address: str, environment: Mapping[str, str]) -> Contender:
    port = free_port()
    command = ("models", "serve", "--model-uri", address, "--env-manager", "local", "--port", str(port))
    return Contender(
        name,
        ("-m", "mlflow", *command),
        port,
        "/ping",
        environment,
        lambda text: of_mlflow.asked([text]),
        of_mlflow.asked,
        lambda content: [one["probability"] for one in content["predictions"]],
    )


def _fastapi(name: str, module: str, told: Mapping[str, str]) -> Contender:
    port = free_port()
    application = f"benchmarks.serving.{module}:create"
    return Contender(
        name,
        ("-m", "uvicorn", "--factory", application, "--port", str(port), "--no-access-log"),
        port,
        "/ready",
        told,
        lambda text: request("/predict", text),
        lambda texts: request(f"/batch?size={len(texts)}", b"[" + b",".join(texts) + b"]"),
        None if module == "bare" else lambda content: content.get("probabilities", [content.get("probability")]),
    )


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
