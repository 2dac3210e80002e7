"""A service for tests: a small trained model behind a real server, in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

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


@contextmanager
def service(folder: Path, model: Path | None, *options: str, **settings: Any) -> Iterator[str]:
    """`python run.py --serve` on a free port, with its database in `folder`; yields the address once it is ready.

    Without `model` it asks the registry, as `options` say.
    """
    port = free_port()
    configuration = folder / "serving.yaml"
    lines = ["pipeline: serving", f"port: {port}", *(f"{name}: {value}" for name, value in settings.items())]
    configuration.write_text("\n".join(lines) + "\n")
    environment = os.environ | {"SERVING_DATABASE_URL": f"sqlite:///{folder}/serving.db"}
    command = [
        sys.executable,
        "run.py",
        "--serve",
        *(["--model-path", str(model)] if model else []),
        "--config",
        str(configuration),
        *options,
    ]
    with (folder / "serving.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    if requests.get(f"{url}/ready", timeout=5).ok:
                        break
                except requests.RequestException:
                    pass
                assert process.poll() is None, (folder / "serving.log").read_text()
                assert time.monotonic() < deadline, (folder / "serving.log").read_text()
                time.sleep(0.05)
            yield url
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


@contextmanager
def running_api(model_type: str = "lightgbm") -> Iterator[str]:
    """A service that anybody on this machine may ask; yields its address."""
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        place = Path(folder)
        with service(place, saved_model(place, model_type), "--anonymous") as url:
            yield url
