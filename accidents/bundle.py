"""A trained model with all that it needs to answer, in one file.

The file starts with a line that names the format and a line of JSON, the header, which can be read without unpickling
anything. Then comes the compressed pickle. A file is loaded only if it is whole and of this format, and if the
libraries behind its model are of the same major versions as when it was saved.
"""

import hashlib
import importlib
import io
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from accidents.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    from accidents.features.place_encoder import GeographyEncoder
    from accidents.models.base import Matrix, Model, Vector

FORMAT = b"french-road-accidents model bundle\n"
VERSION = 3
"""Raised whenever what is pickled changes its meaning, so that older files are refused instead of misread."""

_LONGEST_HEADER = 1_000_000


@dataclass(frozen=True)
class Calibration:
    """From the log-odds of a model to probabilities: beta calibration (Kull, Silva Filho and Flach, 2017).

    With `q` the probability that the log-odds stand for, the calibrated log-odds are
    `low * ln(q) - high * ln(1 - q) + intercept`. With `low` and `high` alike this is Platt's logistic curve; with 1, 1
    and 0 nothing changes. Neither is negative, so that the curve rises and no ranking changes.
    """

    low: float = 1.0
    high: float = 1.0
    intercept: float = 0.0

    def __call__(self, margin: "Vector") -> "Vector":
        """Probabilities of log-odds, float64 of the same shape."""
        low, high = self.terms(margin)
        return 1 / (1 + np.exp(-(self.low * low + self.high * high + self.intercept)))

    @staticmethod
    def terms(margin: "Vector") -> "tuple[Vector, Vector]":
        """`ln(q)` and `-ln(1 - q)` of log-odds, each of the same shape."""
        return -np.logaddexp(0, -margin), np.logaddexp(0, margin)


@dataclass(frozen=True)
class Bundle:
    """A model and everything that was learned or chosen with it.

    `columns` are the names of the matrix columns in order; `threshold` is on the calibrated probability;
    `fingerprint` is that of its data, `months` are those that they hold, such as `2024-01`; `metrics` are by part
    (`validation`, `test`); `rows` counts accidents by part; `trials` are those of the search named by
    `tuning`. Fields after `threshold` are for the record and change no prediction.
    """

    model_type: str
    level: str
    geography: bool
    columns: tuple[str, ...]
    encoder: "GeographyEncoder | None"
    model: "Model[Any]"
    calibration: Calibration
    threshold: float
    rule: str = ""
    fingerprint: str = ""
    months: tuple[str, ...] = ()
    seed: int = 0
    split: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    resampling: str = "none"
    tuning: str = "none"
    trials: tuple[dict[str, Any], ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    best_cv_score: float | None = None
    fit_seconds: float = 0.0
    trained_at: str = ""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Where pydantic meets a bundle it asks for an instance, and does not look inside."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    def matrix(self, frame: "pd.DataFrame") -> "Matrix":
        """What the model sees of a feature frame, float32 (n, len(columns)).

        Raises:
            ModelError: the features are not those that the model was trained on.
        """
        from accidents.features import matrix, names

        columns = names(self.level, self.geography)
        if tuple(columns) != self.columns:
            changed = ", ".join(sorted({*columns} ^ {*self.columns})) or "their order"
            raise ModelError(f"the model was trained on other features ({changed}): train it again")
        return matrix(frame, self.encoder, self.level, self.geography)[0]

    def margin(self, X: "Matrix", threads: int = 1) -> "Vector":
        """Log-odds before calibration, float64 (n)."""
        return self.model.margin(X, threads)

    def probability(self, X: "Matrix", threads: int = 1) -> "Vector":
        """Calibrated probability of priority for the rows of a matrix, float64 (n)."""
        return self.calibration(self.margin(X, threads))

    def predict(self, frame: "pd.DataFrame", threads: int = 1) -> npt.NDArray[np.float64]:
        """Calibrated probability of priority for the rows of a feature frame, float64 (n)."""
        return self.probability(self.matrix(frame), threads)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Python and of the libraries that the model is made with, as installed now."""
        libraries = ("numpy", *self.model.LIBRARIES)
        return {"python": sys.version.split()[0]} | {name: _installed(name) for name in libraries}

    def metadata(self) -> dict[str, Any]:
        """Everything about the bundle that can be written as JSON."""
        learned = ("encoder", "model", "calibration", "columns")
        facts = {name: value for name, value in vars(self).items() if name not in learned}
        return facts | {
            "columns": list(self.columns),
            "calibration": asdict(self.calibration),
            "versions": self.versions,
        }

    def to_bytes(self) -> bytes:
        """The content of a bundle file."""
        import joblib

        buffer = io.BytesIO()
        joblib.dump(self, buffer, compress=("zlib", 6))
        payload = buffer.getvalue()
        header = {
            "format_version": VERSION,
            "bytes": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
        } | self.metadata()
        return FORMAT + json.dumps(header).encode() + b"\n" + payload

    def save(self, path: Path | str) -> None:
        """Write the bundle to a file, whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(self.to_bytes())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a bundle from a file.

        Unpickling runs code: load only bundles from folders that nobody but you can write to.

        Raises:
            ModelError: the file is missing, cut off, damaged, no bundle, or of other versions.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}") from None
        return cls.from_bytes(content, str(path))

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "bundle") -> Self:
        """Read a bundle from the content of a file; `name` is for messages, errors are those of `load`."""
        import joblib

        file = io.BytesIO(content)
        header = _header(file, name)
        payload = file.read()
        if len(payload) != header["bytes"]:
            raise ModelError(
                f"{name}: cut off or damaged: {len(payload)} bytes instead of {header['bytes']}; copy or train it again"
            )
        if hashlib.sha256(payload).hexdigest() != header["sha256"]:
            raise ModelError(f"{name}: damaged: the checksum differs; copy or train it again")
        _refuse_other_libraries(header["versions"], name)
        try:
            return joblib.load(io.BytesIO(payload))
        except (ImportError, AttributeError, TypeError) as error:
            raise ModelError(
                f"{name}: was saved by another version of this project ({error}); train it again"
            ) from None


def read_header(path: Path | str) -> dict[str, Any]:
    """The header of a bundle file, that is its `metadata` and the format version; nothing is unpickled.

    Raises:
        ModelError: the file is missing, no bundle, or of another format version.
    """
    try:
        with Path(path).open("rb") as file:
            return _header(file, str(path))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None


def _header(file: Any, name: str) -> dict[str, Any]:
    if file.read(len(FORMAT)) != FORMAT:
        raise ModelError(f"{name}: is no model bundle of this project; train one with 'python run.py --training'")
    try:
        header = dict(json.loads(file.readline(_LONGEST_HEADER)))
    except (ValueError, TypeError):
        raise ModelError(f"{name}: cut off or damaged in its header; copy or train it again") from None
    if (version := header.get("format_version")) != VERSION:
        raise ModelError(f"{name}: has bundle format {version}, this program reads {VERSION}; train the model again")
    return header


def _refuse_other_libraries(versions: dict[str, str], name: str) -> None:
    for library, version in versions.items():
        installed = sys.version.split()[0] if library == "python" else _installed(library)
        if installed.split(".")[0] != version.split(".")[0]:
            raise ModelError(
                f"{name}: was saved with {library} {version}, installed is {installed or 'none'}; "
                f"install {library} {version.split('.')[0]} or train the model again"
            )


def _installed(library: str) -> str:
    try:
        return str(importlib.import_module(library).__version__)
    except ImportError:
        return ""
