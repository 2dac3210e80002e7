"""Time of one call of a rate limiter: counts in shared memory, and the package `limits` with its storages.

    python -m benchmarks.serving_choices.rate_limits [URI …]

A URI is a storage of `limits`, such as memory:// or redis+unix:///run/redis.sock; the package and the client of the
storage have to be installed for it.
"""

import argparse
import importlib
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from benchmarks.serving.report import table
from benchmarks.serving_choices.timing import microseconds
from serving.auth.rate_limit import RateLimiter

_REPEATS = 2000
_LIMIT = 1_000_000_000
_NAME = "0a1b2c3d"


def rate_limiters(storages: Iterable[str], folder: Path) -> dict[str, float]:
    """Microseconds of a call by kind of limiter; `folder` is for the counts."""
    calls: dict[str, Callable[[], object]] = {
        "shared memory": partial(RateLimiter(folder / "counts", 1, _LIMIT).hit, _NAME),
        "shared memory with a lock": partial(RateLimiter(folder / "exact", 1, _LIMIT, exact=True).hit, _NAME),
    }
    for uri in storages:
        storage = importlib.import_module("limits.storage").storage_from_string(uri)
        limiter = importlib.import_module("limits.strategies").FixedWindowRateLimiter(storage)
        limit = importlib.import_module("limits").RateLimitItemPerSecond(_LIMIT)
        calls[f"limits, {uri.partition(':')[0]}"] = partial(limiter.hit, limit, _NAME)
    return microseconds(calls, _REPEATS)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("storages", nargs="*", metavar="URI", help="storage of the package limits")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        results = rate_limiters(arguments.storages, Path(folder))
    print(table(("rate limiter", "a call, µs"), [(name, f"{one:.1f}") for name, one in results.items()]))


if __name__ == "__main__":
    main()
