"""Environment variables set or removed for the length of a `with` block."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def temporary_environment(values: Mapping[str, str], without: Iterable[str] = ()) -> Iterator[None]:
    """Set environment variables inside the block; the values of before are restored at its end.

    Args:
        values: variables to set.
        without: names of variables to remove.
    """
    removed = set(without) - values.keys()
    before = {name: os.environ.get(name) for name in (*values, *removed)}
    os.environ.update(values)
    for name in removed:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
