"""Progress of a fit as messages, a few seconds apart, with the time that is left."""

from collections.abc import Callable
from time import monotonic

from accidents.models.base import FitProgress

_SECONDS_BETWEEN = 5


def fit_progress(report: Callable[[str], None], name: str, clock: Callable[[], float] = monotonic) -> FitProgress:
    """Turn the steps of a fit into messages such as `120 of 1,000 trees in 15 s, 110 s left`.

    The time left is that of all steps at the pace of those before; a booster that stops early takes less.

    Args:
        report: called with a message at most every few seconds; never for a fit that is over sooner.
        name: what the steps are called.
        clock: seconds.
    """
    started = last = clock()

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = clock()
        if now - last >= _SECONDS_BETWEEN:
            last, seconds = now, now - started
            left = seconds * (total - done) / done
            report(f"{done:,} of {total:,} {name} in {seconds:.0f} s, {left:.0f} s left")

    return progress
