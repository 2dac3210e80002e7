"""Results that the trainings of several model types on the same accidents have in common, computed once."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar

R = TypeVar("R")


class SharedResults:
    """Results by key, for as long as this object lives; a copy in another process starts without them.

    >>> results = SharedResults()
    >>> results.get("squares", lambda: [1, 4]) is results.get("squares", lambda: [1, 4])
    True
    """

    def __init__(self, *, keep_large: bool = True) -> None:
        self.keep_large = keep_large
        self._results: dict[Hashable, Any] = {}

    def get(self, key: Hashable, compute: Callable[[], R], *, large: bool = False) -> R:
        """The result of `compute` for this key, of an earlier call where there was one; it must not be changed.

        Args:
            key: of the result.
            compute: computes it.
            large: its size grows with the accidents; it is kept only if this object keeps large results.
        """
        if large and not self.keep_large:
            return compute()
        if key not in self._results:
            self._results[key] = compute()
        result: R = self._results[key]
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle no result: computing it again takes less than sending it."""
        return partial(SharedResults, keep_large=self.keep_large), ()
