"""Rate limits whose counts all workers of one machine share.

Own code, since the package `limits` shares its counts through a further server, and a call takes more than 20 µs then
(`python -m benchmarks.serving_choices.rate_limits`, figures in docs/speed.md). Here it is 0.6 µs, with a lock 1.2 µs.
"""

import fcntl
import mmap
import os
import time
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from accidents.errors import ConfigurationError

_WAYS = 8
_BUCKETS = 2048
_SLOTS = _BUCKETS * _WAYS
_FIELD_BYTES = 8 * _SLOTS
_FILE_BYTES = 3 * _FIELD_BYTES
_LOCK_SPINS, _LOCK_ATTEMPTS = 10, 20
_LOCK_PAUSE = 0.0001
_CACHED = 4096


class RateLimiter:
    """Fixed-window counters by name in a memory-mapped file of 400 kB, which several processes may use.

    A window starts with the first call of a name. The file is a hash table with 16,384 slots in buckets of 8; in a full
    bucket the counter whose window ends first makes room. A process that is killed at any point leaves valid counters
    and no lock, and one that is stopped with the lock held delays others by 1.5 ms at most: they count without it.

    Without the lock, which takes longer than counting, of two calls within about a microsecond one may be lost.

    Args:
        file: created where it is missing.
        seconds: length of a window.
        limit: how many calls of one name a window allows.
        lockout_seconds: for how long a name is refused that exceeds the limit; until the end of the window by default.
        exact: lock the file for every call.

    Raises:
        ConfigurationError: the file cannot be created.
    """

    def __init__(
        self, file: Path, seconds: float, limit: int, lockout_seconds: float | None = None, *, exact: bool = False
    ) -> None:
        self._seconds, self._limit, self._lockout_seconds, self._exact = seconds, limit, lockout_seconds, exact
        try:
            self._file = _open(file)
        except OSError as error:
            raise ConfigurationError(
                f"{file}: cannot be created ({error.strerror}); free space there, or name another folder by TMPDIR"
            ) from None
        self._descriptor = self._file.fileno()
        memory = memoryview(mmap.mmap(self._descriptor, _FILE_BYTES))
        self._tags = memory[:_FIELD_BYTES].cast("Q")
        self._ends = memory[_FIELD_BYTES : 2 * _FIELD_BYTES].cast("d")
        self._counts = memory[2 * _FIELD_BYTES :].cast("Q")

    def hit(self, name: str) -> float:
        """Count one call; returns the seconds until the next is allowed, 0 where this one is."""
        locked = self._exact and self._lock()
        try:
            return self._count(_tag(name), time.monotonic())  # the same clock in all processes
        finally:
            if locked:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _lock(self) -> bool:
        for attempt in range(_LOCK_ATTEMPTS):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if attempt >= _LOCK_SPINS:  # the holder has lost its processor
                    time.sleep(_LOCK_PAUSE)
                continue
            return True
        return False

    def _count(self, tag: int, now: float) -> float:
        """The stores are ordered so that after each of them a slot holds a valid counter or an expired one."""
        slot = self._find(tag)
        running = now < self._ends[slot]
        count = self._counts[slot] = self._counts[slot] + 1 if running else 1
        if not running:
            self._ends[slot] = now + self._seconds
        if count <= self._limit:
            return 0.0
        if count == self._limit + 1 and self._lockout_seconds is not None:
            self._ends[slot] = now + self._lockout_seconds
        return self._ends[slot] - now

    def _find(self, tag: int) -> int:
        """The slot of a tag, or one that it takes over."""
        first = tag % _BUCKETS * _WAYS
        tags = self._tags[first : first + _WAYS].tolist()
        if tag in tags:
            return first + tags.index(tag)
        ends = self._ends[first : first + _WAYS].tolist()
        slot = first + ends.index(min(ends))
        self._ends[slot] = 0.0
        self._tags[slot] = tag
        return slot


@lru_cache(_CACHED)
def _tag(name: str) -> int:
    """64 bits that stand for a name, in every process the same."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


def _open(path: Path) -> BinaryIO:
    """Open the file; zeros are written to it where it is new, since a hole may have no room on the disk later."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    fcntl.flock(file, fcntl.LOCK_EX)
    if os.fstat(file.fileno()).st_size < _FILE_BYTES:
        os.pwrite(file.fileno(), bytes(_FILE_BYTES), 0)
    fcntl.flock(file, fcntl.LOCK_UN)
    return file
