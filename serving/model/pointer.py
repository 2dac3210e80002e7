"""The pointer file, by which the supervisor names the model to serve; it is replaced atomically."""

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from accidents.atomic_write import write_text
from accidents.errors import ModelError


@dataclass(frozen=True)
class ModelPointer:
    """The model to serve, and the result of the last look-up.

    Attributes:
        file: path of the bundle.
        name: registered name, or name of the file.
        version: version in the registry, or date of the training.
        digest: SHA-256 of the file.
        expected_predictions: JSON file of accidents with the probabilities that the model must return; empty for none.
        checked_at: Unix time of the last look-up.
        problem: why the last look-up failed; the model stays the same then.
    """

    file: str
    name: str
    version: str
    digest: str
    expected_predictions: str = ""
    checked_at: float = 0.0
    problem: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Differs between two models."""
        return self.file, self.name, self.version

    def write(self, path: Path) -> None:
        """Write the pointer to a file atomically."""
        write_text(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "ModelPointer":
        """Read a pointer from a file.

        Raises:
            ModelError: the file is missing, or holds no pointer.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{path}: is not a model pointer: {error}") from None


def shadow_pointer_file(pointer_file: Path) -> Path:
    """The pointer of the shadow model, beside that of the model; there is none where no shadow is configured."""
    return pointer_file.with_name("shadow.json")


def reload_request_file(pointer_file: Path) -> Path:
    """The file beside the pointer that the server touches to request a look-up from the supervisor."""
    return pointer_file.with_name("reload-requested")


async def wait_for_check(path: Path, since: float, timeout: float) -> ModelPointer | None:
    """The pointer once it was checked after `since` (Unix time); None after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            pointer = ModelPointer.read(path)
        except ModelError:
            pointer = None
        if pointer and pointer.checked_at >= since:
            return pointer
        await asyncio.sleep(0.05)
    return None
