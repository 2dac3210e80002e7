"""What a worker takes on at once: heavy requests, streams, and bytes in temporary files. More is refused with 503.

So its memory is bounded by the configuration, whatever is sent, and light requests never wait behind heavy ones.
"""

import asyncio
import ctypes
import gc
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import IO, Any, Self

from fastapi.concurrency import run_in_threadpool

from accidents.configuration.serving import LoadLimits
from serving.http.errors import ApiError

_LOGGER = logging.getLogger(__name__)
_MEGABYTE = 1_000_000
_FIRST_RELEASE, _NEXT_RELEASE, _RELEASE_PERIOD = 0.5, 5.0, 15.0
"""Seconds after heavy work, and between two times, at which freed memory is given back to the system.

It goes on for a while after the last heavy work, since its predictions are still being logged.
"""


class Load:
    """The limits of one worker, and what is used of them.

    Args:
        limits: the configuration.
        workers: number of workers, which share the space for temporary files.

    Attributes:
        free_spool_bytes: what is left of the worker's share of that space.
    """

    def __init__(self, limits: LoadLimits, workers: int) -> None:
        self._heavy, self._streams = asyncio.Semaphore(limits.heavy), asyncio.Semaphore(limits.streams)
        self._wait_seconds = limits.wait_seconds
        self.free_spool_bytes = int(limits.spool_megabytes * _MEGABYTE / workers)
        self._release_timer: asyncio.TimerHandle | None = None
        self._last_heavy = 0.0

    @asynccontextmanager
    async def heavy_request(self) -> AsyncIterator[None]:
        """Wait for a turn, in the order of arrival, and hold it in the block.

        Raises:
            ApiError: 503, there was none in time.
        """
        await self._acquire(self._heavy, "heavy requests")
        try:
            yield
        finally:
            self._end_heavy()

    @asynccontextmanager
    async def piece_of_stream(self) -> AsyncIterator[None]:
        """As `heavy_request`, for a response that has started: waits as long as it takes."""
        await self._heavy.acquire()
        try:
            yield
        finally:
            self._end_heavy()

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        """A stream of JSON lines, from the body to the end of the response.

        Raises:
            ApiError: 503, there are too many.
        """
        await self._acquire(self._streams, "streams of JSON lines")
        try:
            yield
        finally:
            self._streams.release()

    def reserve_spool(self, size: int) -> None:
        """Take space for temporary files; a negative size gives it back.

        Raises:
            ApiError: 503, other requests hold too much of it.
        """
        if size > self.free_spool_bytes:
            message = "the service stores too many large bodies at the moment; try again"
            raise ApiError(503, "busy", message, headers={"Retry-After": "5"})
        self.free_spool_bytes -= size

    async def _acquire(self, semaphore: asyncio.Semaphore, kind: str) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await semaphore.acquire()
        except TimeoutError:
            message = f"the service is busy with other {kind}; try again"
            raise ApiError(503, "busy", message, headers={"Retry-After": "2"}) from None

    def _end_heavy(self) -> None:
        self._heavy.release()
        loop = asyncio.get_running_loop()
        self._last_heavy = loop.time()
        self._release_timer = self._release_timer or loop.call_later(_FIRST_RELEASE, self._release)

    def _release(self) -> None:
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, _release_memory)
        again = loop.time() - self._last_heavy < _RELEASE_PERIOD
        self._release_timer = loop.call_later(_NEXT_RELEASE, self._release) if again else None


class SpooledBody:
    """A body in a temporary file that has no name, so that nothing of it stays when the process is killed."""

    def __init__(self, load: Load) -> None:
        self._load, self._size = load, 0
        self._file: IO[bytes] | None = None

    @property
    def file(self) -> IO[bytes]:
        """The file, from its start once `rewind` was called."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `__exit__`
        return self._file

    async def write(self, chunk: bytes) -> None:
        """Append a piece.

        Raises:
            ApiError: 503, other requests hold too much space; 507, the temporary folder is full.
        """
        self._load.reserve_spool(len(chunk))
        self._size += len(chunk)
        await self._run(lambda: self.file.write(chunk))

    async def rewind(self) -> IO[bytes]:
        """The file, complete and from its start; errors as `write`."""
        await self._run(lambda: self.file.seek(0))
        return self.file

    async def _run(self, operation: Any) -> None:
        try:
            await run_in_threadpool(operation)
        except OSError as error:
            _LOGGER.error("a body cannot be stored in the temporary folder: %s", error.strerror or error)
            message = "the temporary folder of the service is full or cannot be written; tell its operator"
            raise ApiError(507, "storage", message) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._load.reserve_spool(-self._size)
        if self._file is not None:
            with suppress(OSError):  # what was not written yet
                self._file.close()


def _release_memory() -> None:
    """Give freed memory back to the system; glibc keeps it otherwise. Other C libraries have no such function."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
