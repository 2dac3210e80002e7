"""A trained model with everything that it needs to predict: encoder, calibration, threshold, and facts for the record.

How the file looks on disk is in `archive`; here is what its manifest and sections mean.
"""

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from accidents.atomic_write import write_bytes
from accidents.bundle.archive import Section, existing_path, read_archive, write_archive
from accidents.bundle.calibration import Calibration
from accidents.bundle.partial_model import PartialModel
from accidents.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    from accidents.bundle.question_model import QuestionModel
    from accidents.features.array_columns import Entity
    from accidents.features.arrays import Arrays
    from accidents.features.place_encoder import PlaceEncoder
    from accidents.models.base import Matrix, Model, Vector

_MODEL, _ENCODER, _CALIBRATION, _PARTIAL = "model/", "encoder.npz", "calibration.json", "partial/"
_QUESTIONS = "questions.json"
_SHOWN = 8
_LONGEST_MESSAGE = 300
_MANY_ROWS = 20  # more than boosters answer without their library


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """Facts about a model that stand in the manifest.

    `columns` are the names of the matrix columns in order; `threshold` is on the calibrated probability;
    `fingerprint` is that of the training data, `months` are those that they hold, such as `2024-01`; `metrics` are by
    subset (`validation`, `test`), `by_knowledge` are those of the test set by what is known of it; `rows` counts
    accidents by subset; `trials` are those of the search named by `tuning`. Fields after `threshold` change no
    prediction.
    """

    model_type: str
    level: str
    geography: bool
    columns: tuple[str, ...]
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
    by_knowledge: dict[str, dict[str, float]] = field(default_factory=dict)
    best_cv_score: float | None = None
    fit_seconds: float = 0.0
    trained_at: str = ""


