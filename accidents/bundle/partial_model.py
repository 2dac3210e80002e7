"""The part of a model that answers where a caller does not know everything.

The model itself is fitted on whole accidents and answers where everything is known. Where fields are unknown, LightGBM
answers whatever the type of the model is: a correction learned on accidents with fields left out is added to the
log-odds of a booster of whole accidents, and a calibration of its own follows. `accidents.training.partial_fit` fits
them.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from accidents.bundle.calibration import Calibration, Vector

if TYPE_CHECKING:
    from accidents.features.arrays import Arrays
    from accidents.models.base import Matrix, Model

_BASE, _CORRECTION, _FACTS = "base/", "correction/", "knowledge.json"
PARTIAL_TYPE = "lightgbm"
"""Model type of base and correction, whatever that of the model is."""

_DENSITIES: Mapping[str, tuple[str, ...]] = {
    "known_department": ("density_department",),
    "known_commune": ("density_commune",),
    "known_position": ("density_area", "density_spot"),
}
"""Columns without a meaning where the place is unknown: the emptiest country has density 0, too."""
_ROAD_DENSITY = "density_road"
"""0 where the road is unknown; a column of knowledge covers it together with other fields."""
_OF_ROAD = {"known_department", "known_road"}
"""A road is one of a department: where either is not known, the road is not."""
_POSITION = ("latitude", "longitude")


@dataclass(frozen=True)
class KnowledgeCalibration:
    """Beta calibration that moves with what is not known.

    What the columns of knowledge lack to 1, times `offsets`, is added to the intercept of `curve`, and times `slopes`
    to both of its slopes, which stay at least 0: the ranking of equally well known accidents stays.
    """

    curve: Calibration
    offsets: tuple[float, ...]
    slopes: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse numbers that are not finite.

        Raises:
            ValueError: names the numbers.
        """
        numbers = (*self.offsets, *self.slopes)
        if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
            raise ValueError(f"calibration with {numbers}")

    def __call__(self, margin: Vector, known: npt.NDArray[np.floating]) -> Vector:
        """Probabilities of log-odds, float64 (n); `known` is (n, number of columns), 0 to 1."""
        unknown = unknown_share(known)
        offset, slope = _weighted_sums(unknown, self.offsets), _weighted_sums(unknown, self.slopes)
        low, high = self.curve.terms(margin)
        odds = np.maximum(self.curve.low + slope, 0) * low + np.maximum(self.curve.high + slope, 0) * high
        return 1 / (1 + np.exp(-(odds + self.curve.intercept + offset)))


