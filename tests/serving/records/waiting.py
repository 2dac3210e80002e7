"""Wait for another thread or process."""

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds."""


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something holds before patience ends."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False
