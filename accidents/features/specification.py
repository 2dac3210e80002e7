"""Feature classes, of which the catalogue has instances.

An instance is implementation (`kernels` computes it), documentation (`formula`) and level of information
(`availability`, the latest of its columns) of a feature.
"""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from accidents.columns import Availability
from accidents.features.array_columns import ARRAY_COLUMNS, Entity

_MAX_NAMED_CODES = 4  # in a formula


class FeatureKind(StrEnum):
    """Kind of the values of a feature; the codes of a category are unordered."""

    NUMBER = "number"
    COUNT = "count"
    FLAG = "flag"
    CATEGORY = "category"


class Aggregation(StrEnum):
    """How the rows of an accident are aggregated to one value."""

    COUNT = "count"
    ANY = "any"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"


@dataclass(frozen=True)
class Feature(ABC):
    """One column of the feature frame: `name` for programs, `description` for users."""

    name: str
    description: str

    @property
    @abstractmethod
    def kind(self) -> FeatureKind:
        """Kind of the values."""

    @property
    @abstractmethod
    def availability(self) -> Availability:
        """When the latest of its columns is available."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """Formula in words, from published and derived columns."""

    @property
    def categories(self) -> Mapping[int, str]:
        """Meanings of the codes of a category; empty for other kinds."""
        return {}

    @property
    def nullable(self) -> bool:
        """Whether a value may be missing (NaN)."""
        return True

    @property
    def level(self) -> str:
        """First level of information that has the feature."""
        return self.availability.label

    def describe(self, value: float) -> str:
        """The feature and its value in words, such as `light: daylight`."""
        if math.isnan(value):
            return f"{self.description}: not known"
        if self.kind is FeatureKind.CATEGORY:
            return f"{self.description}: {self.categories.get(int(value), f'{value:g}')}"
        if self.kind is FeatureKind.FLAG:
            return f"{self.description}: {'yes' if value else 'no'}"
        return f"{self.description}: {value:.4g}"


@dataclass(frozen=True)
class Aggregate(Feature):
    """Aggregate over the rows of an accident that meet all conditions; it does not depend on the order of the rows.

    Attributes:
        entity: the rows aggregated over: the accident itself, its vehicles or its people.
        aggregation: `COUNT` or `ANY` of the rows, or `MIN`, `MAX`, `MEAN` of `column` where it is not missing.
        column: the column aggregated; None for `COUNT` and `ANY`.
        order_by: restricts `MIN` and `MAX` to the rows with the least or greatest value of this column.
        where: conditions, allowed codes by column.
        default: the value without any row; None for NaN.
    """

    entity: Entity
    aggregation: Aggregation
    column: str | None = None
    order_by: str | None = None
    where: Mapping[str, frozenset[int]] = field(default_factory=dict)
    default: float | None = None

    def __post_init__(self) -> None:
        """Check the names of the columns, so that an error in the catalogue shows at import."""
        if unknown := {*self.columns} - ARRAY_COLUMNS[self.entity].keys():
            raise ValueError(f"feature {self.name}: no column {', '.join(sorted(unknown))} in {self.entity}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of conditions, value and order."""
        return tuple(name for name in (*self.where, self.column, self.order_by) if name is not None)

    @property
    def kind(self) -> FeatureKind:
        """A count, a flag, or the kind of `column`."""
        if self.aggregation is Aggregation.COUNT:
            return FeatureKind.COUNT
        if self.aggregation is Aggregation.ANY:
            return FeatureKind.FLAG
        return FeatureKind.CATEGORY if self.categories else FeatureKind.NUMBER

    @property
    def availability(self) -> Availability:
        """When the latest of its columns is available."""
        return max(
            (ARRAY_COLUMNS[self.entity][name].availability for name in self.columns), default=Availability.STRICT
        )

    @property
    def categories(self) -> Mapping[int, str]:
        """Meanings of the codes of `column`."""
        return {} if self.column is None else ARRAY_COLUMNS[self.entity][self.column].categories

    @property
    def nullable(self) -> bool:
        """Whether a value may be missing (NaN)."""
        return self.column is not None and self.default is None

    @property
    def formula(self) -> str:
        """Formula in words."""
        if self.entity is Entity.ACCIDENT and self.column is not None:
            return ARRAY_COLUMNS[self.entity][self.column].formula
        rows = "the accident" if self.entity is Entity.ACCIDENT else str(self.entity)
        if self.order_by is not None:
            rows += f" of {'least' if self.aggregation is Aggregation.MIN else 'greatest'} {self.order_by}"
        if self.where:
            rows += " where " + " and ".join(
                f"{name} in {_codes(codes, ARRAY_COLUMNS[self.entity][name].categories)}"
                for name, codes in self.where.items()
            )
        text = {Aggregation.COUNT: f"number of {rows}", Aggregation.ANY: f"1 if any of {rows}, else 0"}.get(
            self.aggregation
        )
        text = text or f"{self.aggregation} of {self.column} over {rows}"
        return text if self.default is None else f"{text}; {self.default:g} where none is recorded"


