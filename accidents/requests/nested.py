"""Reader of the nested form: an accident with its road, vehicles and people, under the published column names."""

from collections.abc import Mapping
from typing import Any

from accidents.columns import MISSING_CODES
from accidents.features.array_columns import Entity
from accidents.requests.reader import RequestReader
from accidents.requests.rows import MAX_ROWS, OVER, POSITIONS, AccidentRows, RequestPart, Row, empty_row

NESTED_PARTS = frozenset(RequestPart)
_MISSING_VALUES = MISSING_CODES | {None}
_VEHICLE_IDS = tuple((name, POSITIONS[Entity.VEHICLES][name]) for name in ("id_vehicule", "num_veh"))
_PERSON_VEHICLE_IDS = tuple((name, POSITIONS[Entity.PEOPLE][name]) for name in ("id_vehicule", "num_veh"))


def read_nested(content: Mapping[str, Any], reader: RequestReader) -> AccidentRows:
    """Read the nested form; problems are collected in `reader`."""
    for name in content.keys() - NESTED_PARTS:
        reader.add_problem(name, content[name], f"unknown part; allowed: {', '.join(RequestPart)}")
    accident = reader.read_object(
        RequestPart.ACCIDENT, content.get(RequestPart.ACCIDENT, {}), empty_row(Entity.ACCIDENT)
    )
    reader.read_object(RequestPart.ROAD, content.get(RequestPart.ROAD, {}), accident)
    vehicles = _read_list(RequestPart.VEHICLES, content, reader)
    people = _read_list(RequestPart.PEOPLE, content, reader)
    return AccidentRows(accident, vehicles, people, _vehicle_of_person(vehicles, people, reader))


def _read_list(part: RequestPart, content: Mapping[str, Any], reader: RequestReader) -> list[Row]:
    rows = content.get(part)
    if part not in content:
        reader.add_problem(part, "", f"is missing; it is a list of 1 to {MAX_ROWS:,} objects")
        return []
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        given = f"a list of {len(rows)}" if isinstance(rows, list) else rows
        reader.add_problem(part, given, f"must be a list of 1 to {MAX_ROWS:,} objects")
        return []
    return [reader.read_object(part, row, empty_row(OVER[part]), index) for index, row in enumerate(rows)]


def _vehicle_of_person(vehicles: list[Row], people: list[Row], reader: RequestReader) -> list[int]:
    """Index of each person's vehicle, joined by `id_vehicule` or `num_veh`; a single vehicle needs neither."""
    index_by_id: dict[Any, int] = {}
    for index, vehicle in enumerate(vehicles):
        for name, position in _VEHICLE_IDS:
            value = vehicle[position]
            if value in _MISSING_VALUES:
                continue
            if value in index_by_id:
                reader.add_problem(
                    f"vehicles[{index}].{name}", value, f"is that of vehicles[{index_by_id[value]}], too"
                )
            index_by_id[value] = index
    return [_vehicle_index(person, i, index_by_id, len(vehicles), reader) for i, person in enumerate(people)]


def _vehicle_index(
    person: Row, person_index: int, index_by_id: Mapping[Any, int], vehicles: int, reader: RequestReader
) -> int:
    result = None
    for name, position in _PERSON_VEHICLE_IDS:
        value = person[position]
        if value in _MISSING_VALUES:
            continue
        index = index_by_id.get(value)
        if index is None:
            reader.add_problem(f"people[{person_index}].{name}", value, "no vehicle of the accident bears it")
        elif result not in {None, index}:
            reader.add_problem(f"people[{person_index}].{name}", value, "names another vehicle than id_vehicule")
        result = index if index is not None else 0
    if result is None and vehicles > 1:
        reader.add_problem(
            f"people[{person_index}].num_veh", None, "needed, or id_vehicule: the accident has several vehicles"
        )
    return result or 0
