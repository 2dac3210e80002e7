"""Time of one call of a rate limiter: counts in shared memory, and the package `limits` with its storages."""

import importlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from benchmarks.serving_choices.timing import microseconds
from serving.auth.rate_limit import RateLimiter

_REPEATS = 2000
_LIMIT = 1_000_000_000


def rate_limiters(storages: Iterable[str], folder: Path) -> dict[str, float]:
    """Microseconds of a call by kind of limiter.

    Args:
        storages: URIs of `limits`, such as memory:// or redis+unix:///run/redis.sock; without any, it is not imported.
        folder: for the counts.
    """
    calls: dict[str, Callable[[], object]] = {
        "shared memory": partial(RateLimiter(folder / "counts", 1, _LIMIT).hit, "0a1b2c3d")
    }
    for uri in storages:
        storage = importlib.import_module("limits.storage").storage_from_string(uri)
        limiter = importlib.import_module("limits.strategies").FixedWindowRateLimiter(storage)
        limit = importlib.import_module("limits").RateLimitItemPerSecond(_LIMIT)
        calls[f"limits, {uri.partition(':')[0]}"] = partial(limiter.hit, limit, "0a1b2c3d")
    return microseconds(calls, _REPEATS)