@dataclass(frozen=True, kw_only=True)
class Bundle(ModelManifest):
    """A model of whole accidents with encoder and calibration; what answers where not all is known, and what to ask."""

    encoder: "PlaceEncoder | None"
    model: "Model[Any]"
    calibration: Calibration
    partial: PartialModel | None = None
    questions: "QuestionModel | None" = None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic check that a value is a bundle, without looking inside."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @cached_property
    def matrix_columns(self) -> tuple[str, ...]:
        """Names of the columns of `matrix`: `columns`, and those of knowledge."""
        from accidents.features.catalogue import with_knowledge

        return self.columns if self.partial is None else with_knowledge(self.columns, self.partial.columns)

    @cached_property
    def question_positions(self) -> "Mapping[tuple[Entity, str], npt.NDArray[np.intp]]":
        """`QuestionModel.positions` of `matrix_columns`; empty without `questions`."""
        return {} if self.questions is None else self.questions.positions(self.matrix_columns)

    def matrix(self, source: "pd.DataFrame | Arrays") -> "Matrix":
        """The matrix of the model, float32 (n, len(matrix_columns)), from a feature frame or from arrays."""
        from accidents.features import feature_matrix

        return feature_matrix(source, self.matrix_columns, self.encoder)

    def predict_margin(self, X: "Matrix", threads: int = 1) -> "Vector":
        """Log-odds before calibration, float64 (n)."""
        margin = self.model.predict_margin(self._of_whole(X), threads)
        if self.partial is not None and (rows := self.is_partial(X)).any():
            margin[rows] = self.partial.predict_margin(X[rows], self.matrix_columns, threads)
        return margin

    def predict_proba(self, X: "Matrix", threads: int = 1) -> "Vector":
        """Calibrated probability of priority for the rows of a matrix, float64 (n)."""
        probability = self.calibration(self.model.predict_margin(self._of_whole(X), threads))
        if self.partial is not None and (rows := self.is_partial(X)).any():
            probability[rows] = self.partial.predict_proba(X[rows], self.matrix_columns, threads)
        return probability

    def is_partial(self, X: "Matrix") -> npt.NDArray[np.bool_]:
        """Rows of which not everything is known, bool (n); without `partial` none."""
        if self.partial is None:
            return np.zeros(len(X), np.bool_)
        return ~(self.partial.knowledge(X, self.matrix_columns) >= 1).all(axis=1)

    def share_known(self, X: "Matrix") -> "Vector | None":
        """Share of what usually decides that is known, float64 (n), 0 to 1; None without `partial`."""
        if self.partial is None:
            return None
        return self.partial.share_known(self.partial.knowledge(X, self.matrix_columns))

    def shap_values(self, X: "Matrix") -> "Vector":
        """SHAP values of the raw score, float64 (n, len(matrix_columns) + 1), in the unit of `shap_unit`."""
        values = np.zeros((len(X), len(self.matrix_columns) + 1))
        partial = self.is_partial(X)
        if self.partial is not None and partial.any():
            values[partial] = self.partial.shap_values(X[partial], self.matrix_columns)
        if not partial.all():
            positions = [*self._positions, len(self.matrix_columns)]
            values[np.ix_(~partial, positions)] = self.model.shap_values(self._of_whole(X[~partial]))
        return values

    def shap_unit(self, row: "Matrix") -> str:
        """Unit of the SHAP values of one row, float32 (1, k): `log-odds` or `probability`."""
        return "log-odds" if self.is_partial(row)[0] else self.model.SHAP_UNIT

    @property
    def libraries(self) -> tuple[str, ...]:
        """Modules needed to load the model, besides NumPy."""
        own = () if self.partial is None else self.partial.correction.LIBRARIES  # the base is of the model's type
        return tuple(dict.fromkeys((*self.model.LIBRARIES, *own)))

    @cached_property
    def _positions(self) -> npt.NDArray[np.intp]:
        return np.array([self.matrix_columns.index(name) for name in self.columns], dtype=np.intp)

    def _of_whole(self, X: "Matrix") -> "Matrix":
        """The columns of the model of whole accidents."""
        return X if self.partial is None else np.ascontiguousarray(X[:, self._positions])

    def predict(self, source: "pd.DataFrame | Arrays", threads: int = 1) -> npt.NDArray[np.float64]:
        """Calibrated probability of priority for a feature frame or arrays, float64 (n)."""
        return self.predict_proba(self.matrix(source), threads)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Python and of the libraries of the model, as installed now."""
        libraries = ("numpy", *self.libraries)
        return {"python": sys.version.split()[0]} | {name: _installed(name) for name in libraries}

    def metadata(self) -> dict[str, Any]:
        """Everything about the bundle but its sections, ready for JSON."""
        values = {one.name: getattr(self, one.name) for one in fields(ModelManifest)}
        record = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return record | {"calibration": asdict(self.calibration), "versions": self.versions}

    def to_bytes(self, digests: Mapping[str, str] | None = None) -> bytes:
        """The content of a model file; `digests` are those of the columns, by default as they are defined now."""
        from accidents.features.digests import column_digests
        from accidents.models._npz import pack_arrays

        digests = digests or column_digests()
        columns = [{"name": name, "digest": digests[name]} for name in self.columns]
        contents = {f"{_MODEL}{name}": content for name, content in self.model.to_sections().items()}
        contents[_CALIBRATION] = json.dumps(asdict(self.calibration)).encode()
        if self.encoder is not None:
            contents[_ENCODER] = pack_arrays(**self.encoder.to_arrays())
        sections = {name: Section(content) for name, content in contents.items()}
        if self.partial is not None:
            own = self.partial.to_sections(digests)
            sections |= {f"{_PARTIAL}{name}": Section(content, optional=True) for name, content in own.items()}
        if self.questions is not None:
            sections[_QUESTIONS] = Section(self.questions.to_bytes(), optional=True)
        return write_archive(self.metadata() | {"columns": columns}, dict(sorted(sections.items())))

    def save(self, path: Path | str) -> None:
        """Write the bundle to a file, whole or not at all."""
        write_bytes(Path(path), self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a bundle from a file; no code from it is run.

        Raises:
            ModelError: the file is missing, cut off, damaged, of an older format, or its model uses a column that no
                longer exists or is defined in another way.
        """
        path = existing_path(path)
        if path.exists() and not path.is_file():
            raise ModelError(f"{path}: is no file")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}") from None
        return cls.from_bytes(content, str(path))

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "model file") -> Self:
        """Read a bundle from the content of a file; `name` is for messages, errors are those of `load`."""
        from accidents.models import model_class
        from accidents.models._npz import unpack_arrays

        manifest, sections = read_archive(content, name, _is_known)
        if unknown := [path for path in sections if not _is_known(path)]:
            raise ModelError(f"{name}: needs a newer version of this program, which reads its {', '.join(unknown)}")
        record = _manifest_of(manifest, name)
        _refuse_other_columns(manifest["columns"], name)
        try:
            encoder = None
            if _ENCODER in sections:
                from accidents.features.place_encoder import PlaceEncoder

                encoder = PlaceEncoder.from_arrays(unpack_arrays(sections[_ENCODER].content, finite=False))
            own = {path.removeprefix(_MODEL): one.content for path, one in sections.items() if path.startswith(_MODEL)}
            model = model_class(record.model_type).from_sections(own)
            if model.n_features_in_ != len(record.columns):
                raise ValueError(f"a model of {model.n_features_in_} columns, {len(record.columns)} are named")
            needed = {path for path in own if not sections[f"{_MODEL}{path}"].optional}
            if unread := needed - model.to_sections().keys():
                raise ValueError(f"a {record.model_type} model has no section {', '.join(sorted(unread))}")
            slopes = json.loads(sections[_CALIBRATION].content)
            calibration = Calibration(slopes["low"], slopes["high"], slopes["intercept"])
            partial = _partial(sections, record.model_type)
            parts = cls(**vars(record), encoder=encoder, model=model, calibration=calibration, partial=partial)
            bundle = replace(parts, questions=_questions(sections))
            bundle._probe()
            return bundle
        except Exception as error:  # foreign data break whatever reads them in any way
            raise ModelError(
                f"{name}: its sections cannot be used ({type(error).__name__}: {_shortened(error)}); it was saved with "
                f"{_shortened(manifest.get('versions'))}: install these, or train the model again"
            ) from None

    def _probe(self) -> None:
        """Predict rows without any value, few and many, and see whether places are there where they are needed.

        Raises:
            ValueError: a probability is none, or the encoder does not go with the columns.
        """
        from accidents.features.catalogue import PLACE_COLUMN_NAMES

        if not self.geography == (self.encoder is not None) == bool({*self.columns} & {*PLACE_COLUMN_NAMES}):
            raise ValueError("columns of places and the place encoder do not go together")
        self.question_positions  # noqa: B018 - refuses columns that the model lacks
        for rows in (1, _MANY_ROWS):
            probability = self.predict_proba(np.full((rows, len(self.matrix_columns)), np.nan, np.float32))
            if probability.shape != (rows,) or not np.all((probability >= 0) & (probability <= 1)):
                raise ValueError("the model does not give a probability")


