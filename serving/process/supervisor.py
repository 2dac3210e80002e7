"""The supervisor process: resolves the model, starts the server, and looks for a newer model.

Resolving a model in a registry takes libraries that are slow to import and that the server does not need. So it happens
here, and a pointer file tells the server which bundle to load.
"""

import hashlib
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
from pathlib import Path

import requests

from accidents.bundle import read_manifest
from accidents.bundle.archive import existing_path
from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.serving import ServingSettings
from accidents.errors import ConfigurationError, ModelError
from serving.environment import DATABASE_URL_ENV, METRICS_FOLDER_ENV, POINTER_ENV, SETTINGS_ENV, SUPERVISOR_PID_ENV
from serving.model.pointer import ModelPointer, reload_request_file, shadow_pointer_file
from serving.process.bind_check import check_bind_address
from serving.process.resolved_model import ModelResolver, ResolvedModel
from serving.process.signals import Signals, handle_signals

_POLL_SECONDS = 0.1  # between two checks of the server and of reload requests
_START_TIMEOUT = 60
_MALLOC_VARIABLES = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1000000", "MALLOC_TRIM_THRESHOLD_": "50000000"}
"""glibc: large blocks are given back to the system as soon as they are freed, and threads share what is kept."""


class ServerProcess:
    """A server in a session of its own, so that Ctrl-C reaches it through the supervisor only.

    Args:
        settings: the serving configuration; port 0 is replaced by a free one.
        resolve_model: returns the model to serve.
        folder: for the pointer files and the metrics of the workers.
        log: file for the log; standard error by default.
        resolve_shadow: returns the shadow model; None for none.
    """

    def __init__(
        self,
        settings: ServingSettings,
        resolve_model: ModelResolver,
        folder: Path,
        log: Path | None = None,
        resolve_shadow: ModelResolver | None = None,
    ) -> None:
        self.settings = settings.model_copy(update={"port": _free_port(settings)})
        self._pointer_file, self._stopped = folder / "model.json", False
        self._models = [ResolvedModel(resolve_model, self._pointer_file)]
        if resolve_shadow:
            self._models.append(ResolvedModel(resolve_shadow, shadow_pointer_file(self._pointer_file)))
        self._process = _start(self.settings, self._pointer_file, folder / "metrics", log)

    @property
    def pointer(self) -> ModelPointer:
        """The model that is served."""
        return self._models[0].pointer

    @property
    def shadow_pointer(self) -> ModelPointer | None:
        """The shadow model; None without one."""
        return self._models[1].pointer if len(self._models) > 1 else None

    @property
    def url(self) -> str:
        """Base URL of the service."""
        return service_url(self.settings)

    @property
    def exited(self) -> bool:
        """Whether the process has exited."""
        return self._process.poll() is not None

    @property
    def reload_requested_at(self) -> int:
        """Time of the last reload request of the server in nanoseconds; 0 for none."""
        file = reload_request_file(self._pointer_file)
        return file.stat().st_mtime_ns if file.exists() else 0

    def wait_until_ready(self, stopping: Callable[[], bool] = lambda: False) -> None:
        """Wait until the server is ready, or `stopping` returns True.

        Raises:
            ModelError: the server exited, could not load the model, or took too long.
        """
        deadline = time.monotonic() + _START_TIMEOUT
        while not stopping():
            if self.exited:
                code = self._process.returncode
                raise ModelError(f"the server exited with code {code} before it was ready; see the lines above")
            status = self._readiness_status()
            if status == 200:
                return
            if status == 503:
                raise ModelError(f"{self.pointer.name} {self.pointer.version} does not load; see the lines above")
            if time.monotonic() > deadline:
                raise ModelError(f"the server was not ready within {_START_TIMEOUT} s; see the lines above")
            time.sleep(_POLL_SECONDS)

    def _readiness_status(self) -> int:
        """HTTP status of `/ready`; 0 without a response."""
        with requests.Session() as session:
            session.trust_env = False  # no proxy for this machine
            try:
                return session.get(f"{self.url}/ready", timeout=5).status_code
            except requests.RequestException:
                return 0

    def refresh_pointers(self) -> None:
        """Resolve model and shadow again and write their pointers; a failure keeps a model, and is its `problem`."""
        for model in self._models:
            model.resolve_again()
            if not self._stopped:
                model.write()

    def stop(self) -> int:
        """Stop the server gracefully; returns its exit code."""
        self._stopped = True
        if not self.exited:
            self._process.terminate()
            try:
                # Running requests and the prediction log have `stop_seconds` each.
                self._process.wait(2 * self.settings.stop_seconds + 10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        return self._process.returncode


@contextmanager
def running_server(
    settings: ServingSettings,
    resolve_model: ModelResolver,
    stopping: Callable[[], bool] = lambda: False,
    log: Path | None = None,
    resolve_shadow: ModelResolver | None = None,
) -> Iterator[ServerProcess]:
    """A server that is ready, and stops at the end of the block.

    Args:
        settings: the serving configuration.
        resolve_model: returns the model to serve, now and at every poll.
        stopping: ends the wait for readiness when it returns True.
        log: file for the log; standard error by default.
        resolve_shadow: returns the shadow model, now and at every poll; None for none.

    Raises:
        ConfigurationError: other machines could connect without an API key, or the port is taken.
        AccidentsError: the model cannot be resolved.
        ModelError: the server does not become ready.
    """
    check_bind_address(settings)
    with tempfile.TemporaryDirectory(prefix="accidents-serving-") as folder:
        server = ServerProcess(settings, resolve_model, Path(folder), log, resolve_shadow)
        try:
            server.wait_until_ready(stopping)
            yield server
        finally:
            server.stop()


def serve(
    settings: ServingSettings,
    resolve_model: ModelResolver,
    on_ready: Callable[[ServerProcess], None],
    resolve_shadow: ModelResolver | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; SIGHUP looks for a newer model at once.

    Args:
        settings: the serving configuration.
        resolve_model: returns the model to serve, now and at every poll.
        on_ready: called once the server is ready.
        resolve_shadow: returns the shadow model, now and at every poll; None for none.

    Returns:
        0 after a signal, 1 if the server exited by itself.

    Raises:
        AccidentsError: as `running_server`.
    """
    with (
        handle_signals() as signals,
        running_server(settings, resolve_model, lambda: signals.stop, resolve_shadow=resolve_shadow) as server,
    ):
        if not signals.stop:
            on_ready(server)
        _supervise(server, signals)
    return 0 if signals.stop else 1


def model_file_resolver(file: Path) -> ModelResolver:
    """Resolves to a bundle file, which may be replaced while it is served."""

    def resolve() -> ModelPointer:
        manifest = read_manifest(path := existing_path(file))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        version = f"{manifest['trained_at'][:19]} {digest[:8]}".strip()
        return ModelPointer(str(path.resolve()), path.stem, version, digest=digest)

    return resolve


def service_url(settings: ServingSettings) -> str:
    """Base URL under which this machine reaches the service.

    Examples:
        >>> service_url(ServingSettings(host="0.0.0.0", port=8080))
        'http://127.0.0.1:8080'
        >>> service_url(ServingSettings(host="::1", port=8080))
        'http://[::1]:8080'
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{settings.port}"  # noqa: S104  # compared, not bound


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


def _start(
    settings: ServingSettings, pointer_file: Path, metrics_folder: Path, log: Path | None
) -> "subprocess.Popen[bytes]":
    records, inherited = settings.records, {**os.environ}
    variables = {
        # The URL may contain a password, which is not written out with the settings; the variable takes precedence.
        SETTINGS_ENV: settings.model_copy(
            update={"records": records.model_copy(update={"database_url": None})}
        ).model_dump_json(),
        POINTER_ENV: str(pointer_file),
        SUPERVISOR_PID_ENV: str(os.getpid()),
        **_MALLOC_VARIABLES,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT_ROOT), inherited.get("PYTHONPATH")])),
    }
    if records.database_url and not inherited.get(DATABASE_URL_ENV):
        variables[DATABASE_URL_ENV] = records.database_url.get_secret_value()
    # Metrics in files, which workers share, are slower than those in memory.
    inherited.pop(METRICS_FOLDER_ENV, None)
    if settings.workers > 1:
        metrics_folder.mkdir()
        variables[METRICS_FOLDER_ENV] = str(metrics_folder)
    command = [sys.executable, "-m", "serving.process.server"]
    with log.open("ab") if log else nullcontext() as output:
        return subprocess.Popen(  # noqa: S603  # a program of the project
            command, env=inherited | variables, stdout=output, stderr=output, start_new_session=True
        )


def _supervise(server: ServerProcess, signals: Signals) -> None:
    """Look for a newer model at every poll and request, until a signal stops the service or the server exits.

    Look-ups run in a thread, since a registry that does not answer must not keep the service from stopping.
    """
    # A request that came before the server was ready counts, too.
    handled_request, next_poll = 0, time.monotonic() + server.settings.poll_seconds
    lookup: threading.Thread | None = None
    while not signals.stop and not server.exited:
        request = server.reload_requested_at
        if lookup is not None and lookup.is_alive():
            pass
        elif signals.reload or request != handled_request or time.monotonic() >= next_poll:
            signals.reload, handled_request = False, request
            next_poll = time.monotonic() + server.settings.poll_seconds
            lookup = threading.Thread(target=server.refresh_pointers, daemon=True)
            lookup.start()
        time.sleep(_POLL_SECONDS)
