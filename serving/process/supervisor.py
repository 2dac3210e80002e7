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
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import requests

from accidents.bundle import read_header
from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.serving import ServingSettings
from accidents.errors import AccidentsError, ConfigurationError, ModelError
from serving.environment import DATABASE, PARENT, POINTER, SETTINGS, SHARED_METRICS
from serving.model.pointer import Pointer
from serving.process.bind_check import refuse_open_doors

Find = Callable[[], Pointer]
"""Finds the model to serve; raises an `AccidentsError` where it cannot."""

_GLANCE = 0.1  # seconds between two looks at the server and at what is wanted
_START_SECONDS = 60


class Service:
    """A server in the background, in a session of its own: a Ctrl-C reaches it through its owner alone."""

    def __init__(self, settings: ServingSettings, find: Find, folder: Path, log: Path | None = None) -> None:
        self.settings = settings.model_copy(update={"port": _free_port(settings)})
        self._find, self._path, self._stopped = find, folder / "model.json", False
        self.pointer = replace(find(), checked_at=time.time())
        self.pointer.write(self._path)
        self._process = _start(self.settings, self._path, folder / "metrics", log)

    @property
    def url(self) -> str:
        """Where it answers."""
        return address(self.settings)

    @property
    def ended(self) -> bool:
        """Whether the server has ended by itself."""
        return self._process.poll() is not None

    @property
    def wanted(self) -> int:
        """Another number whenever the server has asked for a look since."""
        file = self._path.with_name("wanted")
        return file.stat().st_mtime_ns if file.exists() else 0

    def wait(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Until it answers, or `stop` says so.

        Raises:
            ModelError: it ended, or took too long.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not stop():
            if self.ended:
                code = self._process.returncode
                raise ModelError(f"the server ended with code {code} before it answered; see the lines above")
            status = self._status()
            if status == 200:
                return
            if status == 503:
                raise ModelError(f"{self.pointer.name} {self.pointer.version} does not load; see the lines above")
            if time.monotonic() > deadline:
                raise ModelError(f"the server did not answer within {_START_SECONDS} s; see the lines above")
            time.sleep(_GLANCE)

    def _status(self) -> int:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands before this machine
            try:
                return session.get(f"{self.url}/ready", timeout=5).status_code
            except requests.RequestException:
                return 0

    def look(self) -> None:
        """Write what is to be served now; where that cannot be found out, that the present model stays, and why."""
        at = time.time()
        try:
            self.pointer = replace(self._find(), checked_at=at)
        except AccidentsError as error:
            self.pointer = replace(self.pointer, checked_at=at, problem=str(error))
        except Exception as error:  # whatever goes wrong in a registry, the service goes on
            problem = f"the registry cannot be asked: {type(error).__name__}"  # its text may hold a password
            self.pointer = replace(self.pointer, checked_at=at, problem=problem)
        if not self._stopped:
            self.pointer.write(self._path)

    def stop(self) -> int:
        """Let it finish what is under way; returns its exit code."""
        self._stopped = True
        if not self.ended:
            self._process.terminate()
            try:
                # Requests first, then the log: each has that long.
                self._process.wait(2 * self.settings.stop_seconds + 10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        return self._process.returncode


@contextmanager
def running(
    settings: ServingSettings, find: Find, stop: Callable[[], bool] = lambda: False, log: Path | None = None
) -> Iterator[Service]:
    """A service that answers, as long as the block lasts.

    Args:
        settings: where and how.
        find: finds the model, now and at every look.
        stop: gives up waiting for the server to come up.
        log: file for the lines that it logs; standard error, if not given.

    Raises:
        ConfigurationError: it would be open to others without a key, or the port is taken.
        AccidentsError: no model is found.
        ModelError: the server does not come up.
    """
    refuse_open_doors(settings)
    with tempfile.TemporaryDirectory(prefix="accidents-serving-") as folder:
        service = Service(settings, find, Path(folder), log)
        try:
            service.wait(stop)
            yield service
        finally:
            service.stop()


def serve(settings: ServingSettings, find: Find, tell: Callable[[Service], None]) -> int:
    """Serve until told to stop (SIGINT, SIGTERM); a SIGHUP looks for a newer model at once.

    Args:
        settings: where and how.
        find: finds the model, now and at every poll.
        tell: called once the server answers.

    Returns:
        0 after a stop, 1 if the server ended by itself.

    Raises:
        AccidentsError: as `running`.
    """
    with _signals() as told, running(settings, find, lambda: told.stop) as service:
        if not told.stop:
            tell(service)
        _look_after(service, told)
    return 0 if told.stop else 1


def of_file(file: Path) -> Find:
    """Finds the model in a bundle file, which may be replaced while it is served."""

    def find() -> Pointer:
        header = read_header(file)
        version = f"{header['trained_at'][:19]} {header['sha256'][:8]}".strip()
        return Pointer(str(file.resolve()), file.stem, version, digest=header["sha256"])

    return find


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


def _start(settings: ServingSettings, pointer: Path, metrics: Path, log: Path | None) -> "subprocess.Popen[bytes]":
    records, inherited = settings.records, {**os.environ}
    told = {
        # A secret is not written out with the settings, and the variable goes before them anyway.
        SETTINGS: settings.model_copy(
            update={"records": records.model_copy(update={"database_url": None})}
        ).model_dump_json(),
        POINTER: str(pointer),
        PARENT: str(os.getpid()),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT_ROOT), inherited.get("PYTHONPATH")])),
    }
    if records.database_url and not inherited.get(DATABASE):
        told[DATABASE] = records.database_url.get_secret_value()
    # Figures that workers share are files, which take longer to write than a process takes for its own.
    inherited.pop(SHARED_METRICS, None)
    if settings.workers > 1:
        metrics.mkdir()
        told[SHARED_METRICS] = str(metrics)
    command = [sys.executable, "-m", "serving.process.server"]
    with log.open("ab") if log else nullcontext() as lines:
        return subprocess.Popen(  # noqa: S603  # a program of the project
            command, env=inherited | told, stdout=lines, stderr=lines, start_new_session=True
        )


def _look_after(service: Service, told: _Told) -> None:
    """Until told to stop or the server has ended: look for a newer model when it is time, or when it is wanted.

    Looks are taken beside, since a registry that does not answer must not keep anybody from stopping the service.
    """
    # What is wanted while the service comes up counts, too.
    seen, due = 0, time.monotonic() + service.settings.poll_seconds
    looking: threading.Thread | None = None
    while not told.stop and not service.ended:
        wanted = service.wanted
        if looking is not None and looking.is_alive():
            pass
        elif told.look or wanted != seen or time.monotonic() >= due:
            told.look, seen = False, wanted
            due = time.monotonic() + service.settings.poll_seconds
            looking = threading.Thread(target=service.look, daemon=True)
            looking.start()
        time.sleep(_GLANCE)
