"""The file by which the launching process names the model that is to answer; a whole new one takes its place."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from accidents.errors import ModelError


@dataclass(frozen=True)
class Pointer:
    """Which model is to answer, and how the look-up went.

    `file` is a bundle, and `digest` the checksum in its header, or empty where the file never changes. `stored` is a
    file of accidents with the probabilities that the model must give, or empty. `checked_at` is the
    Unix time of the last look, `problem` why a look did not succeed; the model stays then.
    """

    file: str
    name: str
    version: str
    digest: str = ""
    stored: str = ""
    checked_at: float = 0.0
    problem: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it another model."""
        return self.file, self.name, self.version

    def write(self, path: Path) -> None:
        """Put the pointer into a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Pointer":
        """The pointer in a file.

        Raises:
            ModelError: there is none, or it is no pointer.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{path}: does not say which model to serve: {error}") from None


def wait_for_check(path: Path, since: float, patience: float) -> Pointer | None:
    """The pointer once it was checked after `since` (Unix time); None where that takes over `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            found = Pointer.read(path)
        except ModelError:
            found = None
        if found and found.checked_at >= since:
            return found
        time.sleep(0.05)
    return None