def _partial(sections: Mapping[str, Section], model_type: str) -> PartialModel | None:
    own = {path.removeprefix(_PARTIAL): one.content for path, one in sections.items() if path.startswith(_PARTIAL)}
    if not own:
        return None
    from accidents.features.digests import column_digests

    return PartialModel.from_sections(own, model_type, column_digests())


def _questions(sections: Mapping[str, Section]) -> "QuestionModel | None":
    if _QUESTIONS not in sections:
        return None
    from accidents.bundle.question_model import QuestionModel

    return QuestionModel.from_bytes(sections[_QUESTIONS].content)


def _manifest_of(manifest: dict[str, Any], name: str) -> ModelManifest:
    from pydantic import TypeAdapter, ValidationError

    from accidents.columns import LEVELS
    from accidents.models import model_types

    try:
        columns = [str(column["digest"]) and column["name"] for column in manifest["columns"]]
        known = {one.name: manifest[one.name] for one in fields(ModelManifest) if one.name in manifest}
        record = TypeAdapter(ModelManifest).validate_python(known | {"columns": columns})
        if record.model_type not in model_types():
            raise ValueError(f"model type {record.model_type!r}; there are {', '.join(model_types())}")
        if record.level not in LEVELS or not 0 <= record.threshold <= 1 or len({*columns}) < len(columns):
            raise ValueError("its level, its threshold or its columns are none")
        if not all(value.isprintable() for value in vars(record).values() if isinstance(value, str)):
            raise ValueError("a text with control characters")
        return record
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise ModelError(f"{name}: its manifest cannot be used ({_shortened(error)}); copy or train it again") from None


def _shortened(value: object) -> str:
    """A value on one line of printable characters, for a message."""
    text = "".join(character if character.isprintable() else " " for character in str(value))
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"


def _is_known(section: str) -> bool:
    return section in (_ENCODER, _CALIBRATION, _QUESTIONS) or section.startswith((_MODEL, _PARTIAL))


def _refuse_other_columns(columns: Sequence[Mapping[str, str]], name: str) -> None:
    from accidents.features.digests import column_digests

    digests = column_digests()
    gone = [column["name"] for column in columns if column["name"] not in digests]
    kept = [column for column in columns if column["name"] in digests]
    redefined = [column["name"] for column in kept if digests[column["name"]] != column["digest"]]
    faults = [
        f"{', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''} {fault}"
        for names, fault in ((gone, "no longer exist"), (redefined, "changed"))
        if names
    ]
    if faults:
        raise ModelError(
            f"{name}: columns that the model was trained on are not those of this program: {'; '.join(faults)}. "
            "Train the model again, or keep the old definition and give the new one another name"
        )


def _installed(library: str) -> str:
    try:
        return str(importlib.import_module(library).__version__)
    except ImportError:
        return ""
