"""Where the seconds of a command went: named phases, in the order in which they ended."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES: dict[str, float] = {}
"""Seconds by the name of the phase."""


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Add the seconds that the block takes to the phase `name`."""
    started = time.perf_counter()
    try:
        yield
    finally:
        add(name, time.perf_counter() - started)


def add(name: str, seconds: float) -> None:
    """Add seconds to a phase."""
    PHASES[name] = PHASES.get(name, 0.0) + seconds


def summary() -> str:
    """All phases in one line, such as `seconds: imports 8.1, ingest 2.3, total 10.4`."""
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in PHASES.items())
    return f"seconds: {told}, total {sum(PHASES.values()):.1f}"
