"""What both forms of a request have in common: their parts, and the typed rows that they are read into."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accidents.columns import TABLES, Column, Table

MOST = 1000
"""Greatest number of vehicles, and of people, of one accident."""

Row = dict[str, Any]
"""One row of a table: every column of the present layout by its name, typed as `values.typed` says."""


class Part(StrEnum):
    """Parts of a request, by their names in the nested form."""

    ACCIDENT = "accident"
    ROAD = "road"
    VEHICLES = "vehicles"
    PEOPLE = "people"


_TABLE = {
    Part.ACCIDENT: Table.CARACTERISTIQUES,
    Part.ROAD: Table.LIEUX,
    Part.VEHICLES: Table.VEHICULES,
    Part.PEOPLE: Table.USAGERS,
}

COLUMNS: Mapping[Part, Mapping[str, Column]] = {
    part: {
        name: column
        for column in TABLES[table].values()
        if column.last_year is None and (column.name != "Num_Acc" or part is Part.ACCIDENT)
        for name in (column.name, *column.other_names)
    }
    for part, table in _TABLE.items()
}
"""Columns of each part by every name that they may bear: those that the present editions publish."""


@dataclass(frozen=True)
class Form:
    """An accident as typed rows: the accident with its road, the vehicles, and the people with their vehicle.

    A person's vehicle is its position in `vehicles`. `flat` tells whether it came in the flat form.
    """

    accident: Row
    vehicles: list[Row]
    people: list[tuple[Row, int]]
    flat: bool = False
