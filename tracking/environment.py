"""Environment variables that hold for a block alone."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def environment(values: Mapping[str, str], also: Iterable[str] = ()) -> Iterator[None]:
    """Set variables for the block; at the end they, and those named in `also`, are what they were before."""
    before = {name: os.environ.get(name) for name in (*values, *also)}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
