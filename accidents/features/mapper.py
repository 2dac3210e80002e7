"""Functions that apply a function to items: `map`, or `Engine.map` of a cluster."""

from collections.abc import Callable, Iterable
from typing import Any

Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Takes a function and items, and gives the results in their order."""
