"""Parses a table of accidents in the flat form column by column, each distinct value once.

The results are those of `parse_batch`, which parses the rows that need more: an invalid value, fields that contradict
each other, coordinates to correct, a fact to derive.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from accidents.cleaning.department_boxes import department_boxes
from accidents.columns import MISSING_CODES, UNKNOWN, Column, ColumnKind
from accidents.features.array_columns import ARRAY_COLUMNS, Entity
from accidents.features.arrays import UNKNOWN_POSITION, Arrays, concatenate
from accidents.features.cells import insee_number, road_number
from accidents.requests.flat import COUNT_FIELDS, DRIVER, FIELDS, ROW_COUNTS, field_position, read_field
from accidents.requests.parsing import EMPTY_BOX, LEAP_YEAR, ParsedBatch, ParseReport, parse_batch
from accidents.requests.reader import MAX_WARNINGS, RequestReader
from accidents.requests.rows import COLUMNS, OVER, POSITIONS, empty_row
from accidents.requests.values import missing_value

_ROWS_AT_A_TIME = 1000  # converted to objects
_PLAIN = tuple(
    getattr(pa.types, f"is_{kind}")
    for kind in ("boolean", "integer", "float32", "float64", "string", "large_string", "null")
)
_CATU = POSITIONS[Entity.PEOPLE]["catu"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Codes = npt.NDArray[np.int16]


def parse_table(table: pa.RecordBatch, *, derive: bool = False) -> ParsedBatch:
    """Parse the rows of a table like `parse_batch` with `report_missing=False`, with the same results.

    Args:
        table: a column for each field; null and NaN are missing values.
        derive: as in `parse_batch`.
    """
    simple = np.zeros(table.num_rows, bool)
    if _has_fields(table.schema):
        flat = _FlatTable(table)
        simple = flat.is_simple(derive=derive)
    fast, slow = np.flatnonzero(simple), np.flatnonzero(~simple)
    rest = parse_batch(table_rows(table, slow), derive=derive, report_missing=False)
    if not len(fast):
        return rest
    results, arrays = np.empty(table.num_rows, object), flat.arrays(fast)
    results[fast], results[slow] = flat.reports(fast), rest.results
    if len(slow):
        order = np.argsort(np.concatenate([fast, slow[rest.valid_positions]]))
        arrays = concatenate([arrays, rest.arrays]).take(order)
    return ParsedBatch(results.tolist(), arrays)


def _has_fields(schema: pa.Schema) -> bool:
    """Whether all columns are fields under their published names, each of them once, and hold numbers or texts."""
    names, plain = schema.names, all(map(_is_plain, schema.types))
    return bool(names) and len(set(names)) == len(names) and plain and {*FIELDS, *COUNT_FIELDS}.issuperset(names)


def _is_plain(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(is_kind(value) for is_kind in _PLAIN)


def table_rows(table: pa.RecordBatch, rows: Rows | Sequence[int]) -> Iterator[dict[str, Any]]:
    """Some rows of a table as `json.loads` would return them, with None for NaN."""
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        for row in table.take(pa.array(rows[start : start + _ROWS_AT_A_TIME], pa.int64())).to_pylist():
            yield {name: None if cell != cell else cell for name, cell in row.items()}  # noqa: PLR0124 - NaN


class _Field:
    """A column by its distinct values, the last of which is a missing one.

    Attributes:
        codes: int (n), position of each row's value among the distinct ones.
        warnings: of each distinct value.
    """

    def __init__(self, name: str, column: pa.Array) -> None:
        encoded = column.dictionary_encode()
        self.codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
        self.warnings: list[tuple[str, ...]] = []
        self._values: list[Any] = []
        self._valid: list[bool] = []
        for raw in (*encoded.dictionary.to_pylist(), None):
            reader = RequestReader(flat=True, report_missing=False)
            self._values.append(read_field(name, None if raw != raw else raw, reader))  # noqa: PLR0124 - NaN
            self._valid.append(not reader.problems.count)
            self.warnings.append(reader.warnings)

    def is_valid(self) -> Mask:
        """Whether each row's value is valid, bool (n)."""
        return np.array(self._valid)[self.codes]

    def array(self, dtype: type, convert: Callable[[Any], Any] = lambda value: value) -> npt.NDArray[Any]:
        """What a function makes of each row's value, (n)."""
        return np.array([*map(convert, self._values)], dtype)[self.codes]


