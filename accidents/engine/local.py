"""The engine of one process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from accidents.engine.base import Engine, R


class LocalEngine(Engine):
    """Executes every call in this process, when its result is requested."""

    is_remote = False
    parallelism = threads = 1
    workers: Sequence[str] = ()

    def map(
        self,
        function: Callable[..., R],
        items: Iterable[Any],
        *shared: Any,
        progress: Callable[[str], None] | None = None,
    ) -> Iterator[R]:
        """Call the function item by item."""
        call = partial(function, progress=progress) if progress else function
        return (call(item, *shared) for item in items)

    def run(
        self, function: Callable[..., R], *arguments: Any, progress: Callable[[str], None] | None = None, **options: Any
    ) -> R:
        """Call the function."""
        return function(*arguments, **options, **({"progress": progress} if progress else {}))

    def call_together(self, function: Callable[..., R], arguments: Sequence[tuple[Any, ...]]) -> list[R]:
        """Call the function once for each entry, one after the other."""
        return [function(*own) for own in arguments]

    def report(self, message: str) -> None:
        """Print the message."""
        print(message, flush=True)


LOCAL = LocalEngine()
