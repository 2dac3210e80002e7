"""A service for tests: a small trained model behind a real server, in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

from serving.auth.roles import Role
from serving.environment import DATABASE
from serving.records import api_keys
from tests.conftest import traced
from tests.serving_records.databases import ready
from tests.trained import small_models

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 60


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def saved_model(folder: Path, model_type: str = "lightgbm") -> Path:
    """A small model as a file."""
    path = folder / f"{model_type}_model.joblib"
    small_models()[model_type].trained.bundle.save(path)
    return path


def admin_key(folder: Path) -> str:
    """An admin key in the database of a folder."""
    engine, _ = ready(f"sqlite:///{folder}/serving.db")
    found = api_keys.create(engine, "test", Role.ADMIN).text
    engine.dispose()
    return found


def servers_of(folder: Path) -> list[int]:
    """The processes that answer for the service of a folder: those that hold its database."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(file.path == str(folder / "serving.db") for file in process.open_files()):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [pid for pid in found if pid != os.getpid()]


@dataclass(frozen=True)
class Running:
    """A service in processes of its own: its address, the launching process, and the folder with database and log."""

    url: str
    process: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "serving.log").read_text()

    @property
    def servers(self) -> list[int]:
        """The processes that answer."""
        return servers_of(self.folder)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the launching process, and wait for its end; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def started(
    folder: Path, *options: str, environment: Mapping[str, str] | None = None, **settings: Any
) -> Iterator[Running]:
    """`python run.py --serve` on a free port, with its database in `folder` if `environment` names none; is ready."""
    port = free_port()
    configuration = folder / "serving.yaml"
    configuration.write_text(yaml.safe_dump({"pipeline": "serving", "port": port, **settings}))
    around = traced(os.environ | {DATABASE: f"sqlite:///{folder}/serving.db"} | dict(environment or {}))
    around.pop("ZENML_ACTIVE_STACK_ID", None)  # of an earlier command of this process
    command = [sys.executable, "run.py", "--serve", "--config", str(configuration), *options]
    with (folder / "serving.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=around, stdout=log, stderr=log, start_new_session=True)
        found = Running(f"http://127.0.0.1:{port}", process, folder)
        try:
            deadline = time.monotonic() + PATIENCE
            while not _is_ready(found.url):
                assert process.poll() is None, found.log
                assert time.monotonic() < deadline, found.log
                time.sleep(0.05)
            yield found
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def service(folder: Path, model: Path | None, *options: str, **settings: Any) -> Iterator[str]:
    """A service in processes of its own, of a model file or, without one, as `options` say; yields the address."""
    chosen = ["--model-path", str(model)] if model else []
    with started(folder, *chosen, *options, **settings) as found:
        yield found.url


@contextmanager
def running_api(model_type: str = "lightgbm") -> Iterator[str]:
    """A service that anybody on this machine may ask; yields its address."""
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        place = Path(folder)
        with service(place, saved_model(place, model_type), "--anonymous") as url:
            yield url
