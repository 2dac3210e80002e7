"""A Dask cluster that is lost for good, while a result is waited for: Dask itself would wait for ever."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from distributed import Client
from distributed.client import ClosedClientError

from accidents.engine.base import EngineError

SECONDS_TO_RESTART = 120
"""In which a worker takes the place of one that was lost."""

_SECONDS_BETWEEN_CHECKS = 5
_NO_SCHEDULER = "the Dask scheduler does not answer any more; run it again when it does"


class Watch:
    """Notices, while a result is waited for, that the scheduler or all workers are lost for good."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._checked = self._had_workers = monotonic()

    def check(self) -> None:
        """Raise an `EngineError` if they are."""
        if self._client.status in ("closing", "closed"):
            raise EngineError(_NO_SCHEDULER)
        now = monotonic()
        if self._client.status != "running" or now < self._checked + _SECONDS_BETWEEN_CHECKS:
            return
        self._checked = now
        with suppress(OSError):  # the connection is just being lost
            if self._client.nthreads():
                self._had_workers = now
            elif now > self._had_workers + SECONDS_TO_RESTART:
                raise EngineError(f"the cluster has had no worker for {SECONDS_TO_RESTART} seconds")


@contextmanager
def connected() -> Iterator[None]:
    """Let calls that find the connection closed raise an `EngineError`."""
    try:
        yield
    except ClosedClientError:
        raise EngineError(_NO_SCHEDULER) from None
