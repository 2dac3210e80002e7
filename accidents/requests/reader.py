"""Reads the objects of a request into typed rows, and collects invalid fields, warnings and missing columns."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from accidents.columns import MISSING_CODES, Availability, Column
from accidents.features.array_columns import PUBLISHED_COLUMNS, Entity
from accidents.requests.errors import MAX_PROBLEMS, Problems, format_value, truncate
from accidents.requests.rows import COLUMNS, OVER, POSITIONS, UNUSED, RequestPart, Row
from accidents.requests.values import fast_parser, missing_value, parse_value, retired_code

MAX_WARNINGS = 20
"""Number of warnings of a request that are kept."""

_PLACE_COLUMNS = ("dep", "com", "lat", "long")
FEATURE_COLUMNS = {
    RequestPart.ACCIDENT: tuple(
        name for name in (*PUBLISHED_COLUMNS[Entity.ACCIDENT], *_PLACE_COLUMNS) if name in COLUMNS[RequestPart.ACCIDENT]
    ),
    RequestPart.ROAD: tuple(
        name for name in (*PUBLISHED_COLUMNS[Entity.ACCIDENT], "voie") if name in COLUMNS[RequestPart.ROAD]
    ),
    RequestPart.VEHICLES: PUBLISHED_COLUMNS[Entity.VEHICLES],
    RequestPart.PEOPLE: tuple(name for name in PUBLISHED_COLUMNS[Entity.PEOPLE] if name != "secu2"),
}
"""Columns that features use and that are reported where missing; few people have a second safety equipment."""
_PEDESTRIAN_COLUMNS = frozenset({"locp", "actp", "etatp"})
_CATU = POSITIONS[Entity.PEOPLE]["catu"]
_PEDESTRIAN = 3


def _reported(part: RequestPart, *, pedestrian: bool) -> tuple[tuple[int, str], ...]:
    names = (name for name in FEATURE_COLUMNS[part] if pedestrian or name not in _PEDESTRIAN_COLUMNS)
    return tuple((POSITIONS[OVER[part]][name], f"{part}.{name}") for name in names)


_REPORTED = {part: _reported(part, pedestrian=False) for part in RequestPart}
_REPORTED_PEDESTRIAN = _reported(RequestPart.PEOPLE, pedestrian=True)


def _no_fast_parser(raw: Any) -> None:
    """Leave every value to `parse_value`."""


_FIELDS = {
    part: {
        name: (
            POSITIONS[OVER[part]].get(column.name, UNUSED),
            _no_fast_parser if column.availability is Availability.AFTER else fast_parser(column),
        )
        for name, column in columns.items()
    }
    for part, columns in COLUMNS.items()
}
"""Position in the row, and fast parser, of each field."""
_UNKNOWN_FIELD = (UNUSED, _no_fast_parser)
_UNKNOWN_REASONS = {part: f"unknown field; allowed: {', '.join(columns)}" for part, columns in COLUMNS.items()}
_JSON_SCALARS = frozenset({int, float, str, type(None)})
_OBJECT = (dict, Mapping)  # a dict is a Mapping, and checked faster

_ABSENT = MISSING_CODES | {None, math.inf}


class RequestReader:
    """Reader of one request; collects all its problems.

    Args:
        flat: whether the request has the flat form, whose fields have no part in their path.
        max_problems: number of invalid fields to describe.
        report_missing: whether missing columns and numbers written as text are collected.

    Attributes:
        problems: invalid fields.
    """

    def __init__(self, *, flat: bool = False, max_problems: int = MAX_PROBLEMS, report_missing: bool = True) -> None:
        self.flat, self.report_missing = flat, report_missing
        self.problems = Problems(max_problems)
        self._warnings: dict[str, None] = {}
        self._missing: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Values that were changed or ignored, in words; the first 20."""
        return tuple(self._warnings)

    @property
    def missing(self) -> tuple[str, ...]:
        """Feature columns that are missing in at least one row, in the order of reading."""
        return tuple(self._missing)

    def add_problem(self, field: str, value: Any, reason: str) -> None:
        """Collect an invalid field."""
        self.problems.add(field, value, reason)

    def add_warning(self, text: str) -> None:
        """Collect a warning once, up to a limit."""
        if len(self._warnings) < MAX_WARNINGS:
            self._warnings[text] = None

    def add_missing(self, fields: Iterable[str]) -> None:
        """Report fields as missing that no row of a part has."""
        self._missing |= dict.fromkeys(fields)

    def field_path(self, name: str, part: RequestPart | None, index: int | None) -> str:
        """Path of a field in messages, such as `vehicles[0].catv`; `index` is that of the vehicle or person."""
        return name if part is None or self.flat else f"{_object_path(part, index)}.{name}"

    def parse_field(
        self, column: Column, raw: Any, name: str, part: RequestPart | None = None, index: int | None = None
    ) -> Any:
        """The typed value of a field; an invalid one is collected, and returned as missing."""
        try:
            if code := retired_code(column, raw):
                path = self.field_path(name, part, index)
                retired = column.retired[code]
                self.add_warning(
                    f"{path}: {code} ({retired.meaning}) is used until {retired.last_year}; taken as {retired.now}"
                )
            value = parse_value(column, raw)
            if _is_rewritten(column, raw, value):
                self.add_warning(f"{self.field_path(name, part, index)}: {format_value(raw)} is taken as {value}")
            return value
        except ValueError as error:
            self.add_problem(self.field_path(name, part, index), raw, str(error))
            return missing_value(column)

    def read_object(self, part: RequestPart, content: Any, row: Row, index: int | None = None) -> Row:
        """Fill `row` with the fields of a JSON object, and return it."""
        if not isinstance(content, _OBJECT):
            self.add_problem(_object_path(part, index), content, "must be an object of fields and values")
            return row
        fields = _FIELDS[part]
        for name, raw in content.items():
            position, parse_fast = fields.get(name, _UNKNOWN_FIELD)
            value = parse_fast(raw) if type(raw) in _JSON_SCALARS else None
            row[position] = self._parse_slowly(name, raw, part, index) if value is None else value
        if not self.report_missing:
            return row
        pedestrian = part is RequestPart.PEOPLE and row[_CATU] == _PEDESTRIAN
        missing = self._missing
        for position, label in _REPORTED_PEDESTRIAN if pedestrian else _REPORTED[part]:
            value = row[position]
            if value in _ABSENT or value != value:  # noqa: PLR0124 - only NaN differs from itself
                missing[label] = None
        return row

    def _parse_slowly(self, name: str, raw: Any, part: RequestPart, index: int | None) -> Any:
        column = COLUMNS[part].get(name)
        if column is None and is_index_column(name) and isinstance(raw, int | float | str):
            self.add_warning(f"the field {truncate(name)!r} numbers rows and was ignored")
        elif column is None:
            self.add_problem(self.field_path(name, part, index), raw, _UNKNOWN_REASONS[part])
        elif column.availability is Availability.AFTER and not isinstance(raw, list | dict):
            self.add_warning(f"{name} is the outcome and was ignored")
        else:
            return self.parse_field(column, raw, name, part, index)
        return None


def _is_rewritten(column: Column, raw: Any, value: Any) -> bool:
    """Whether a year of two digits or a number of a Corsican department became another text."""
    rewritten = column.name == "an" and value not in MISSING_CODES
    rewritten |= column.name in {"dep", "com"} and str(value).startswith(("2A", "2B"))
    return rewritten and not str(raw).strip().upper().startswith(str(value))


def is_index_column(name: str) -> bool:
    """Whether a column holds the row numbers that other programs write: it has no name, or that of pandas."""
    return not name.strip() or name.startswith("Unnamed: ")


def _object_path(part: RequestPart, index: int | None) -> str:
    return part if index is None else f"{part}[{index}]"
