"""What both forms of a request have in common: their parts, and the typed rows that they are read into."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accidents.columns import MISSING, TABLES, Column, Table
from accidents.features.array_columns import FIELDS, Over
from accidents.requests.values import missing_value

MAX_ROWS = 1000
"""Greatest number of vehicles, and of people, of one accident."""

Row = list[Any]
"""One accident with its road, one vehicle or one person: a value for each of `POSITIONS`, typed as `values.typed` says.

First come the columns of its array, `features.layout.FIELDS`, then what else is needed of it. The last place, `UNUSED`,
takes the values of columns that are checked and not used.
"""


class RequestPart(StrEnum):
    """Parts of a request, by their names in the nested form."""

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
"""Columns of each part by every name that they may bear: those that the present editions publish."""


_BESIDES = {
    Over.ACCIDENT: ("dep", "com", "voie", "lat", "long", "Num_Acc"),
    Over.VEHICLES: ("id_vehicule", "num_veh"),
    Over.PEOPLE: ("id_vehicule", "num_veh"),
}

OVER = {part: Over.ACCIDENT if part is RequestPart.ROAD else Over(part) for part in RequestPart}
"""Rows that each part is read into; an accident and its road make one."""

POSITIONS: Mapping[Over, Mapping[str, int]] = {
    over: {name: slot for slot, name in enumerate((*fields, *_BESIDES[over]))} for over, fields in FIELDS.items()
}
"""Where the values stand in a row, by the names of their columns."""

UNUSED = -1


def _blank(over: Over) -> Row:
    columns = {name: column for part in RequestPart if OVER[part] is over for name, column in COLUMNS[part].items()}
    return [missing_value(columns[name]) if name in columns else MISSING for name in POSITIONS[over]] + [None]


_BLANK = {over: _blank(over) for over in Over}


def empty_row(over: Over) -> Row:
    """A row of which nothing is recorded."""
    return _BLANK[over].copy()


@dataclass(frozen=True)
class AccidentRows:
    """An accident as typed rows: the accident with its road, the vehicles, and the people.

    `seats` has for each person the position of their vehicle in `vehicles`.
    """

    accident: Row
    vehicles: list[Row]
    people: list[Row]
    seats: list[int]
