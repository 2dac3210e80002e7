"""Functions that workers of a cluster call, and progress that kills a worker."""

import atexit
import os
import signal
from collections.abc import Callable
from pathlib import Path

from accidents.engine import Engine


def add(number: int, offset: int, *, progress: Callable[[str], None] = lambda _: None) -> int:
    progress(f"got {number}")
    return number + offset


def fail(number: int) -> int:
    raise ValueError(f"{number} is refused")


def die_once(number: int, marker: str) -> int:
    """Kill the process of the first call."""
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return number
    os.kill(os.getpid(), signal.SIGKILL)
    return -1


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def leave_at_exit(marker: str) -> None:
    """Let this process create a file when Python frees everything at its end."""
    atexit.register(Path(marker).touch)


def process_ids(engine: Engine) -> list[int]:
    """Processes of the workers, in their order."""
    return engine.call_together(os.getpid, [()] * len(engine.workers))


class Killer:
    """Progress that kills a process at the first message with a text; keeps the messages."""

    def __init__(self, pid: int, text: str) -> None:
        self.pid, self.text, self.killed = pid, text, False
        self.messages: list[str] = []

    def __call__(self, message: str) -> None:
        self.messages.append(message)
        if self.text in message and not self.killed:
            self.killed = True
            os.kill(self.pid, signal.SIGKILL)
