"""The columns that monitoring compares, each with the number of its values: codes, or bins of numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from accidents.bundle.reference import MISSING_BIN, UNKNOWN_BIN
from accidents.columns import LEVELS, MISSING, TABLES, UNKNOWN, ColumnKind
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, PUBLISHED_COLUMNS, Entity
from accidents.features.arrays import Arrays
from accidents.features.cells import insee_number
from accidents.geography.departments import department_codes

Values = npt.NDArray[np.int64]

PROBABILITY = "accident.probability"
"""The predicted probability, compared as a column is, in bins of a twentieth."""

HOUR = "accident.hour"
"""The hour, which is matched by month alone."""

_NOT_COMPARED = {"jour", "mois", "an", "hrmn", "an_nais"}
_WIDTHS = {"vma": 10, "nbv": 1}  # of the bins of numbers
_LARGEST = MISSING_BIN - 1
_AGE_BINS, _OLDEST = 10, 110
_MOST_ROWS = 6


@dataclass(frozen=True)
class MonitoredColumn:
    """A column, and how its values are read from arrays.

    Attributes:
        name: entity and column, such as `vehicles.catv`.
        entity: whose rows have it.
        description: for people.
        meanings: of its values; numbers where empty.
        read: its values from arrays, int64, with the markers of `accidents.columns`.
    """

    name: str
    entity: Entity
    description: str
    meanings: Mapping[int, str]
    read: Callable[[Arrays], Values]

    def bins(self, arrays: Arrays) -> Values:
        """Its values as positions in the counts of a `Reference`."""
        values = self.read(arrays)
        bins = np.clip(values, 0, _LARGEST)
        bins[values == MISSING] = MISSING_BIN
        bins[values == UNKNOWN] = UNKNOWN_BIN
        return bins

    def describe(self, value: int) -> str:
        """A value in words."""
        return self.meanings.get(value, str(value))


@cache
def monitored_columns(level: str) -> tuple[MonitoredColumn, ...]:
    """The columns that are available at a level, in order."""
    allowed = LEVELS.index(level)
    published = [
        _published(entity, name)
        for entity in Entity
        for name in PUBLISHED_COLUMNS[entity]
        if name not in _NOT_COMPARED and ARRAY_COLUMNS[entity][name].availability <= allowed
    ]
    numbers = {code: position for position, code in enumerate(department_codes())}
    age = [MonitoredColumn("people.age", Entity.PEOPLE, "age", _AGES, _age)] if allowed else []
    return (
        *published,
        *age,
        MonitoredColumn(HOUR, Entity.ACCIDENT, "hour", {hour: f"{hour} h" for hour in range(24)}, _hour),
        MonitoredColumn(
            "accident.dep", Entity.ACCIDENT, "department", {at: code for code, at in numbers.items()}, _department
        ),
        MonitoredColumn(
            "accident.vehicles", Entity.ACCIDENT, "number of vehicles", {}, lambda arrays: _rows(arrays.vehicle_starts)
        ),
        MonitoredColumn(
            "accident.people", Entity.ACCIDENT, "number of people", {}, lambda arrays: _rows(arrays.person_starts)
        ),
    )


def column_of(arrays: Arrays, entity: Entity, name: str) -> Values:
    """A column of an array, int64."""
    return getattr(arrays, entity.value)[:, COLUMN_POSITIONS[entity][name]].astype(np.int64)


def owners(arrays: Arrays, entity: Entity) -> Values:
    """For each row of an entity the position of its accident."""
    count = len(arrays.accident)
    if entity is Entity.ACCIDENT:
        return np.arange(count)
    starts = arrays.vehicle_starts if entity is Entity.VEHICLES else arrays.person_starts
    return np.repeat(np.arange(count), np.diff(starts))


def departments(arrays: Arrays) -> Values:
    """Position of the department of each accident in `department_codes`, or a marker."""
    return _department(arrays)


def _published(entity: Entity, name: str) -> MonitoredColumn:
    column = next(columns[name] for columns in TABLES.values() if name in columns)
    width = _WIDTHS.get(name, 1)

    def read(arrays: Arrays) -> Values:
        values = column_of(arrays, entity, name)
        return values if width == 1 else np.where(values < 0, values, values // width)

    meanings = dict(column.codes)
    if column.kind is not ColumnKind.CODE and width > 1:
        meanings = {at: f"{at * width} to {at * width + width - 1}" for at in range(_LARGEST)}
    return MonitoredColumn(f"{entity.value}.{name}", entity, column.meaning, meanings, read)


_AGES = {at: f"{at * _AGE_BINS} to {at * _AGE_BINS + _AGE_BINS - 1} years" for at in range(_OLDEST // _AGE_BINS)}


def _age(arrays: Arrays) -> Values:
    births = column_of(arrays, Entity.PEOPLE, "an_nais")
    years = column_of(arrays, Entity.ACCIDENT, "an")[owners(arrays, Entity.PEOPLE)]
    age = np.clip(years - births, 0, _OLDEST - 1) // _AGE_BINS
    unknown = (births == UNKNOWN) | (years == UNKNOWN)
    return np.where(unknown, UNKNOWN, np.where((births < 0) | (years < 0), MISSING, age))


def _hour(arrays: Arrays) -> Values:
    minutes = column_of(arrays, Entity.ACCIDENT, "hrmn")
    return np.where(minutes < 0, minutes, minutes // 60)


@cache
def _department_numbers() -> tuple[Values, Values]:
    numbers = np.array([insee_number(code) for code in department_codes()], dtype=np.int64)
    order = np.argsort(numbers)
    return numbers[order], order


def _department(arrays: Arrays) -> Values:
    given = arrays.places[:, 0]
    numbers, order = _department_numbers()
    nearest = np.searchsorted(numbers, given).clip(max=len(numbers) - 1)
    known = numbers[nearest] == given
    return np.where(given == UNKNOWN, UNKNOWN, np.where(known, order[nearest], MISSING))


def _rows(starts: Values) -> Values:
    return np.minimum(np.diff(starts), _MOST_ROWS)
