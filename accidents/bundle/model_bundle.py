"""A trained model with everything that it needs to predict: encoder, calibration, threshold, and facts for the record.

How the file looks on disk is in `archive`; here is what its manifest and sections mean.
"""

import hashlib
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from accidents.atomic_write import write_bytes
from accidents.bundle.archive import Section, existing_path, read_archive, write_archive
from accidents.bundle.calibration import Calibration
from accidents.bundle.manifest import ModelManifest, read_manifest_facts, refuse_other_columns, shortened
from accidents.bundle.partial_model import PartialModel, described_places, share_known_of_groups
from accidents.bundle.reference import Reference
from accidents.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    from accidents.bundle.question_model import QuestionModel
    from accidents.features.arrays import Arrays
    from accidents.features.place_encoder import PlaceEncoder
    from accidents.models.base import Matrix, Model, Vector

_MODEL, _ENCODER, _CALIBRATION, _PARTIAL = "model/", "encoder.npz", "calibration.json", "partial/"
_QUESTIONS, _REFERENCE = "questions.json", "reference/counts.npz"
_MANY_ROWS = 20  # more than boosters answer without their library


@dataclass(frozen=True, kw_only=True)
class Bundle(ModelManifest):
    """A model of whole accidents with encoder and calibration; what answers where not all is known, and what to ask."""

    encoder: "PlaceEncoder | None"
    model: "Model[Any]"
    calibration: Calibration
    partial: PartialModel | None = None
    questions: "QuestionModel | None" = None
    reference: Reference | None = None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic check that a value is a bundle, without looking inside."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @property
    def matrix_columns(self) -> tuple[str, ...]:
        """Names of the columns of `matrix`: `columns`, and those of knowledge."""
        from accidents.features.catalogue import with_knowledge

        return self.columns if self.partial is None else with_knowledge(self.columns, self.partial.columns)

    def matrix(self, source: "pd.DataFrame | Arrays") -> "Matrix":
        """The matrix of the model, float32 (n, len(matrix_columns)), from a feature frame or from arrays."""
        from accidents.features import feature_matrix

        return feature_matrix(source, self.matrix_columns, self.encoder)

    def predict_margin(self, X: "Matrix", threads: int = 1) -> "Vector":
        """Log-odds before calibration, float64 (n)."""
        return self._predict_by_rows(
            X,
            lambda whole: self.model.predict_margin(whole, threads),
            lambda partial, rows: partial.predict_margin(rows, self.matrix_columns, threads),
        )

    def predict_proba(self, X: "Matrix", threads: int = 1) -> "Vector":
        """Calibrated probability of priority for the rows of a matrix, float64 (n)."""
        return self._predict_by_rows(
            X,
            lambda whole: self.calibration(self.model.predict_margin(whole, threads)),
            lambda partial, rows: partial.predict_proba(rows, self.matrix_columns, threads),
        )

    def _predict_by_rows(
        self,
        X: "Matrix",
        of_whole: "Callable[[Matrix], Vector]",
        of_partial: "Callable[[PartialModel, Matrix], Vector]",
    ) -> "Vector":
        """One value a row, of rows of which everything is known by `of_whole`, of the others by `of_partial`."""
        if self.partial is None:
            return of_whole(X)
        rows = self.is_partial(X)
        if rows.all():
            return of_partial(self.partial, X)
        values = of_whole(self._of_whole(X))
        if rows.any():
            values[rows] = of_partial(self.partial, X[rows])
        return values

    def is_partial(self, X: "Matrix") -> npt.NDArray[np.bool_]:
        """Rows of which not everything is known, bool (n); without `partial` none."""
        if self.partial is None:
            return np.zeros(len(X), np.bool_)
        return np.asarray((~(self.partial.knowledge(X, self.matrix_columns) >= 1)).any(axis=1))

    def share_known(self, X: "Matrix", arrays: "Arrays") -> "Vector":
        """Share of what usually decides that is known, float64 (n), 0 to 1, of `arrays` whose matrix is `X`."""
        if self.partial is None:
            return share_known_of_groups(arrays, self.level, self.geography)
        return self.partial.share_known(self.partial.knowledge(X, self.matrix_columns))

    def described(self, X: "Matrix") -> "Matrix":
        """The matrix for explanations, without shares of the place around that stand in for those of a place."""
        return described_places(X, self.matrix_columns)

    def shap_values(self, X: "Matrix") -> "Vector":
        """SHAP values of the raw score, float64 (n, len(matrix_columns) + 1), in the unit of `shap_unit`."""
        values = np.zeros((len(X), len(self.matrix_columns) + 1))
        partial = self.is_partial(X)
        if self.partial is not None and partial.any():
            values[partial] = self.partial.shap_values(X[partial], self.matrix_columns)
        if not partial.all():
            positions = [*_positions(self.columns, self.matrix_columns), len(self.matrix_columns)]
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

    def _of_whole(self, X: "Matrix") -> "Matrix":
        """The columns of the model of whole accidents."""
        return X if self.partial is None else np.ascontiguousarray(X[:, _positions(self.columns, self.matrix_columns)])

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

        digests = digests or column_digests()
        columns = [{"name": name, "digest": digests[name]} for name in self.columns]
        sections = {
            name: Section(content, optional=name.startswith(_PARTIAL))
            for name, content in self._section_contents().items()
        }
        for name, part in ((_QUESTIONS, self.questions), (_REFERENCE, self.reference)):
            if part is not None:
                sections[name] = Section(part.to_bytes(), optional=True)
        return write_archive(self.metadata() | {"columns": columns}, sections)

    def prediction_digest(self) -> str:
        """SHA-256 of all that a prediction depends on: columns, threshold, and the sections that answer."""
        digest = hashlib.sha256(json.dumps([self.columns, self.threshold]).encode())
        for name, content in self._section_contents().items():
            digest.update(f"{name} {hashlib.sha256(content).hexdigest()}".encode())
        return digest.hexdigest()

    def _section_contents(self) -> dict[str, bytes]:
        from accidents.models._npz import pack_arrays

        contents = {f"{_MODEL}{name}": content for name, content in self.model.to_sections().items()}
        contents[_CALIBRATION] = json.dumps(asdict(self.calibration)).encode()
        if self.encoder is not None:
            contents[_ENCODER] = pack_arrays(**self.encoder.to_arrays())
        if self.partial is not None:
            from accidents.features.digests import column_digests

            own = self.partial.to_sections(column_digests())
            contents |= {f"{_PARTIAL}{name}": content for name, content in own.items()}
        return dict(sorted(contents.items()))

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
        record = read_manifest_facts(manifest, name)
        refuse_other_columns(manifest["columns"], name)
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
            bundle = cls(**vars(record), encoder=encoder, model=model, calibration=calibration, partial=partial)
            if _QUESTIONS in sections:
                from accidents.bundle.question_model import QuestionModel

                questions = QuestionModel.from_bytes(sections[_QUESTIONS].content)
                questions.positions(bundle.matrix_columns)
                bundle = replace(bundle, questions=questions)
            if _REFERENCE in sections:
                bundle = replace(bundle, reference=Reference.from_bytes(sections[_REFERENCE].content))
            bundle._probe()
            return bundle
        except Exception as error:  # foreign data break whatever reads them in any way
            raise ModelError(
                f"{name}: its sections cannot be used ({type(error).__name__}: {shortened(error)}); it was saved with "
                f"{shortened(manifest.get('versions'))}: install these, or train the model again"
            ) from None

    def _probe(self) -> None:
        """Predict rows without any value, few and many, and see whether places are there where they are needed.

        Raises:
            ValueError: a probability is none, or the encoder does not go with the columns.
        """
        from accidents.features.catalogue import PLACE_COLUMN_NAMES

        if not self.geography == (self.encoder is not None) == bool({*self.columns} & {*PLACE_COLUMN_NAMES}):
            raise ValueError("columns of places and the place encoder do not go together")
        for rows in (1, _MANY_ROWS):
            probability = self.predict_proba(np.full((rows, len(self.matrix_columns)), np.nan, np.float32))
            if probability.shape != (rows,) or not np.all((probability >= 0) & (probability <= 1)):
                raise ValueError("the model does not give a probability")


@cache
def _positions(columns: tuple[str, ...], matrix_columns: tuple[str, ...]) -> npt.NDArray[np.intp]:
    return np.array([matrix_columns.index(name) for name in columns], dtype=np.intp)


def _partial(sections: Mapping[str, Section], model_type: str) -> PartialModel | None:
    own = {path.removeprefix(_PARTIAL): one.content for path, one in sections.items() if path.startswith(_PARTIAL)}
    if not own:
        return None
    from accidents.features.digests import column_digests

    return PartialModel.from_sections(own, model_type, column_digests())


def _is_known(section: str) -> bool:
    return section in (_ENCODER, _CALIBRATION, _QUESTIONS, _REFERENCE) or section.startswith((_MODEL, _PARTIAL))


def _installed(library: str) -> str:
    try:
        return str(importlib.import_module(library).__version__)
    except ImportError:
        return ""
