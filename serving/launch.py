"""The process that a service is started by: it finds the model, starts the server, and keeps looking for a newer model.

Finding a model takes libraries that are slow to load and that the server does without; so it is done here, and the
server is told by a pointer file which bundle to load.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import requests

from accidents.bundle import read_header
from accidents.configuration.serving import ServingSettings
from accidents.errors import AccidentsError, ConfigurationError, ModelError
from serving.access import is_this_machine
from serving.application import PARENT, POINTER, SETTINGS
from serving.current import Pointer
from serving.records.database import migrate, opened
from serving.records.ring import KeyRing

Find = Callable[[], Pointer]
"""Finds the model to serve; raises an `AccidentsError` where it cannot."""

_GLANCE = 0.1  # seconds between two looks at the server and at what is wanted
_START_SECONDS = 60
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Started:
    """A server that answers."""

    url: str
    pointer: Pointer


def serve(settings: ServingSettings, find: Find, tell: Callable[[Started], None]) -> int:
    """Serve until told to stop (SIGINT, SIGTERM); a SIGHUP looks for a newer model at once.

    Args:
        settings: where and how.
        find: finds the model, now and at every poll.
        tell: called once the server answers.

    Returns:
        0 after a stop, 1 if the server ended by itself.

    Raises:
        ConfigurationError: it would be open to others without a key, or the port is taken.
        AccidentsError: no model is found.
        ModelError: the server does not come up.
    """
    refuse_open_doors(settings)
    settings = settings.model_copy(update={"port": _free_port(settings)})
    pointer = replace(find(), checked_at=time.time())
    with tempfile.TemporaryDirectory(prefix="accidents-serving-") as folder, _signals() as told:
        path = Path(folder) / "model.json"
        pointer.write(path)
        server = _start(settings, path, Path(folder) / "metrics")
        try:
            _wait_until_ready(server, settings, told)
            if not told.stop:
                tell(Started(address(settings), pointer))
            _look_after(server, settings, find, path, told)
        finally:
            code = _stop(server, settings.stop_seconds)
    return 0 if told.stop else (code or 1)


def of_file(file: Path) -> Find:
    """Finds the model in a bundle file, which may be replaced while it is served."""

    def find() -> Pointer:
        header = read_header(file)
        version = f"{header['trained_at'][:19]} {header['sha256'][:8]}".strip()
        return Pointer(str(file.resolve()), file.stem, version)

    return find


def refuse_open_doors(settings: ServingSettings) -> None:
    """See to it that others need a key.

    Raises:
        ConfigurationError: the address is one that other machines reach, and anybody, or nobody, could come in.
    """
    if is_this_machine(settings.host):
        return
    if settings.anonymous:
        raise ConfigurationError(
            f"host {settings.host} is reached by other machines; anonymous access is for this one alone: leave it out"
        )
    engine = opened(settings.records)
    try:
        migrate(engine)
        ring = KeyRing(engine, settings.records.refresh_seconds)
        usable = ring.usable
        ring.close()
    finally:
        engine.dispose()
    if not usable:
        raise ConfigurationError(
            f"host {settings.host} is reached by other machines and there is no key: "
            "python run.py keys create --name NAME --role predict"
        )


def address(settings: ServingSettings) -> str:
    """Where the service answers."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{settings.port}"  # noqa: S104  # compared, not bound


@dataclass
class _Told:
    stop: bool = False
    look: bool = False


@contextmanager
def _signals() -> Iterator[_Told]:
    told = _Told()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature is Python's
        told.stop = True

    def look(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        told.look = True

    before = {
        number: signal.signal(number, handler)
        for number, handler in ((signal.SIGINT, stop), (signal.SIGTERM, stop), (signal.SIGHUP, look))
    }
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _free_port(settings: ServingSettings) -> int:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"port {settings.port} of {settings.host} cannot be used ({error.strerror}): choose another with --port"
            ) from None
        return int(probe.getsockname()[1])


def _start(settings: ServingSettings, pointer: Path, metrics: Path) -> "subprocess.Popen[bytes]":
    metrics.mkdir()
    told = {
        SETTINGS: settings.model_dump_json(),
        POINTER: str(pointer),
        PARENT: str(os.getpid()),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
    }
    # In a session of its own: a Ctrl-C in the terminal reaches the launcher, and the launcher alone stops the server.
    return subprocess.Popen(  # a program of the project
        [sys.executable, "-m", "serving.server"], env=os.environ | told, start_new_session=True
    )


def _wait_until_ready(server: "subprocess.Popen[bytes]", settings: ServingSettings, told: _Told) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not told.stop:
        if server.poll() is not None:
            raise ModelError(f"the server ended with code {server.returncode} before it answered; see the lines above")
        try:
            if requests.get(f"{address(settings)}/ready", timeout=5).ok:
                return
        except requests.RequestException:
            pass
        if time.monotonic() > deadline:
            raise ModelError(f"the server did not answer within {_START_SECONDS} s; see the lines above")
        time.sleep(_GLANCE)


def _look_after(
    server: "subprocess.Popen[bytes]", settings: ServingSettings, find: Find, path: Path, told: _Told
) -> None:
    """Until told to stop or the server has ended: look for a newer model when it is time, or when it is wanted."""
    wanted, seen = path.with_name("wanted"), 0
    due = time.monotonic() + settings.poll_seconds
    while not told.stop and server.poll() is None:
        stamp = wanted.stat().st_mtime_ns if wanted.exists() else 0
        if told.look or stamp != seen or time.monotonic() >= due:
            told.look, seen = False, stamp
            _look(find, path)
            due = time.monotonic() + settings.poll_seconds
        time.sleep(_GLANCE)


def _look(find: Find, path: Path) -> None:
    """Write what is to be served now; where that cannot be found out, that the present model stays, and why."""
    at = time.time()
    try:
        pointer = replace(find(), checked_at=at)
    except AccidentsError as error:
        pointer = replace(Pointer.read(path), checked_at=at, problem=str(error))
    pointer.write(path)


def _stop(server: "subprocess.Popen[bytes]", patience: int) -> int:
    """Let the server finish what is under way; returns its exit code."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(patience + 10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
    return server.returncode
