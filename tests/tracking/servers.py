"""Real MLflow servers and a real PostgreSQL, for as long as a test session needs them."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_TIMEOUT_SECONDS = 90
_NO_TELEMETRY = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


@contextmanager
def mlflow_server(folder: Path, database: str, artifacts: str = "", **variables: str) -> Iterator[str]:
    """The address of an `mlflow server` that serves its files itself, from a folder or from `artifacts`."""
    port = free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database, "--serve-artifacts"]
    command += ["--artifacts-destination", artifacts or str(folder / "artifacts")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment = kept | _NO_TELEMETRY | variables
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True)
        try:
            _wait(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of an empty database; where root runs the tests, pgserver runs it as a user of its own."""
    import pgserver

    # Not below a folder of pytest's, which nobody else may enter.
    folder = Path(tempfile.mkdtemp(prefix="accidents-postgresql-"))
    logging.getLogger("pgserver").setLevel(logging.WARNING)
    server = pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"the MLflow server ended with {server.returncode}:\n{log.read_text()[-3000:]}")
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310  # our own server
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the MLflow server does not answer after {_TIMEOUT_SECONDS} s:\n{log.read_text()[-3000:]}")
