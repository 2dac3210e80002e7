"""Keeps a folder of generated or downloaded files sound: one writer at a time, nothing left by a killed run.

Everything in such a folder is made under a temporary name, `tmp…`, and renamed when it is whole. A run that is killed
leaves at most temporary names behind; the next one removes them before it starts.
"""

import contextlib
import fcntl
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder for this process, free of what killed runs left; makes the folder where there is none.

    The folder has to be one that only this project writes to: every `tmp*` in it and one folder below is removed.
    The system gives the lock back when the process ends, however it ends. A second process waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning("Another run is writing to %s; waiting for it to end.", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in [*folder.glob("tmp*"), *folder.glob("*/tmp*")]:
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()
        yield


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that nobody ever sees half-written."""
    temporary = path.with_name(f"tmp-{path.name}")
    temporary.write_bytes(content)
    temporary.replace(path)
