"""Reads the rows of a request, and keeps account of what is wrong, doubtful or missing in them."""

from collections.abc import Mapping
from typing import Any

from accidents.columns import MISSING, Availability, Column
from accidents.features.array_columns import PUBLISHED, Over
from accidents.requests.errors import FieldProblem, InvalidRequestError, format_value, truncate
from accidents.requests.rows import COLUMNS, OVER, POSITIONS, UNUSED, RequestPart, Row
from accidents.requests.values import fast_parser, missing_value, parse_value

_MOST_PROBLEMS = 1000
_PLACES = ("dep", "com", "lat", "long")
FEATURE_COLUMNS = {
    RequestPart.ACCIDENT: tuple(
        name for name in (*PUBLISHED[Over.ACCIDENT], *_PLACES) if name in COLUMNS[RequestPart.ACCIDENT]
    ),
    RequestPart.ROAD: tuple(name for name in (*PUBLISHED[Over.ACCIDENT], "voie") if name in COLUMNS[RequestPart.ROAD]),
    RequestPart.VEHICLES: PUBLISHED[Over.VEHICLES],
    RequestPart.PEOPLE: tuple(name for name in PUBLISHED[Over.PEOPLE] if name != "secu2"),
}
"""Columns that features use; a second equipment is seldom there to be recorded."""
_OF_PEDESTRIANS = frozenset({"locp", "actp", "etatp"})
_CATU = POSITIONS[Over.PEOPLE]["catu"]
_PEDESTRIAN = 3


def _slots(part: RequestPart, *, on_foot: bool) -> tuple[tuple[int, str], ...]:
    names = (name for name in FEATURE_COLUMNS[part] if on_foot or name not in _OF_PEDESTRIANS)
    return tuple((POSITIONS[OVER[part]][name], f"{part}.{name}") for name in names)


_SLOTS = {part: _slots(part, on_foot=False) for part in RequestPart}
_SLOTS_ON_FOOT = _slots(RequestPart.PEOPLE, on_foot=True)


def _never(raw: Any) -> None:
    """Take a closer look at every value."""


_FIELDS = {
    part: {
        name: (
            POSITIONS[OVER[part]].get(column.name, UNUSED),
            _never if column.availability is Availability.AFTER else fast_parser(column),
        )
        for name, column in columns.items()
    }
    for part, columns in COLUMNS.items()
}
"""Slot of each field, and how its usual values are typed."""
_UNKNOWN = (UNUSED, _never)
_PLAIN = frozenset({int, float, str, type(None)})
_OBJECT = (dict, Mapping)  # a dict is a mapping, too, and told at once


class RequestReader:
    """Account of one request; in the flat form the names of fields stand for themselves, without their part."""

    def __init__(self, *, flat: bool = False) -> None:
        self.flat = flat
        self.problems: list[FieldProblem] = []
        self.warnings: list[str] = []
        self._missing: dict[str, None] = {}

    @property
    def missing(self) -> tuple[str, ...]:
        """Relevant columns that at least one row does not give, in the order of reading."""
        return tuple(self._missing)

    def refuse(self, field: str, value: Any, reason: str) -> None:
        """Note a fault.

        Raises:
            RefusedError: there are so many that no more of them is looked for.
        """
        self.problems.append(FieldProblem(truncate(field) or "''", format_value(value), reason))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise InvalidRequestError(self.problems)

    def warn(self, text: str) -> None:
        """Note something that is doubtful, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def field(self, name: str, part: RequestPart | None, number: int | None) -> str:
        """The name of a field in messages; `number` is that of the vehicle or person."""
        return name if part is None or self.flat else f"{_where(part, number)}.{name}"

    def value(
        self, column: Column, raw: Any, name: str, part: RequestPart | None = None, number: int | None = None
    ) -> Any:
        """The typed value; a fault is noted, and the value counts as not recorded."""
        try:
            return parse_value(column, raw)
        except ValueError as error:
            self.refuse(self.field(name, part, number), raw, str(error))
            return missing_value(column)

    def read(self, part: RequestPart, values: Any, row: Row, number: int | None = None) -> Row:
        """Fill `row` with what the object `values` says, and give it back."""
        if not isinstance(values, _OBJECT):
            self.refuse(_where(part, number), values, "must be an object of fields and values")
            return row
        fields = _FIELDS[part]
        for name, raw in values.items():
            slot, typed_as_usual = fields.get(name, _UNKNOWN)
            value = typed_as_usual(raw) if type(raw) in _PLAIN else None
            row[slot] = self._closely(name, raw, part, number) if value is None else value
        missing = self._missing
        for slot, label in _SLOTS_ON_FOOT if part is RequestPart.PEOPLE and row[_CATU] == _PEDESTRIAN else _SLOTS[part]:
            value = row[slot]
            if value is None or value == MISSING or value != value:  # noqa: PLR0124 - NaN alone differs from itself
                missing[label] = None
        return row

    def _closely(self, name: str, raw: Any, part: RequestPart, number: int | None) -> Any:
        column = COLUMNS[part].get(name)
        if column is None:
            allowed = ", ".join(COLUMNS[part])
            self.refuse(self.field(name, part, number), raw, f"unknown field; allowed: {allowed}")
        elif column.availability is Availability.AFTER:
            self.warn(f"{name} is the outcome and was ignored")
        else:
            return self.value(column, raw, name, part, number)
        return None


def _where(part: RequestPart, number: int | None) -> str:
    return part if number is None else f"{part}[{number}]"
