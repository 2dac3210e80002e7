"""What a feature is: the vocabulary in which the catalogue is written.

A row of the catalogue is at once the implementation of a feature (`kernels` runs it), its documentation (`formula`)
and the level of information at which it may be used (`availability`, the latest of the columns it is made of).
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

_FEW = 4


class FeatureKind(StrEnum):
    """Aggregation the values of a feature are to be read; the codes of a category are in no order."""

    NUMBER = "number"
    COUNT = "count"
    FLAG = "flag"
    CATEGORY = "category"


class Aggregation(StrEnum):
    """Aggregation the rows of an accident become one value."""

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
        """Aggregation the values are to be read."""

    @property
    @abstractmethod
    def availability(self) -> Availability:
        """When the latest of the columns used is known."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """Aggregation the value is made, in words, from published and derived columns."""

    @property
    def categories(self) -> Mapping[int, str]:
        """The codes of a category with their meanings; empty for other kinds."""
        return {}

    @property
    def nullable(self) -> bool:
        """Whether a value may be NaN, which means not recorded."""
        return True

    @property
    def level(self) -> str:
        """First level of information that has the feature."""
        return self.availability.label

    def describe(self, value: float) -> str:
        """The feature and its value in words, such as `light: daylight`."""
        if math.isnan(value):
            return f"{self.description}: not recorded"
        if self.kind is FeatureKind.CATEGORY:
            return f"{self.description}: {self.categories.get(int(value), f'{value:g}')}"
        if self.kind is FeatureKind.FLAG:
            return f"{self.description}: {'yes' if value else 'no'}"
        return f"{self.description}: {value:.4g}"


@dataclass(frozen=True)
class Aggregate(Feature):
    """One value from the rows of an accident in `over` that fulfil every condition of `where` (column: codes).

    `how` is `COUNT` or `ANY` of these rows, or `MIN`, `MAX`, `MEAN` of `value` over those where it is recorded. With
    `by`, `MIN` and `MAX` look at the rows of least or greatest `by` alone. None of these depends on the order of rows.
    Where no row is left the value is `default`, or NaN if there is none.
    """

    over: Entity
    how: Aggregation
    value: str | None = None
    by: str | None = None
    where: Mapping[str, frozenset[int]] = field(default_factory=dict)
    default: float | None = None

    def __post_init__(self) -> None:
        """Refuse a column that the table does not have, so that a slip in the catalogue shows at import."""
        if unknown := {*self.columns} - ARRAY_COLUMNS[self.over].keys():
            raise ValueError(f"feature {self.name}: no column {', '.join(sorted(unknown))} in {self.over}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns used."""
        return tuple(name for name in (*self.where, self.value, self.by) if name is not None)

    @property
    def kind(self) -> FeatureKind:
        """A count, a flag, or what the column `value` is."""
        if self.how is Aggregation.COUNT:
            return FeatureKind.COUNT
        if self.how is Aggregation.ANY:
            return FeatureKind.FLAG
        return FeatureKind.CATEGORY if self.categories else FeatureKind.NUMBER

    @property
    def availability(self) -> Availability:
        """When the latest of the columns used is known."""
        return max((ARRAY_COLUMNS[self.over][name].availability for name in self.columns), default=Availability.STRICT)

    @property
    def categories(self) -> Mapping[int, str]:
        """Meanings of the codes of `value`."""
        return {} if self.value is None else ARRAY_COLUMNS[self.over][self.value].categories

    @property
    def nullable(self) -> bool:
        """Whether a value may be NaN."""
        return self.value is not None and self.default is None

    @property
    def formula(self) -> str:
        """Aggregation the value is made."""
        if self.over is Entity.ACCIDENT and self.value is not None:
            return ARRAY_COLUMNS[self.over][self.value].formula
        rows = "the accident" if self.over is Entity.ACCIDENT else str(self.over)
        if self.by is not None:
            rows += f" of {'least' if self.how is Aggregation.MIN else 'greatest'} {self.by}"
        if self.where:
            rows += " where " + " and ".join(
                f"{name} in {_codes(codes, ARRAY_COLUMNS[self.over][name].categories)}"
                for name, codes in self.where.items()
            )
        text = {Aggregation.COUNT: f"number of {rows}", Aggregation.ANY: f"1 if any of {rows}, else 0"}.get(self.how)
        text = text or f"{self.how} of {self.value} over {rows}"
        return text if self.default is None else f"{text}; {self.default:g} where none is recorded"