class _Numbers(_Field):
    """A column of numbers that hardly repeat; what is neither missing nor in the range is left to `parse_batch`."""

    def __init__(self, specification: Column, column: pa.Array) -> None:
        low, high = specification.bounds
        missing: Mask = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        numbers = np.array(column.fill_null(0))
        self.codes, self.warnings = np.zeros(len(numbers), np.intp), [()]
        self._in_range = missing | ((numbers != 0) & (low <= numbers) & (numbers <= high))
        numbers[missing] = missing_value(specification, UNKNOWN)
        self._numbers = numbers

    def is_valid(self) -> Mask:
        return self._in_range

    def array(self, dtype: type, convert: Callable[[Any], Any] | None = None) -> npt.NDArray[Any]:  # noqa: ARG002
        return self._numbers.astype(dtype)


def _read_column(name: str, column: pa.Array) -> _Field:
    specification = COUNT_FIELDS.get(name) or COLUMNS[FIELDS[name]][name]
    number = {ColumnKind.NUMBER: pa.float64(), ColumnKind.ID: pa.int64()}.get(specification.kind)
    return _Numbers(specification, column) if column.type == number else _Field(name, column)


class _FlatTable:
    """The columns of a table in the flat form, and what depends on several of them."""

    def __init__(self, table: pa.RecordBatch) -> None:
        given = dict(zip(table.schema.names, table.columns, strict=True))
        self._fields = {
            name: _read_column(name, given.get(name, pa.nulls(table.num_rows))) for name in (*FIELDS, *COUNT_FIELDS)
        }
        year, other = self._codes("an"), self._codes("year_acc")
        self._years = np.where(_is_missing(year) & ~_is_missing(other), other, year)

    def is_simple(self, *, derive: bool) -> Mask:
        """Whether a row is valid, and has neither coordinates to correct nor facts to derive, bool (n)."""
        checks = [field.is_valid() for field in self._fields.values()]
        checks += [self._is_dated(), self._is_located(), *([self._is_complete()] if derive else [])]
        return np.logical_and.reduce(checks)

    def _is_dated(self) -> Mask:
        """Whether both years agree, the day exists, and the person was born before."""
        years, day, month, other = self._years, *map(self._codes, ("jour", "mois", "year_acc"))
        start = 12 * (np.where(_is_missing(years), LEAP_YEAR, years) - 1970) + month - 1
        first, following = ((start + months).astype("M8[M]").astype("M8[D]").astype(np.int64) for months in (0, 1))
        exists = _is_missing(day) | _is_missing(month) | (day <= following - first)
        born = _is_missing(years) | (self._codes("an_nais") <= years)
        return exists & born & (_is_missing(other) | (other == years))

    def _is_located(self) -> Mask:
        """Whether the commune and the coordinates are in the department, as far as they are known."""
        boxes = np.array([*department_boxes().values(), EMPTY_BOX])
        numbers = {code: number for number, code in enumerate(department_boxes())}
        box = boxes[self._fields["dep"].array(np.intp, lambda code: numbers.get(code, -1))]
        latitude, longitude = self._coordinates()
        inside = (box[:, 0] <= latitude) & (latitude <= box[:, 1]) & (box[:, 2] <= longitude) & (longitude <= box[:, 3])
        department, commune = (self._fields[name].array(str, lambda code: (code or "")[:2]) for name in ("dep", "com"))
        named = (department == "") | (commune == "") | (department == commune)
        return named & (inside | ~(np.isfinite(latitude) | np.isfinite(longitude)))

    def _is_complete(self) -> Mask:
        """Whether light is known, and the department where it could be derived."""
        department, commune = (self._fields[name].array(bool) for name in ("dep", "com"))
        return ~_is_missing(self._codes("lum")) & (department | ~(commune | np.isfinite(self._coordinates()[0])))

    def _codes(self, name: str) -> npt.NDArray[np.int64]:
        return self._fields[name].array(np.int64)

    def _coordinates(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        return self._fields["lat"].array(np.float64), self._fields["long"].array(np.float64)

    def reports(self, rows: Rows) -> list[ParseReport]:
        """Reports of simple rows."""
        ids = (None if one in MISSING_CODES else one for one in self._codes("Num_Acc")[rows].tolist())
        lacking = zip(*(_is_missing(self._codes(name))[rows].tolist() for name in ROW_COUNTS), strict=True)
        warned = [field for field in self._fields.values() if any(field.warnings)]
        texts = zip(*(map(field.warnings.__getitem__, field.codes[rows].tolist()) for field in warned), strict=True)
        warnings = (tuple(dict.fromkeys(chain(*text)))[:MAX_WARNINGS] for text in texts) if warned else [()] * len(rows)
        return [
            ParseReport(tuple(compress(ROW_COUNTS, lacks)), warning, accident_id, is_flat=True)
            for accident_id, lacks, warning in zip(ids, lacking, warnings, strict=True)
        ]

    def arrays(self, rows: Rows) -> Arrays:
        """Arrays of simple rows."""
        vehicles, people = (np.maximum(self._codes(name)[rows], 1) for name in ROW_COUNTS)
        vehicle_starts, person_starts = (np.append(0, np.cumsum(counts)) for counts in (vehicles, people))
        vehicle, person = (_indices(starts) for starts in (vehicle_starts, person_starts))
        first_driven = (self._codes("catu")[rows] == DRIVER).astype(np.int64)
        driven = np.minimum(vehicles - first_driven, people - 1)
        drives = (person > 0) & (person <= np.repeat(driven, people))
        people_rows = self._with_others(Entity.PEOPLE, rows, person_starts)
        people_rows[drives, _CATU] = DRIVER
        places = (self._fields[name].array(np.int64, _place)[rows] for name in ("dep", "com"))
        coordinates = np.column_stack(self._coordinates())[rows]
        coordinates[np.isinf(coordinates).any(axis=1)] = UNKNOWN_POSITION
        return Arrays(
            accident=self._described(Entity.ACCIDENT, rows),
            vehicles=self._with_others(Entity.VEHICLES, rows, vehicle_starts),
            people=people_rows,
            vehicle_starts=vehicle_starts,
            person_starts=person_starts,
            vehicle_ids=vehicle,
            person_vehicle_ids=np.where(drives, person - 1 + np.repeat(first_driven, people), 0),
            coordinates=coordinates,
            places=np.column_stack([*places, np.full(len(rows), road_number(None))]),  # the form has no road
        )

    def _described(self, entity: Entity, rows: Rows) -> Codes:
        """The accident, the vehicle or the person that is described, one a row."""
        result = _unknown(entity, len(rows))
        for name, part in FIELDS.items():
            if OVER[part] is entity and 0 <= (position := field_position(name)) < result.shape[1]:
                result[:, position] = (self._years if name == "an" else self._fields[name].array(np.int16))[rows]
        return result

    def _with_others(self, entity: Entity, rows: Rows, starts: npt.NDArray[np.int64]) -> Codes:
        """The vehicle or person that is described, followed by the unknown ones of its accident."""
        result = _unknown(entity, starts[-1])
        result[starts[:-1]] = self._described(entity, rows)
        return result


def _place(code: str | None) -> int:
    return UNKNOWN if code is None else insee_number(code)


def _is_missing(codes: npt.NDArray[np.int64]) -> Mask:
    return np.isin(codes, (*MISSING_CODES,))


def _unknown(entity: Entity, count: int) -> Codes:
    return np.tile(np.array(empty_row(entity)[: len(ARRAY_COLUMNS[entity])], np.int16), (count, 1))


def _indices(starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Index of each vehicle or person within its accident."""
    return np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))
