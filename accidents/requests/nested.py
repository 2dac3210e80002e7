"""The nested form: an accident with its road, vehicles and people, under the published names of the columns."""

from collections.abc import Mapping
from typing import Any

from accidents.columns import MISSING
from accidents.features.array_columns import Over
from accidents.requests.reader import RequestReader
from accidents.requests.rows import MAX_ROWS, OVER, POSITIONS, AccidentRows, RequestPart, Row, empty_row

NESTED_PARTS = frozenset(RequestPart)
_ABSENT = frozenset({MISSING, None})
_NAMES_OF_VEHICLE = tuple((name, POSITIONS[Over.VEHICLES][name]) for name in ("id_vehicule", "num_veh"))
_NAMES_OF_PERSON = tuple((name, POSITIONS[Over.PEOPLE][name]) for name in ("id_vehicule", "num_veh"))


def read_nested(content: Mapping[str, Any], reader: RequestReader) -> AccidentRows:
    """Read the nested form; what is wrong with it is noted in `reader`."""
    for name in content.keys() - NESTED_PARTS:
        reader.refuse(name, content[name], f"unknown part; allowed: {', '.join(RequestPart)}")
    accident = reader.read(RequestPart.ACCIDENT, content.get(RequestPart.ACCIDENT, {}), empty_row(Over.ACCIDENT))
    reader.read(RequestPart.ROAD, content.get(RequestPart.ROAD, {}), accident)
    vehicles = _rows(RequestPart.VEHICLES, content, reader)
    people = _rows(RequestPart.PEOPLE, content, reader)
    return AccidentRows(accident, vehicles, people, _seats(vehicles, people, reader))


def _rows(part: RequestPart, content: Mapping[str, Any], reader: RequestReader) -> list[Row]:
    rows = content.get(part)
    if part not in content:
        reader.refuse(part, "", f"is missing; it is a list of 1 to {MAX_ROWS:,} objects")
        return []
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        found = f"a list of {len(rows)}" if isinstance(rows, list) else rows
        reader.refuse(part, found, f"must be a list of 1 to {MAX_ROWS:,} objects")
        return []
    return [reader.read(part, row, empty_row(OVER[part]), number) for number, row in enumerate(rows)]


def _seats(vehicles: list[Row], people: list[Row], reader: RequestReader) -> list[int]:
    """Position of each person's vehicle, found by `id_vehicule` or `num_veh`; the only one needs neither."""
    by_name: dict[Any, int] = {}
    for position, vehicle in enumerate(vehicles):
        for name, slot in _NAMES_OF_VEHICLE:
            value = vehicle[slot]
            if value in _ABSENT:
                continue
            if value in by_name:
                reader.refuse(f"vehicles[{position}].{name}", value, f"is that of vehicles[{by_name[value]}], too")
            by_name[value] = position
    return [_vehicle(person, number, by_name, len(vehicles), reader) for number, person in enumerate(people)]


def _vehicle(person: Row, number: int, by_name: Mapping[Any, int], vehicles: int, reader: RequestReader) -> int:
    found = None
    for name, slot in _NAMES_OF_PERSON:
        value = person[slot]
        if value in _ABSENT:
            continue
        position = by_name.get(value)
        if position is None:
            reader.refuse(f"people[{number}].{name}", value, "no vehicle of the accident bears it")
        elif found not in {None, position}:
            reader.refuse(f"people[{number}].{name}", value, "names another vehicle than id_vehicule")
        found = position if position is not None else 0
    if found is None and vehicles > 1:
        reader.refuse(f"people[{number}].num_veh", None, "needed, or id_vehicule: the accident has several vehicles")
    return found or 0
