"""Processes of deployed services, found by what they hold, whether or not a record names them.

All processes of a service inherit an environment variable that says which one it is: also the one that starts the
service, and those that outlive it. A process id in a file may belong to another process by now; these do not.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from accidents.errors import ModelError

MARKER = "ACCIDENTS_DEPLOYED_SERVICE"
"""Environment variable of all processes of a service."""

_CONFIGURATION_FILE = "service.json"
_UNKNOWN = "unknown"
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class ServiceMarker:
    """Which service a process belongs to.

    Attributes:
        folder: folder of the service.
        name: registered model name.
        version: version number.
        port: port on 127.0.0.1; 0 where it is not known.
    """

    folder: str
    name: str = _UNKNOWN
    version: str = _UNKNOWN
    port: int = 0

    def environment(self) -> dict[str, str]:
        """The environment variable for the processes of the service."""
        return {MARKER: json.dumps(asdict(self))}


def find_processes(deployer_folder: Path) -> dict[ServiceMarker, list[psutil.Process]]:
    """Running processes of the services below the folder of a model deployer, oldest first."""
    found: dict[ServiceMarker, list[psutil.Process]] = {}
    for process, marker in sorted(_marked_processes(), key=lambda one: one[0].create_time()):
        if Path(marker.folder).parent == deployer_folder:
            found.setdefault(marker, []).append(process)
    return found


def end_processes(folder: str, timeout_seconds: float) -> None:
    """Terminate the processes of the service in a folder; kill those that still run after the timeout.

    Raises:
        ModelError: they cannot be ended.
    """
    deadline = time.monotonic() + timeout_seconds
    terminated: set[psutil.Process] = set()
    # Again and again, as one that starts may start another.
    while running := [process for process, marker in _marked_processes() if marker.folder == folder]:
        late = time.monotonic() - deadline
        if late > timeout_seconds:
            raise ModelError(f"the processes of the service in {folder} cannot be ended: end {running[0].pid} by hand")
        for process in running:
            with suppress(psutil.NoSuchProcess):
                if late > 0:
                    process.kill()
                elif process not in terminated:
                    process.terminate()
        terminated.update(running)
        time.sleep(_POLL_SECONDS)


def _marked_processes() -> Iterator[tuple[psutil.Process, ServiceMarker]]:
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and (marker := _marker(process)):
                yield process, marker
        except (psutil.Error, OSError, ValueError, TypeError):  # it ended, or belongs to another user or program
            continue


def _marker(process: psutil.Process) -> ServiceMarker | None:
    if text := process.environ().get(MARKER):
        return ServiceMarker(**json.loads(text))
    # Services that an earlier version of the project started: the daemon has the folder on its command line.
    for one in (process, *process.parents()):
        if "zenml.services.local.local_daemon_entrypoint" in (words := one.cmdline()):
            files = [Path(word) for word in words if Path(word).name == _CONFIGURATION_FILE]
            return ServiceMarker(str(files[0].parent)) if files else None
    return None
