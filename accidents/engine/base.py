"""Interface of engines."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from accidents.errors import AccidentsError

R = TypeVar("R")

RESTARTS = 3
"""How often a call is started again after its worker was lost."""


class EngineError(AccidentsError):
    """The cluster does not answer, or has lost its workers too often."""


class WorkerLostError(EngineError):
    """A worker was lost that others depended on."""


class Engine(ABC):
    """Executes functions of modules; arguments and results are pickled where they go to another process."""

    is_remote: ClassVar[bool]
    """Whether calls leave this process."""

    shared_folder: Path | None = None
    """Folder for files that calls read; the folder for temporary files where None."""

    @property
    @abstractmethod
    def parallelism(self) -> int:
        """Number of calls of `map` that run at once."""

    @property
    @abstractmethod
    def threads(self) -> int:
        """Threads of each of the `workers`."""

    @property
    @abstractmethod
    def workers(self) -> Sequence[str]:
        """Hosts of the processes of `call_together`, one entry a process; empty where there is only this one."""

    @abstractmethod
    def map(
        self,
        function: Callable[..., R],
        items: Iterable[Any],
        *shared: Any,
        progress: Callable[[str], None] | None = None,
    ) -> Iterator[R]:
        """Call `function(item, *shared)` for every item; a few calls ahead of the result that is consumed.

        Args:
            function: of a module; gets `progress`, too, if that is given.
            items: one a call; taken when a call is free, so that they need not fit into memory together.
            *shared: arguments of every call, plain or from `share`.
            progress: called with the messages of the calls.

        Returns:
            The results, in the order of the items.
        """

    @abstractmethod
    def run(
        self, function: Callable[..., R], *arguments: Any, progress: Callable[[str], None] | None = None, **options: Any
    ) -> R:
        """Call a function once; on a cluster one worker executes it, never this process.

        Args:
            function: of a module; gets `progress`, too, if that is given.
            *arguments: its arguments.
            progress: called with its messages, and with one for each restart.
            **options: its keyword arguments; an option `engine` is one whose calls start from where the function runs.

        Raises:
            EngineError: its worker was lost more than `RESTARTS` times.
        """

    @abstractmethod
    def call_together(self, function: Callable[..., R], arguments: Sequence[tuple[Any, ...]]) -> list[R]:
        """Call a function in all `workers` at the same time, as calls that talk to each other need.

        Args:
            function: of a module.
            arguments: positional arguments of the call in each worker.

        Raises:
            WorkerLostError: a worker was lost.
        """

    def share(self, value: R) -> R:
        """A value for several calls of `map`, which is sent once."""
        return value

    @abstractmethod
    def report(self, message: str) -> None:
        """Pass a message on to the user."""
