"""The model that answers: read from the pointer file that the launching process writes, swapped as a whole.

A pointer names a bundle file and says which version it is. A worker looks at it now and then; a new model is loaded
beside the old one, has to show that it answers, and takes its place in one assignment. So a request that has taken
hold of a model is answered by that one to its end.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from accidents.bundle import Bundle
from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import AccidentsError, ModelError
from accidents.inference.prediction import matrix
from accidents.inference.smoke_test import differences
from accidents.requests import parse_request, together
from serving.model.pointer import Pointer

_EXAMPLES = PROJECT_ROOT / "examples"


@dataclass(frozen=True)
class Served:
    """A model that answers, how it is called, and since when (Unix time)."""

    bundle: Bundle
    pointer: Pointer
    called: dict[str, str] = field(default_factory=dict)
    loaded_at: float = field(default_factory=time.time)

    @classmethod
    def load(cls, pointer: Pointer) -> "Served":
        """Load a model and let it show that it answers.

        Raises:
            ModelError: it cannot be loaded, or answers otherwise than it did when it was trained.
            Exception: whatever a model that is damaged in itself may raise when it is asked.
        """
        bundle = _loaded(pointer)
        _try_out(bundle, pointer)
        called = {"name": pointer.name, "version": pointer.version, "type": bundle.model_type}
        return cls(bundle, pointer, called)


class Current:
    """The model of this process. `served` is None until a first one is loaded.

    `changed` is called after a look: with what is served, the pointer, and the reason why a new model was not taken.
    """

    def __init__(self, path: Path, changed: Callable[[Served | None, Pointer | None, str], None]) -> None:
        self.path = path
        self.served: Served | None = None
        self.pointer: Pointer | None = None
        self._changed = changed
        self._seen = -1
        self._problem = ""
        self._lock = threading.Lock()

    def look(self) -> str:
        """Take the model that the pointer names, if it is another one; returns why it was not taken, or nothing.

        Called from threads beside the event loop; a model that does not load or answer leaves the present one.
        """
        with self._lock:
            try:
                stamp = self.path.stat().st_mtime_ns
            except OSError:
                stamp = 0
            if stamp == self._seen:
                return self._problem
            problem = ""
            try:
                self.pointer = Pointer.read(self.path)
                if self.served is None or self.served.pointer.identity != self.pointer.identity:
                    self.served = Served.load(self.pointer)
            except AccidentsError as error:
                problem = str(error)
            except Exception as error:  # of a model that is loaded from outside: the present one has to go on
                problem = f"the model does not answer: {type(error).__name__}: {error}"
            self._seen, self._problem = stamp, problem
            self._changed(self.served, self.pointer, problem)
            return problem


def _loaded(pointer: Pointer) -> Bundle:
    """The bundle of a pointer, and none that has taken its place in the meantime under the name of this one."""
    try:
        content = Path(pointer.file).read_bytes()
    except OSError as error:
        raise ModelError(f"{pointer.file}: cannot be read: {error.strerror}") from None
    bundle = Bundle.from_bytes(content, pointer.file)
    _, header, _ = content.split(b"\n", 2)
    if pointer.digest not in {"", json.loads(header)["sha256"]}:
        raise ModelError(f"{pointer.file}: was replaced while it was looked at")
    return bundle


def _try_out(bundle: Bundle, pointer: Pointer) -> None:
    """Ask for accidents of known probability, or, where there are none, for the examples of the project."""
    contents, expected = _known(pointer.stored)
    requests = [parse_request(content) for content in contents]
    rows = matrix(bundle, together([request.arrays for request in requests]))
    answered = bundle.probability(rows)
    wrong = differences(expected, answered) if expected or len(answered) != len(requests) else []
    if not wrong and not np.all((answered >= 0) & (answered <= 1)):
        wrong = [f"the probability {answered.min()!r} of an example is none"]
    # Few accidents are asked for in another way than many; it is made ready now, and not by the first caller.
    wrong = wrong or differences(answered[:1].tolist(), bundle.probability(rows[:1]))
    if wrong:
        raise ModelError(f"{pointer.name} {pointer.version} is not served: {'; '.join(wrong)}")


def _known(stored: str) -> tuple[list[Any], Sequence[float]]:
    if not stored:
        return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(_EXAMPLES.glob("*.json"))], []
    try:
        rows = json.loads(Path(stored).read_text(encoding="utf-8"))
        contents, probabilities = [json.loads(row["accident"]) for row in rows], [row["probability"] for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{stored}: holds no stored accidents: {error!r}") from None
    if not contents:
        raise ModelError(f"{stored}: holds no stored accidents")
    return contents, probabilities
