"""Signals that stop the supervisor or make it look for a newer model."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Signals:
    """Signals received so far: SIGINT or SIGTERM, and SIGHUP since the last reload."""

    stop: bool = False
    reload: bool = False


@contextmanager
def handle_signals() -> Iterator[Signals]:
    """Note signals during the block, in place of what they did before."""
    signals = Signals()
    handlers = {
        signal.SIGINT: lambda *_: setattr(signals, "stop", True),
        signal.SIGTERM: lambda *_: setattr(signals, "stop", True),
        signal.SIGHUP: lambda *_: setattr(signals, "reload", True),
    }
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield signals
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