@dataclass(frozen=True)
class OrdinalAggregate(Aggregate):
    """An aggregate of codes that stand in an order, such as age bands; their minimum, maximum or mean is a number."""

    @property
    def categories(self) -> Mapping[int, str]:
        """None: between codes there may be others."""
        return {}


def _codes(codes: Iterable[int], words: Mapping[int, str] | None = None) -> str:
    """Codes as a set, with their meanings where these are given and few."""
    ordered = sorted(int(code) for code in codes)
    meanings = words if words and len(ordered) <= _FEW else {}
    return "{" + ", ".join(f"{code} {meanings.get(code, '')}".rstrip() for code in ordered) + "}"


@dataclass(frozen=True)
class Lookup(Feature):
    """A value looked up by the code that another feature holds; NaN for codes without one."""

    of: Aggregate
    table: Mapping[int, float]
    groups: Mapping[int, str] = field(default_factory=dict)
    rule: str = ""

    @classmethod
    def grouped(cls, name: str, description: str, of: Aggregate, groups: Mapping[str, tuple[int, ...]]) -> "Lookup":
        """A category that puts codes together; its own codes count from 0 in the order of `groups`."""
        table = {code: float(group) for group, codes in enumerate(groups.values()) for code in codes}
        rule = ", ".join(f"{group} {_codes(codes)}" for group, codes in enumerate(groups.values()))
        return cls(name, description, of, table, dict(enumerate(groups)), f"{of.name} in groups: {rule}")

    @property
    def kind(self) -> FeatureKind:
        """A category if codes are put into groups, a flag if all values are 0 or 1, else a number."""
        if self.groups:
            return FeatureKind.CATEGORY
        return FeatureKind.FLAG if {*self.table.values()} == {0.0, 1.0} else FeatureKind.NUMBER

    @property
    def availability(self) -> Availability:
        """When the feature looked up is known."""
        return self.of.availability

    @property
    def categories(self) -> Mapping[int, str]:
        """Names of the groups."""
        return self.groups

    @property
    def formula(self) -> str:
        """Aggregation the value is made."""
        return self.rule


@dataclass(frozen=True)
class Cross(Feature):
    """The pair of two categories as one category: code of `first` times `size` plus code of `second`."""

    first: Feature
    second: Feature

    @property
    def size(self) -> int:
        """One more than the greatest code of `second`."""
        return max(self.second.categories) + 1

    @property
    def kind(self) -> FeatureKind:
        """A category."""
        return FeatureKind.CATEGORY

    @property
    def availability(self) -> Availability:
        """When both are known."""
        return max(self.first.availability, self.second.availability)

    @cached_property
    def categories(self) -> Mapping[int, str]:
        """Both meanings."""
        pairs = itertools.product(self.first.categories.items(), self.second.categories.items())
        return {a * self.size + b: f"{first} / {second}" for (a, first), (b, second) in pairs}

    @property
    def formula(self) -> str:
        """Aggregation the value is made."""
        return f"{self.first.name} x {self.size} + {self.second.name}"


@dataclass(frozen=True)
class Ratio(Feature):
    """One count divided by another; NaN where that is 0."""

    first: Aggregate
    second: Aggregate

    @property
    def kind(self) -> FeatureKind:
        """A number."""
        return FeatureKind.NUMBER

    @property
    def availability(self) -> Availability:
        """When both are known."""
        return max(self.first.availability, self.second.availability)

    @property
    def formula(self) -> str:
        """Aggregation the value is made."""
        return f"{self.first.name} / {self.second.name}"