@dataclass(frozen=True)
class OrdinalAggregate(Aggregate):
    """An aggregate of ordinal codes, such as age bands; its values are numbers."""

    @property
    def categories(self) -> Mapping[int, str]:
        """Empty: a mean lies between codes."""
        return {}


def _codes(codes: Iterable[int], words: Mapping[int, str] | None = None) -> str:
    """Codes as a set in words, with meanings if there are at most `_MAX_NAMED_CODES`."""
    ordered = sorted(int(code) for code in codes)
    meanings = words if words and len(ordered) <= _MAX_NAMED_CODES else {}
    return "{" + ", ".join(f"{code} {meanings.get(code, '')}".rstrip() for code in ordered) + "}"


@dataclass(frozen=True)
class Lookup(Feature):
    """A value looked up by the code of another feature; NaN for codes that the table lacks."""

    of: Aggregate
    table: Mapping[int, float]
    groups: Mapping[int, str] = field(default_factory=dict)
    rule: str = ""

    @classmethod
    def grouped(cls, name: str, description: str, of: Aggregate, groups: Mapping[str, tuple[int, ...]]) -> "Lookup":
        """A category of groups of codes; its own codes are 0, 1, ... in the order of `groups`."""
        table = {code: float(group) for group, codes in enumerate(groups.values()) for code in codes}
        rule = ", ".join(f"{group} {_codes(codes)}" for group, codes in enumerate(groups.values()))
        return cls(name, description, of, table, dict(enumerate(groups)), f"{of.name} in groups: {rule}")

    @property
    def kind(self) -> FeatureKind:
        """A category with groups, a flag if all values are 0 or 1, else a number."""
        if self.groups:
            return FeatureKind.CATEGORY
        return FeatureKind.FLAG if {*self.table.values()} == {0.0, 1.0} else FeatureKind.NUMBER

    @property
    def availability(self) -> Availability:
        """When the feature looked up is available."""
        return self.of.availability

    @property
    def categories(self) -> Mapping[int, str]:
        """Names of the groups."""
        return self.groups

    @property
    def formula(self) -> str:
        """Formula in words."""
        return self.rule


@dataclass(frozen=True)
class Cross(Feature):
    """Cross of two categories: code of `first` times `size` plus code of `second`."""

    first: Feature
    second: Feature

    @property
    def size(self) -> int:
        """Greatest code of `second` plus one."""
        return max(self.second.categories) + 1

    kind = FeatureKind.CATEGORY

    @property
    def availability(self) -> Availability:
        """When both features are available."""
        return max(self.first.availability, self.second.availability)

    @cached_property
    def categories(self) -> Mapping[int, str]:
        """Meanings of both codes."""
        pairs = itertools.product(self.first.categories.items(), self.second.categories.items())
        return {a * self.size + b: f"{first} / {second}" for (a, first), (b, second) in pairs}

    @property
    def formula(self) -> str:
        """Formula in words."""
        return f"{self.first.name} x {self.size} + {self.second.name}"


@dataclass(frozen=True)
class Ratio(Feature):
    """One count divided by another; NaN if that is 0."""

    first: Aggregate
    second: Aggregate

    kind = FeatureKind.NUMBER

    @property
    def availability(self) -> Availability:
        """When both features are available."""
        return max(self.first.availability, self.second.availability)

    @property
    def formula(self) -> str:
        """Formula in words."""
        return f"{self.first.name} / {self.second.name}"


@dataclass(frozen=True)
class Known(Feature):
    """Share of the cells of some columns, over the rows of an accident, that are known; 1 without any row.

    A value that a file does not record counts as known: that it is not recorded is all that there is to know.
    """

    entity: Entity
    columns: tuple[str, ...]

    kind = FeatureKind.NUMBER
    nullable = False

    @property
    def availability(self) -> Availability:
        """When the latest of its columns is available."""
        return max(ARRAY_COLUMNS[self.entity][name].availability for name in self.columns)

    @property
    def formula(self) -> str:
        """Formula in words."""
        return f"share of the values of {', '.join(self.columns)} that are known, whether or not they are recorded"

    def describe(self, value: float) -> str:
        """The feature and its value in words."""
        return f"{self.description}, share that is known: {value:.0%}"
