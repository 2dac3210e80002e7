"""Environment variables set for the length of a `with` block."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def temporary_environment(values: Mapping[str, str], restore: Iterable[str] = ()) -> Iterator[None]:
    """Set environment variables inside the block.

    Args:
        values: variables to set.
        restore: names of further variables that the block may change and that are restored at its end.
    """
    before = {name: os.environ.get(name) for name in (*values, *restore)}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
