"""A service for tests: `python run.py --serve` with a small trained model, in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

from accidents.bundle import Bundle
from serving.auth import api_keys
from serving.auth.roles import Role
from serving.environment import DATABASE_URL_ENV, METRICS_FOLDER_ENV, SETTINGS_ENV
from tests.conftest import traced
from tests.serving.records.databases import migrated_database
from tests.trained import asking_model, small_models

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT = 120


def free_port() -> int:
    """A port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def small_bundle(model_type: str) -> Bundle:
    """A small model; that of LightGBM ranks questions."""
    return asking_model() if model_type == "lightgbm" else small_models()[model_type].trained.bundle


def save_small_model(folder: Path, model_type: str = "lightgbm") -> Path:
    """Save a small model to a file."""
    path = folder / f"{model_type}_model.zip"
    small_bundle(model_type).save(path)
    return path


def create_admin_key(folder: Path) -> str:
    """Create an admin key in the database of a folder."""
    engine, _ = migrated_database(f"sqlite:///{folder}/serving.db")
    key = api_keys.create_key(engine, "test", Role.ADMIN).text
    engine.dispose()
    return key


def server_pids(folder: Path) -> list[int]:
    """Ids of the processes that answer for the service whose database is in `folder`; not of those that start them."""
    pids = []
    for process in psutil.process_iter():
        try:
            environment, command = process.environ(), " ".join(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if SETTINGS_ENV in environment and environment.get(DATABASE_URL_ENV) == f"sqlite:///{folder}/serving.db":
            answers = "multiprocessing.spawn" if METRICS_FOLDER_ENV in environment else "serving.process.server"
            if answers in command:
                pids.append(process.pid)
    return pids


@dataclass(frozen=True)
class ServiceProcess:
    """A service in processes of its own: URL, supervisor process, and the folder of database and log."""

    url: str
    process: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def log(self) -> str:
        """The log so far."""
        return (self.folder / "serving.log").read_text()

    @property
    def server_pids(self) -> list[int]:
        """Ids of the server processes."""
        return server_pids(self.folder)

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds; fails with the log where the service ends or takes too long."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the supervisor and wait for its exit; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT)


@contextmanager
def start_service(
    folder: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
    project: Path = PROJECT,
    **settings: Any,
) -> Iterator[ServiceProcess]:
    """`python run.py --serve` on a free port, once it is ready.

    Args:
        folder: for configuration, log and, unless `environment` names another, the database.
        options: further arguments of the command line.
        environment: further environment variables.
        project: the folder of the project, or of a copy of it.
        settings: the serving configuration.
    """
    port = free_port()
    configuration = folder / "serving.yaml"
    configuration.write_text(yaml.safe_dump({"pipeline": "serving", "port": port, **settings}))
    variables = traced(os.environ | {DATABASE_URL_ENV: f"sqlite:///{folder}/serving.db"} | dict(environment or {}))
    variables.pop("ZENML_ACTIVE_STACK_ID", None)  # set by an earlier command of this process
    command = [sys.executable, "run.py", "--serve", "--config", str(configuration), *options]
    with (folder / "serving.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=project, env=variables, stdout=log, stderr=log, start_new_session=True)
        service = ServiceProcess(f"http://127.0.0.1:{port}", process, folder)
        try:
            service.wait_until(lambda: _is_ready(service.url))
            yield service
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(TIMEOUT)


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def service_url(folder: Path, model: Path | None, *options: str, **settings: Any) -> Iterator[str]:
    """URL of a service of a model file or, without one, of the model that `options` name."""
    model_options = ["--model-path", str(model)] if model else []
    with start_service(folder, *model_options, *options, **settings) as service:
        yield service.url


@contextmanager
def anonymous_service(model_type: str = "lightgbm") -> Iterator[str]:
    """URL of a service that needs no API key on this machine."""
    with tempfile.TemporaryDirectory(prefix="serving-") as name:
        folder = Path(name)
        with service_url(folder, save_small_model(folder, model_type), "--anonymous") as url:
            yield url
