"""Durations of the phases of a command."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES: dict[str, float] = {}
"""Seconds by the name of the phase, in the order in which the phases ended first."""


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Add the seconds that the block takes to the phase `name`."""
    started = time.perf_counter()
    try:
        yield
    finally:
        add_seconds(name, time.perf_counter() - started)


def add_seconds(name: str, seconds: float) -> None:
    """Add seconds to a phase."""
    PHASES[name] = PHASES.get(name, 0.0) + seconds


def phase_summary() -> str:
    """All phases in one line, such as `seconds: imports 8.1, ingest 2.3, total 10.4`."""
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in PHASES.items())
    return f"seconds: {phases}, total {sum(PHASES.values()):.1f}"
