"""Locked cache folder of generated or downloaded files: one writer at a time, without remains of killed runs.

Files are written under temporary names (`tmp*` or `.*.tmp`) and renamed when they are complete. A killed run leaves at
most temporary files behind; the next run deletes them before it starts.
"""

import contextlib
import fcntl
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

_TEMPORARY = ("tmp*", "*/tmp*", ".*.tmp", "*/.*.tmp")


@contextlib.contextmanager
def lock_cache(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on a cache folder while the block runs, and delete temporary files of killed runs.

    The folder is made if it does not exist. Only this project may write to it, as every temporary file in it and one
    folder below is deleted. The operating system releases the lock when the process ends. A second process waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning("Another run is writing to %s; waiting for it to end.", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        for temporary in [path for pattern in _TEMPORARY for path in folder.glob(pattern)]:
            if temporary.is_dir():
                shutil.rmtree(temporary)
            else:
                temporary.unlink()
        yield
