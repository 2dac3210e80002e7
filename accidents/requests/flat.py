"""Reader of the flat form: 39 fields about one person, their vehicle, the road and the accident.

Of the others it has only their numbers, `nb_vehicules` vehicles and `nb_victim` people. The accident it becomes has
further vehicles of unknown kind and further people of whom everything is missing. Each vehicle that the described
person does not drive gets a driver, up to `nb_victim` people; the remaining people have no role and are in the vehicle
described. A number that is 0 or missing counts as 1. Where the others matter, use the nested form.
"""

from collections.abc import Mapping
from typing import Any

from accidents.columns import MISSING, TABLES, Availability, Column, ColumnKind, Table
from accidents.features.array_columns import Entity
from accidents.requests.reader import RequestReader
from accidents.requests.rows import MAX_ROWS, POSITIONS, AccidentRows, RequestPart, Row, empty_row

_DRIVER = 1
_AN = POSITIONS[Entity.ACCIDENT]["an"]
_CATU = POSITIONS[Entity.PEOPLE]["catu"]
_ACCIDENT = ("an", "mois", "jour", "hrmn", "lum", "dep", "com", "agg_", "int", "atm", "col", "lat", "long")
_ROAD = ("catr", "circ", "surf", "situ", "vma", "v1", "vosp", "prof", "plan", "larrout", "infra")
_VEHICLE = ("catv", "obsm", "motor", "obs")
_PERSON = ("place", "catu", "sexe", "secu1", "an_nais", "locp", "actp", "etatp")
COUNT_FIELDS = {
    name: Column(table, name, ColumnKind.INTEGER, meaning, Availability.STRICT, minimum=1, maximum=MAX_ROWS)
    for name, table, meaning in (
        ("nb_vehicules", Table.VEHICULES, "number of vehicles"),
        ("nb_victim", Table.USAGERS, "number of people"),
    )
} | {"year_acc": TABLES[Table.CARACTERISTIQUES]["an"]}
"""Fields that no published table has."""

FLAT_FIELDS = frozenset((*_ACCIDENT, *_ROAD, *_VEHICLE, *_PERSON, *COUNT_FIELDS))
"""The 39 fields. `Num_Acc` is allowed besides, and `grav` is ignored."""

_IGNORED = ("grav",)


def read_flat(content: Mapping[str, Any], reader: RequestReader) -> AccidentRows:
    """Read the flat form; problems are collected in `reader`."""
    for name in content.keys() - FLAT_FIELDS - {"Num_Acc", *_IGNORED}:
        reader.add_problem(name, content[name], f"unknown field; the flat form has {', '.join(sorted(FLAT_FIELDS))}")

    def read_fields(row: Row, part: RequestPart, names: tuple[str, ...]) -> Row:
        return reader.read_object(part, {name: content[name] for name in names if name in content}, row)

    accident = read_fields(empty_row(Entity.ACCIDENT), RequestPart.ACCIDENT, (*_ACCIDENT, "Num_Acc"))
    read_fields(accident, RequestPart.ROAD, _ROAD)
    vehicle = read_fields(empty_row(Entity.VEHICLES), RequestPart.VEHICLES, _VEHICLE)
    person = read_fields(empty_row(Entity.PEOPLE), RequestPart.PEOPLE, (*_PERSON, *_IGNORED))
    counts = {name: reader.parse_field(column, content.get(name), name) for name, column in COUNT_FIELDS.items()}
    if counts["year_acc"] not in {MISSING, accident[_AN]}:
        if accident[_AN] == MISSING:
            accident[_AN] = counts["year_acc"]
        else:
            reader.add_problem("year_acc", content["year_acc"], f"differs from an, which is {accident[_AN]}")
    vehicles, people = max(counts["nb_vehicules"], 1), max(counts["nb_victim"], 1)
    driven = range(1 if person[_CATU] == _DRIVER else 0, vehicles)[: people - 1]
    driver = empty_row(Entity.PEOPLE)
    driver[_CATU] = _DRIVER
    passengers = people - 1 - len(driven)
    return AccidentRows(
        accident,
        [vehicle] + [empty_row(Entity.VEHICLES)] * (vehicles - 1),
        [person] + [driver] * len(driven) + [empty_row(Entity.PEOPLE)] * passengers,
        [0, *driven, *[0] * passengers],
    )
