"""The part of a model that says what an unknown fact might be, to rank the facts that are worth asking for.

`accidents.training.value_distributions` learns it, `accidents.knowledge.questions` ranks with it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from accidents.features.array_columns import COLUMN_POSITIONS, PUBLISHED_COLUMNS, Entity
from accidents.features.catalogue import CATALOGUE
from accidents.models.base import Matrix, Vector

if TYPE_CHECKING:
    from accidents.models._tree_ensemble import TreeEnsemble

MOST_VALUES = 6
"""Greatest number of values that stand for all of a field."""

MOST_WEIGHT = 4.0
"""Greatest weight of a field."""

_MOST_NODES, _MOST_FIELDS, _LARGEST = 255, 64, 2**15 - 1
_Share = Annotated[float, Field(ge=0, le=1)]
_Value = Annotated[int, Field(ge=0, le=_LARGEST)]
_Node = Annotated[int, Field(ge=-1, le=_MOST_NODES)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class ValueDistribution(BaseModel):
    """Distribution of the value of one field by what else is known, as a decision tree.

    Attributes:
        entity: whose field it is.
        name: of the field, one of `array_columns.PUBLISHED_COLUMNS`.
        gain: mean expected gain of asking for it, by which candidates are chosen.
        weight: Brier gain of an answer over the variance of the probability, measured on held-out accidents.
        values: those that stand for all; of `an_nais` ages in years.
        columns: names of matrix columns that the tree splits on, then of columns of the entity's array as `row.<name>`.
        feature: by node the position in `columns`, -1 at a leaf.
        threshold: by node; a row goes to `left` where its value is less.
        left: by node, the child.
        right: by node, the child for other values.
        default: by node, the child where the value is missing.
        shares: by node those of the `values`; what they lack to 1 is the share of accidents that do not record it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity: Entity
    name: str
    gain: Annotated[float, Field(ge=0, le=1)]
    weight: Annotated[float, Field(ge=0, le=MOST_WEIGHT)]
    values: Annotated[tuple[_Value, ...], Field(min_length=1, max_length=MOST_VALUES)]
    columns: Annotated[tuple[str, ...], Field(max_length=_MOST_NODES)]
    feature: Annotated[tuple[_Node, ...], Field(min_length=1, max_length=_MOST_NODES)]
    threshold: tuple[_Finite, ...]
    left: tuple[_Node, ...]
    right: tuple[_Node, ...]
    default: tuple[_Node, ...]
    shares: tuple[tuple[_Share, ...], ...]

    def model_post_init(self, _: object) -> None:
        """Refuse fields, columns and trees that there are not.

        Raises:
            ValueError: names the field.
        """
        shares = self._shares
        own = {f"row.{name}" for name in COLUMN_POSITIONS[self.entity]} | CATALOGUE.keys()
        if self.name not in PUBLISHED_COLUMNS[self.entity] or not own.issuperset(self.columns):
            raise ValueError(f"the distribution of {self.entity} {self.name} is of a field or column that is none")
        if shares.shape != (len(self.feature), len(self.values)) or np.any(shares.sum(axis=1) > 1 + 1e-3):
            raise ValueError(f"the shares of {self.entity} {self.name} are not those of its values")
        if max(self.feature) >= len(self.columns):
            raise ValueError(f"the distribution of {self.entity} {self.name} splits on a column that it does not name")
        self._tree  # noqa: B018 - checks the nodes

    @cached_property
    def _shares(self) -> Vector:
        return np.array(self.shares, dtype=np.float64, ndmin=2)

    @cached_property
    def _tree(self) -> "TreeEnsemble":
        """The tree, with the number of a leaf as its value."""
        from accidents.models._tree_ensemble import TreeEnsemble  # numba takes a second to import

        feature = np.array(self.feature, np.int32)
        threshold = np.array(self.threshold, np.float64)
        children = (np.array(nodes, np.int32) for nodes in (self.left, self.right, self.default))
        if len(threshold) == len(feature):
            threshold = np.where(feature < 0, np.arange(len(feature)), threshold)
        return TreeEnsemble(0.0, np.zeros(1, np.int32), feature, threshold, *children)

    def shares_of(self, X: Matrix) -> Vector:
        """Shares of the values, float64 (n, len(values)), for rows of `columns`, float32 (n, len(columns))."""
        return self._shares[self._tree.leaf_sums(X).astype(np.intp)]


@dataclass(frozen=True, eq=False)
class QuestionModel:
    """Distributions of all fields that can be asked for, and the mean gains of places.

    `place_gains` are by name of the field: `dep`, `com`, `coordinates`; empty without places.
    """

    distributions: tuple[ValueDistribution, ...]
    place_gains: Mapping[str, float]

    @cached_property
    def by_entity(self) -> Mapping[Entity, Sequence[ValueDistribution]]:
        """Distributions of the fields of each entity."""
        return {entity: [one for one in self.distributions if one.entity is entity] for entity in Entity}

    @lru_cache(maxsize=8)  # noqa: B019 - a few models are in use at a time
    def positions(self, columns: tuple[str, ...]) -> Mapping[tuple[Entity, str], npt.NDArray[np.intp]]:
        """Where the columns of each distribution stand in a row of the matrix followed by one of the entity's array.

        Args:
            columns: names of the columns of the matrix.

        Raises:
            ValueError: the matrix lacks a column.
        """
        matrix = {name: position for position, name in enumerate(columns)}
        result = {}
        for one in self.distributions:
            own = {f"row.{name}": len(columns) + position for name, position in COLUMN_POSITIONS[one.entity].items()}
            try:
                result[one.entity, one.name] = np.array([(matrix | own)[name] for name in one.columns], dtype=np.intp)
            except KeyError as error:
                raise ValueError(f"questions: the model has no column {error}") from None
        return result

    def to_bytes(self) -> bytes:
        """JSON, the content of a section of a model file."""
        fields = [one.model_dump(mode="json") for one in self.distributions]
        return json.dumps({"fields": fields, "places": dict(self.place_gains)}, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Restore it from `to_bytes`.

        Raises:
            ValueError: the content is none of a question model.
        """
        section = TypeAdapter(_Section).validate_json(content)
        if len({(one.entity, one.name) for one in section.fields}) < len(section.fields):
            raise ValueError("questions: two distributions of one field")
        return cls(section.fields, section.places)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fields: Annotated[tuple[ValueDistribution, ...], Field(max_length=_MOST_FIELDS)]
    places: Annotated[dict[Annotated[str, Field(pattern="^(dep|com|coordinates)$")], _Share], Field(max_length=3)]
