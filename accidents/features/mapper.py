"""What applies functions to items: `map`, or the engine of a cluster."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Protocol

Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Takes a function and items, and gives the results in their order."""


class MappingEngine(Protocol):
    """What is needed of `accidents.engine.Engine`."""

    is_remote: ClassVar[bool]

    @property
    def map(self) -> Mapper:
        """Applies a function to items."""
