"""The process that owns a lock, a temporary file or a run, and whether it has ended.

An owner is recorded as text in what it owns. A later process reads it and finds out whether the owner was killed. It
can tell for processes of the same machine, boot and process-id namespace alone; of others it knows nothing.
"""

import hashlib
import os
import socket
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MACHINE_CHARACTERS = 12
_ENDED_STATES = "ZX"  # a zombie has ended, too: its parent may never collect it
_STATE, _START_TIME = 0, 19  # fields of /proc/<pid>/stat after the name in parentheses


@dataclass(frozen=True)
class ProcessOwner:
    """A process, told apart from a later one with the same id.

    Attributes:
        machine: digest of host name, boot and process-id namespace, hexadecimal.
        pid: process id.
        started: start time, in clock ticks since the boot on Linux, else in milliseconds since 1970.
    """

    machine: str
    pid: int
    started: int

    @classmethod
    def current(cls) -> "ProcessOwner":
        """The process that calls."""
        return cls(_machine(), os.getpid(), _start_time(os.getpid()) or 0)

    @classmethod
    def parse(cls, text: str | None) -> "ProcessOwner | None":
        """Read the text form; None where it is not one.

        >>> ProcessOwner.parse("00ff00ff00ff-17-1200")
        ProcessOwner(machine='00ff00ff00ff', pid=17, started=1200)
        >>> ProcessOwner.parse("a process")
        """
        machine, *numbers = (text or "").split("-")
        if len(machine) != _MACHINE_CHARACTERS or len(numbers) != 2 or not all(map(str.isdecimal, numbers)):
            return None
        return cls(machine, *map(int, numbers))

    def __str__(self) -> str:
        """The text form, of letters, digits and hyphens."""
        return f"{self.machine}-{self.pid}-{self.started}"

    @property
    def is_local(self) -> bool:
        """Whether it belongs to this machine, boot and process-id namespace."""
        return self.machine == _machine()

    @property
    def has_ended(self) -> bool:
        """Whether it is known to have ended; False for a process of another machine, which may run."""
        if not self.is_local:
            return False
        started = _start_time(self.pid)
        return started != self.started and not (started is None and _is_hidden(self.pid))


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux
        boot, namespace = f"{uuid.getnode():x}", ""
    identity = f"{socket.gethostname()} {boot} {namespace}"
    return hashlib.sha256(identity.encode()).hexdigest()[:_MACHINE_CHARACTERS]


def _start_time(pid: int) -> int | None:
    """Start time of a process that runs; None where there is none.

    The start times of psutil follow the clock of the system, which may be set while a process runs.
    """
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
        except OSError:
            return None
        return None if fields[_STATE] in _ENDED_STATES else int(fields[_START_TIME])
    import psutil  # here, since models are loaded where it is not installed

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else round(process.create_time() * 1000)
    except psutil.NoSuchProcess:
        return None


def _is_hidden(pid: int) -> bool:
    """Whether a process of another user runs that this one may not look at."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False
