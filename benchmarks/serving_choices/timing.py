"""How a call is timed: in turn with those that it is compared with, so that all see the same machine."""

import statistics
import time
from collections.abc import Callable, Mapping

ROUNDS = 5


def microseconds(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Microseconds of one call at the median, in the best of `ROUNDS` rounds in which all take turns."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            call()
            best[name] = min(best[name], 1e6 * statistics.median(_seconds(call) for _ in range(repeats)))
    return best


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
