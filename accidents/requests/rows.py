"""Typed rows of an accident: the common result of the readers of the nested and the flat form."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accidents.columns import MISSING, TABLES, UNKNOWN, Column, Table
from accidents.features.array_columns import ARRAY_COLUMNS, Entity
from accidents.requests.values import missing_value

MAX_ROWS = 1000
"""Largest number of vehicles, and of people, of one accident."""

Row = list[Any]
"""One accident with its road, one vehicle or one person: a value for each of `POSITIONS`, typed by `parse_value`.

First the columns of the feature array (`array_columns.ARRAY_COLUMNS`), then `_OTHER_COLUMNS`. The last element, at
`UNUSED`, receives the values of columns that are validated and not used.
"""


class RequestPart(StrEnum):
    """Parts of the nested form, by their JSON names."""

    ACCIDENT = "accident"
    ROAD = "road"
    VEHICLES = "vehicles"
    PEOPLE = "people"


_TABLE = {
    RequestPart.ACCIDENT: Table.CARACTERISTIQUES,
    RequestPart.ROAD: Table.LIEUX,
    RequestPart.VEHICLES: Table.VEHICULES,
    RequestPart.PEOPLE: Table.USAGERS,
}

COLUMNS: Mapping[RequestPart, Mapping[str, Column]] = {
    part: {
        name: column
        for column in TABLES[table].values()
        if column.last_year is None and (column.name != "Num_Acc" or part is RequestPart.ACCIDENT)
        for name in (column.name, *column.aliases)
    }
    for part, table in _TABLE.items()
}
"""Columns of each part by name and alias: those that the present editions publish."""


_OTHER_COLUMNS = {
    Entity.ACCIDENT: ("dep", "com", "voie", "lat", "long", "Num_Acc", "adr"),
    Entity.VEHICLES: ("id_vehicule", "num_veh"),
    Entity.PEOPLE: ("id_vehicule", "num_veh"),
}

OVER = {part: Entity.ACCIDENT if part is RequestPart.ROAD else Entity(part) for part in RequestPart}
"""Kind of row that each part is read into; an accident and its road share one row."""

POSITIONS: Mapping[Entity, Mapping[str, int]] = {
    over: {name: position for position, name in enumerate((*fields, *_OTHER_COLUMNS[over]))}
    for over, fields in ARRAY_COLUMNS.items()
}
"""Positions of the columns in a row."""

UNUSED = -1


def _empty_row(over: Entity) -> Row:
    columns = {name: column for part in RequestPart if OVER[part] is over for name, column in COLUMNS[part].items()}
    return [missing_value(columns[name], UNKNOWN) if name in columns else MISSING for name in POSITIONS[over]] + [None]


_EMPTY_ROWS = {over: _empty_row(over) for over in Entity}


def empty_row(over: Entity) -> Row:
    """A new row in which every column is unknown."""
    return _EMPTY_ROWS[over].copy()


@dataclass(frozen=True)
class AccidentRows:
    """An accident as typed rows.

    Attributes:
        accident: the accident and its road.
        vehicles: 1 to `MAX_ROWS` vehicles.
        people: 1 to `MAX_ROWS` people.
        vehicle_of_person: for each person the index of their vehicle in `vehicles`.
    """

    accident: Row
    vehicles: list[Row]
    people: list[Row]
    vehicle_of_person: list[int]
