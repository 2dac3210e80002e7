"""Loads the model that the pointer file names, and reloads it when the pointer changes.

A new model is loaded and smoke-tested beside the old one, and replaces it in one assignment. A request that holds the
old model is answered by it to its end.
"""

import hashlib
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
from accidents.inference.smoke_test import compare_probabilities
from accidents.requests import parse_batch
from serving.model.pointer import ModelPointer

_EXAMPLES = PROJECT_ROOT / "examples"


@dataclass(frozen=True)
class LoadedModel:
    """A model that passed its smoke test.

    Attributes:
        bundle: the model.
        pointer: where it came from.
        info: `name`, `version` and `type`, as responses contain them.
        loaded_at: Unix time.
    """

    bundle: Bundle
    pointer: ModelPointer
    info: dict[str, str] = field(default_factory=dict)
    loaded_at: float = field(default_factory=time.time)

    @classmethod
    def load(cls, pointer: ModelPointer) -> "LoadedModel":
        """Load and smoke-test a model.

        Raises:
            ModelError: it cannot be loaded, or returns other probabilities than after its training.
            Exception: whatever a corrupt model raises in `predict_proba`.
        """
        bundle = _load_bundle(pointer)
        _smoke_test(bundle, pointer)
        return cls(bundle, pointer, {"name": pointer.name, "version": pointer.version, "type": bundle.model_type})


class ModelLoader:
    """Holds the model of this process; `model` is None until the first one is loaded.

    Args:
        pointer_file: file that holds a `ModelPointer`.
        on_check: called after each change of the file with the model, the pointer and the error of the load, if any.
    """

    def __init__(
        self, pointer_file: Path, on_check: Callable[[LoadedModel | None, ModelPointer | None, str], None]
    ) -> None:
        self.pointer_file = pointer_file
        self.model: LoadedModel | None = None
        self.pointer: ModelPointer | None = None
        self._on_check = on_check
        self._last_modified = -1
        self._error = ""
        self._lock = threading.Lock()

    def check(self) -> str:
        """Load the model that the pointer names, if it is another one; thread-safe.

        A model that does not load or fails its smoke test leaves the present one in place.

        Returns:
            Why the model was not loaded; empty on success.
        """
        with self._lock:
            try:
                modified = self.pointer_file.stat().st_mtime_ns
            except OSError:
                modified = 0
            if modified == self._last_modified:
                return self._error
            error = ""
            try:
                self.pointer = ModelPointer.read(self.pointer_file)
                if self.model is None or self.model.pointer.identity != self.pointer.identity:
                    self.model = LoadedModel.load(self.pointer)
            except AccidentsError as failure:
                error = str(failure)
            except Exception as failure:  # a corrupt model must not stop the present one
                error = f"the model does not predict: {type(failure).__name__}: {failure}"
            self._last_modified, self._error = modified, error
            self._on_check(self.model, self.pointer, error)
            return error


def _load_bundle(pointer: ModelPointer) -> Bundle:
    """The bundle of a pointer; refused where another file has replaced it since the pointer was written."""
    try:
        content = Path(pointer.file).read_bytes()
    except OSError as error:
        raise ModelError(f"{pointer.file}: cannot be read: {error.strerror}") from None
    if pointer.digest != hashlib.sha256(content).hexdigest():
        raise ModelError(f"{pointer.file}: is not the file that was to be loaded, by SHA-256; it was replaced")
    return Bundle.from_bytes(content, pointer.file)


def _smoke_test(bundle: Bundle, pointer: ModelPointer) -> None:
    """Compare probabilities with the stored ones, or check those of the project's examples for plausibility."""
    contents, expected = _smoke_test_accidents(pointer.expected_predictions)
    rows = bundle.matrix(parse_batch(contents).arrays)
    probabilities = bundle.predict_proba(rows)
    failures = compare_probabilities(expected, probabilities) if expected or len(probabilities) != len(contents) else []
    if not failures and not np.all((probabilities >= 0) & (probabilities <= 1)):
        failures = [f"{probabilities.min()!r} is not a probability"]
    # A single row takes another code path than many; this also warms it up before the first request.
    failures = failures or compare_probabilities(probabilities[:1].tolist(), bundle.predict_proba(rows[:1]))
    if failures:
        raise ModelError(f"{pointer.name} {pointer.version} failed its smoke test: {'; '.join(failures)}")


def _smoke_test_accidents(file: str) -> tuple[list[Any], Sequence[float]]:
    """Accidents as JSON content, and their expected probabilities; the project's examples have none."""
    if not file:
        return [json.loads(example.read_text(encoding="utf-8")) for example in sorted(_EXAMPLES.glob("*.json"))], []
    try:
        rows = json.loads(Path(file).read_text(encoding="utf-8"))
        contents, probabilities = [json.loads(row["accident"]) for row in rows], [row["probability"] for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file}: is not a file of expected predictions: {error!r}") from None
    if not contents:
        raise ModelError(f"{file}: holds no expected predictions")
    return contents, probabilities
