"""A model that the supervisor resolves again and again, and the pointer file that names it to the server."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from accidents.errors import AccidentsError
from serving.model.pointer import ModelPointer

ModelResolver = Callable[[], ModelPointer]
"""Returns a model; raises an `AccidentsError` where it cannot."""


class ResolvedModel:
    """The model that a resolver returned last, in `pointer`, which is written to a file.

    Raises:
        AccidentsError: it cannot be resolved for the first time.
    """

    def __init__(self, resolve: ModelResolver, file: Path) -> None:
        self._resolve, self._file = resolve, file
        self.pointer = replace(resolve(), checked_at=time.time())
        self.write()

    def write(self) -> None:
        """Write the pointer atomically."""
        self.pointer.write(self._file)

    def resolve_again(self) -> None:
        """Resolve the model again; a failure keeps it, and is its `problem`."""
        at = time.time()
        try:
            self.pointer = replace(self._resolve(), checked_at=at)
        except AccidentsError as error:
            self.pointer = replace(self.pointer, checked_at=at, problem=str(error))
        except Exception as error:  # a registry error must not stop the service
            problem = f"the registry cannot be read: {type(error).__name__}"  # the message may contain a password
            self.pointer = replace(self.pointer, checked_at=at, problem=problem)
