"""Reads the rows of a request, and keeps account of what is wrong, doubtful or missing in them."""

from collections.abc import Mapping
from typing import Any

from accidents.columns import MISSING, Column, Known
from accidents.features.layout import PUBLISHED, Over
from accidents.requests.form import COLUMNS, Part, Row
from accidents.requests.problems import Problem, shown
from accidents.requests.values import Value, absent, typed

_PLACES = ("dep", "com", "lat", "long")
_RELEVANT = {
    Part.ACCIDENT: tuple(name for name in (*PUBLISHED[Over.ACCIDENT], *_PLACES) if name in COLUMNS[Part.ACCIDENT]),
    Part.ROAD: tuple(name for name in (*PUBLISHED[Over.ACCIDENT], "voie") if name in COLUMNS[Part.ROAD]),
    Part.VEHICLES: PUBLISHED[Over.VEHICLES],
    Part.PEOPLE: tuple(name for name in PUBLISHED[Over.PEOPLE] if name != "secu2"),
}
"""Columns that features use; a second equipment is seldom there to be recorded."""
_OF_PEDESTRIANS = frozenset({"locp", "actp", "etatp"})
_PEDESTRIAN = 3
_BLANK = {part: {column.name: absent(column) for column in columns.values()} for part, columns in COLUMNS.items()}


class Reader:
    """Account of one request."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self._missing: dict[str, None] = {}

    @property
    def missing(self) -> tuple[str, ...]:
        """Relevant columns that at least one row does not give, in the order of reading."""
        return tuple(self._missing)

    def refuse(self, field: str, value: Any, reason: str) -> None:
        """Note a fault."""
        self.problems.append(Problem(field, shown(value), reason))

    def warn(self, text: str) -> None:
        """Note something that is doubtful, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    @staticmethod
    def blank(part: Part) -> Row:
        """A row of which nothing is recorded."""
        return _BLANK[part].copy()

    def value(self, column: Column, raw: Any, name: str, where: str = "") -> Any:
        """The typed value; a fault is noted, and the value counts as not recorded."""
        try:
            return typed(column, raw)
        except ValueError as error:
            self.refuse(_field(where, name), raw, str(error))
            return absent(column)

    def row(self, part: Part, values: Any, where: str) -> Row:
        """One typed row from the object `values`; `where` stands before the names of its fields in messages."""
        row = self.blank(part)
        if not isinstance(values, Mapping):
            self.refuse(where or part, values, "must be an object of fields and values")
            return row
        columns = COLUMNS[part]
        for name, raw in values.items():
            column = columns.get(name)
            if column is None:
                self.refuse(_field(where, name), raw, f"unknown field; allowed: {', '.join(columns)}")
            elif column.known is Known.AFTER:
                self.warn(f"{name} is the outcome and was ignored")
            else:
                row[column.name] = self.value(column, raw, name, where)
        self._note_missing(part, row)
        return row

    def _note_missing(self, part: Part, row: Row) -> None:
        for name in _RELEVANT[part]:
            if _is_absent(row[name]) and (name not in _OF_PEDESTRIANS or row["catu"] == _PEDESTRIAN):
                self._missing[f"{part}.{name}"] = None


def _field(where: str, name: str) -> str:
    return f"{where}.{name}" if where else str(name)


def _is_absent(value: Value) -> bool:
    return value is None or value == MISSING or value != value  # noqa: PLR0124 - NaN alone differs from itself