@dataclass(frozen=True)
class PartialModel:
    """A correction and its calibration.

    Attributes:
        columns: names of the columns of knowledge (`accidents.features.knowledge_columns`).
        weights: by column, how much it usually decides; they add up to 1.
        base: the first trees of a booster of whole accidents, to whose log-odds the correction is added; None in
            older files, if the correction stands alone.
        correction: log-odds from the matrix of the bundle, columns of knowledge included.
        calibration: from these log-odds to probabilities.
    """

    columns: tuple[str, ...]
    weights: tuple[float, ...]
    base: "Model[Any] | None"
    correction: "Model[Any]"
    calibration: KnowledgeCalibration

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together.

        Raises:
            ValueError: says what is wrong.
        """
        lengths = {len(self.weights), len(self.calibration.offsets), len(self.calibration.slopes)}
        if not self.columns or lengths != {len(self.columns)}:
            raise ValueError(f"{len(self.columns)} columns of knowledge, and numbers for {sorted(lengths)}")
        if not all(weight >= 0 for weight in self.weights) or not math.isclose(sum(self.weights), 1, abs_tol=1e-6):
            raise ValueError("the weights of the columns of knowledge do not add up to 1")

    def predict_margin(self, X: "Matrix", names: Sequence[str], threads: int = 1) -> Vector:
        """Log-odds before calibration, float64 (n), for float32 (n, len(names)); `names` are those of the columns."""
        margin = self.correction.predict_margin(without_unknown_places(X, names), threads)
        return margin if self.base is None else margin + self.base.predict_margin(self._of_base(X, names), threads)

    def predict_proba(self, X: "Matrix", names: Sequence[str], threads: int = 1) -> Vector:
        """Calibrated probabilities, float64 (n); arguments are those of `predict_margin`."""
        return self.calibration(self.predict_margin(X, names, threads), self.knowledge(X, names))

    def shap_values(self, X: "Matrix", names: Sequence[str]) -> Vector:
        """SHAP values of the log-odds, float64 (n, len(names) + 1); arguments are those of `predict_margin`."""
        values = self.correction.shap_values(without_unknown_places(X, names))
        if self.base is not None:
            columns = [number for number, name in enumerate(names) if name not in self.columns]
            values[:, [*columns, -1]] += self.base.shap_values(self._of_base(X, names))
        return values

    def knowledge(self, X: "Matrix", names: Sequence[str]) -> "Matrix":
        """The columns of knowledge of a matrix, which stand together."""
        first = names.index(self.columns[0])
        return X[:, first : first + len(self.columns)]

    def _of_base(self, X: "Matrix", names: Sequence[str]) -> "Matrix":
        first = names.index(self.columns[0])
        return np.concatenate([X[:, :first], X[:, first + len(self.columns) :]], axis=1)

    def share_known(self, known: npt.NDArray[np.floating]) -> Vector:
        """Share of what usually decides that is known, float64 (n), 0 to 1; `known` is (n, len(columns))."""
        return _share_known(known, self.weights)

    def to_sections(self, digests: Mapping[str, str]) -> dict[str, bytes]:
        """Content of the sections of a model file by name; `digests` are those of the columns."""
        facts: dict[str, Any] = {
            "columns": [{"name": name, "digest": digests[name]} for name in self.columns],
            "weights": self.weights,
            "calibration": asdict(self.calibration),
        }
        if self.base is not None:
            facts["base_type"] = type(self.base).__module__.rpartition(".")[2]
        sections = {_FACTS: json.dumps(facts).encode()}
        for folder, model in ((_BASE, self.base), (_CORRECTION, self.correction)):
            if model is not None:
                sections |= {f"{folder}{name}": content for name, content in model.to_sections().items()}
        return sections

    @classmethod
    def from_sections(cls, sections: Mapping[str, bytes], model_type: str, digests: Mapping[str, str]) -> Self:
        """Restore from `to_sections`; `model_type` is that of the whole model, in older files also of the base.

        Raises:
            Exception: of any kind; the sections do not fit, or a column of knowledge is defined in another way now.
        """
        from accidents.models import model_class

        facts = json.loads(sections[_FACTS])
        for column in facts["columns"]:
            if digests.get(column["name"]) != column["digest"]:
                raise ValueError(f"the column {column['name']} is defined in another way")
        terms = facts["calibration"]

        def model(folder: str, name: str) -> "Model[Any] | None":
            own = {path.removeprefix(folder): one for path, one in sections.items() if path.startswith(folder)}
            return model_class(name).from_sections(own) if own else None

        correction = model(_CORRECTION, PARTIAL_TYPE)
        if correction is None:
            raise ValueError("no correction")
        return cls(
            columns=tuple(column["name"] for column in facts["columns"]),
            weights=tuple(facts["weights"]),
            base=model(_BASE, facts.get("base_type", model_type)),
            correction=correction,
            calibration=KnowledgeCalibration(
                Calibration(**terms["curve"]), tuple(terms["offsets"]), tuple(terms["slopes"])
            ),
        )


def share_known_of_groups(arrays: "Arrays", level: str, geography: bool) -> Vector:
    """Share that is known of n accidents, float64 (n), 0 to 1, where every column of knowledge counts alike."""
    from accidents.features import feature_matrix
    from accidents.features.knowledge_columns import knowledge_names

    names = knowledge_names(level, geography)
    return _share_known(feature_matrix(arrays, names), (1 / len(names),) * len(names))


def _share_known(known: npt.NDArray[np.floating], weights: Sequence[float]) -> Vector:
    """Weighted share that is known, float64 (n), 0 to 1; columns of knowledge are (n, k), the k weights add up to 1."""
    return np.clip(1 - _weighted_sums(unknown_share(known), weights), 0, 1)


def _weighted_sums(values: Vector, weights: Sequence[float]) -> Vector:
    """Of each row of (n, k), in the order of the columns: `@` rounds a row by its neighbours."""
    if values.shape[1] != len(weights):
        raise ValueError(f"{values.shape[1]} columns, {len(weights)} weights")
    terms = values * np.asarray(weights)
    return np.asarray(np.add.accumulate(terms, axis=1, out=terms)[:, -1])


def unknown_share(known: npt.NDArray[np.floating]) -> Vector:
    """What columns of knowledge lack to 1, float64 of the same shape; a missing value knows nothing."""
    unknown = 1 - known.astype(np.float64)
    unknown[np.isnan(unknown)] = 1
    return unknown


def without_unknown_places(X: "Matrix", names: Sequence[str], *, overwrite: bool = False) -> "Matrix":
    """A matrix in which density and position of an unknown place are missing; `X` itself with `overwrite`.

    Args:
        X: float32 (n, k).
        names: its columns.
        overwrite: whether `X` may be changed.
    """
    X = X if overwrite else X.copy()
    if "known_position" not in names:
        return X
    unknown = {name: X[:, names.index(name)] < 1 for name in _DENSITIES}
    for name, rows in unknown.items():
        for column in _DENSITIES[name]:
            X[rows, names.index(column)] = np.nan
    for column in _POSITION:
        X[unknown["known_commune"] & unknown["known_position"], names.index(column)] = np.nan
    return X


def described_places(X: "Matrix", names: Sequence[str]) -> "Matrix":
    """`without_unknown_places`, without shares of priority that cells without accidents have from those around.

    Nor is the density of a road there that may be unknown.
    """
    X, positions = without_unknown_places(X, names), {name: position for position, name in enumerate(names)}
    for name, position in positions.items():
        density = positions.get(name.replace("te_", "density_", 1)) if name.startswith("te_") else None
        if density is not None:
            X[~(X[:, density] > 0), position] = np.nan
    if (road := positions.get(_ROAD_DENSITY)) is not None:
        no_accidents = X[:, road] == 0
        for name in _OF_ROAD & positions.keys():
            X[no_accidents & (X[:, positions[name]] < 1), road] = np.nan
    return X
