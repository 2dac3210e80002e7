"""Data minimisation: how much of an accident is stored with a prediction (all, what monitoring needs, or nothing).

A reduced accident has only the columns that features use: coordinates are rounded to about a kilometre, a road keeps
its number and loses its name, and people refer to vehicles by position in place of published ids. It can still be
parsed by `accidents.requests.parse_request`, and all features other than those of the place have the same values.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from accidents.columns import MISSING_CODES
from accidents.features.array_columns import PUBLISHED_COLUMNS, Entity
from accidents.features.cells import road_number
from accidents.requests import flat, nested
from accidents.requests.derived_facts import DerivedFact, unnamed_source
from accidents.requests.rows import COLUMNS, MAX_ROWS, RequestPart
from accidents.requests.values import Value, parse_value

FULL, REDUCED, NONE = "full", "reduced", "none"

DECIMALS = 2
"""Decimals of coordinates: a hundredth of a degree is about a kilometre."""

_MAX_ROAD_NUMBER = 99_999
_ROAD_NAME = "voie"
_COORDINATES = {name: COLUMNS[RequestPart.ACCIDENT][name] for name in ("lat", "long")}
_ID_COLUMNS = ("id_vehicule", "num_veh")
_ABSENT = MISSING_CODES | {None}
_PLACES = ("dep", "com")


def _aliases(part: RequestPart, columns: tuple[str, ...]) -> frozenset[str]:
    """All names under which a request may give these columns."""
    return frozenset(name for name, column in COLUMNS[part].items() if column.name in columns)


_ACCIDENT = _aliases(RequestPart.ACCIDENT, (*PUBLISHED_COLUMNS[Entity.ACCIDENT], *_PLACES))
_ROAD = _aliases(RequestPart.ROAD, PUBLISHED_COLUMNS[Entity.ACCIDENT])
_VEHICLE = _aliases(RequestPart.VEHICLES, PUBLISHED_COLUMNS[Entity.VEHICLES])
_PERSON = _aliases(RequestPart.PEOPLE, PUBLISHED_COLUMNS[Entity.PEOPLE])
_FLAT = (_ACCIDENT | _ROAD | _VEHICLE | _PERSON | {"nb_vehicules", "nb_victim", "year_acc"}) & flat.FLAT_FIELDS


def input_serialiser(detail: str) -> Callable[[Any], tuple[str, str | None]]:
    """The function that serialises the content of a request with a level of detail.

    It returns the level that was stored and the JSON. It never raises: content that cannot be written as JSON is
    stored as `NONE`.

    Args:
        detail: one of `FULL`, `REDUCED`, `NONE`.
    """
    return {FULL: _serialise_full, REDUCED: _serialise_reduced, NONE: _serialise_none}[detail]


def serialise_derived(facts: Sequence[DerivedFact], kept: str) -> str | None:
    """Derived facts as JSON, in the level of detail in which the accident was stored; None where it was not.

    Reduced, coordinates are rounded and the address that was found is left out.
    """
    if kept == NONE:
        return None
    if not facts:
        return "[]"
    rows = [{"field": fact.field, "value": fact.value, "source": fact.source} for fact in facts]
    if kept == REDUCED:
        for row, fact in zip(rows, facts, strict=True):
            row["source"] = unnamed_source(fact.source)
            if isinstance(fact.value, float):
                row["value"] = round(fact.value, DECIMALS)
    return orjson.dumps(rows).decode()


def reduce_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an accident that monitoring needs, in its own form (nested or flat)."""
    if not content.keys() & nested.NESTED_PARTS:
        flat_form = _select(content, _FLAT)
        _add_rounded_coordinates(flat_form, content)
        return flat_form
    accident, road = _select(content.get("accident", {}), _ACCIDENT), _select(content.get("road", {}), _ROAD)
    _add_rounded_coordinates(accident, content.get("accident", {}))
    _add_road_number(road, content.get("road", {}))
    vehicles = [_select(row, _VEHICLE) for row in content["vehicles"]]
    people = [_select(row, _PERSON) for row in content["people"]]
    if len(vehicles) > 1:
        _link_by_position(vehicles, people, content)
    return {"accident": accident, "road": road, "vehicles": vehicles, "people": people}


def _serialise_full(content: Any) -> tuple[str, str | None]:
    content = _parsed(content)
    try:
        return FULL, orjson.dumps(content).decode()
    except TypeError:  # huge integers, lone surrogates and deep nesting in ignored fields
        pass
    try:
        return FULL, json.dumps(content, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return NONE, None


def _serialise_reduced(content: Any) -> tuple[str, str | None]:
    try:
        return REDUCED, orjson.dumps(reduce_content(_parsed(content))).decode()
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return NONE, None


def _parsed(content: Any) -> Any:
    return orjson.loads(content) if isinstance(content, bytes) else content


def _serialise_none(content: Any) -> tuple[str, str | None]:  # noqa: ARG001
    return NONE, None


def _select(row: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    selected = dict(row)
    if not names.issuperset(selected):
        for name in selected.keys() - names:
            del selected[name]
    return selected


def _add_rounded_coordinates(selected: dict[str, Any], row: Mapping[str, Any]) -> None:
    for name, column in _COORDINATES.items():
        raw = row.get(name)
        value = raw if type(raw) is float else parse_value(column, raw)
        if isinstance(value, float) and math.isfinite(value):
            selected[name] = round(value, DECIMALS)


def _add_road_number(selected: dict[str, Any], road: Mapping[str, Any]) -> None:
    name = road.get(_ROAD_NAME)
    if name is not None and 0 <= (number := _road_number(str(name))) <= _MAX_ROAD_NUMBER:
        selected[_ROAD_NAME] = str(number)


_road_number = lru_cache(4096)(road_number)


def _link_by_position(vehicles: list[dict[str, Any]], people: list[dict[str, Any]], content: Mapping[str, Any]) -> None:
    """Replace the ids of vehicles by their positions, and those of people by the positions of their vehicles."""
    position_ids: dict[Value, str] = {}
    for position, (selected, row) in enumerate(zip(vehicles, content["vehicles"], strict=True)):
        selected["num_veh"] = _position_id(position)
        for name in _ID_COLUMNS:
            if name in row and (vehicle_id := _vehicle_id(name, row[name])) not in _ABSENT:
                position_ids[vehicle_id] = selected["num_veh"]
    for selected, row in zip(people, content["people"], strict=True):
        for name in _ID_COLUMNS:
            if name in row and (position_id := position_ids.get(_vehicle_id(name, row[name]))) is not None:
                selected["num_veh"] = position_id


def _vehicle_id(name: str, raw: Any) -> Value:
    return raw if type(raw) is int and raw > 0 else _typed_vehicle_id(name, raw)


@lru_cache(4096)
def _typed_vehicle_id(name: str, raw: Any) -> Value:
    return parse_value(COLUMNS[RequestPart.VEHICLES][name], raw)


@lru_cache(MAX_ROWS)
def _position_id(number: int) -> str:
    """A valid `num_veh` that contains only the position of the vehicle."""
    return f"V{number:03d}"
