"""Lock on a file of this machine, which the operating system releases when its holder ends, however it ends."""

import fcntl
import getpass
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from accidents.errors import LockedError

_POLL_SECONDS = 0.2
_MAX_CHARACTERS = 500


@contextmanager
def file_lock(path: Path, activity: str, wait_seconds: float) -> Iterator[None]:
    """Hold an exclusive lock while the block runs; wait for another holder, and say who it is.

    Folders above `path` are made. The file keeps the name of its holder and is not deleted.

    Args:
        path: the file.
        activity: what a holder does, for the message: "process 17 of ann has been <activity> since ...".
        wait_seconds: time to wait for another holder.

    Raises:
        LockedError: another process holds the lock after that time; names it, and since when.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait_seconds
        announced = False
        while not _try_lock(file.fileno()):
            file.seek(0)
            holder = file.read(_MAX_CHARACTERS).strip() or "another process"
            if time.monotonic() >= deadline:
                raise LockedError(f"{holder}: try again when it has ended, or end that process ({path})")
            if not announced:
                print(f"{holder}; waiting for up to {wait_seconds:g} s", file=sys.stderr, flush=True)
                announced = True
            time.sleep(_POLL_SECONDS)
        file.truncate(0)
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        file.write(f"process {os.getpid()} of {getpass.getuser()} has been {activity} since {since}")
        file.flush()
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
