"""How much of an accident is kept: all, what monitoring needs, or nothing.

Reduced, an accident holds the columns that features use, and no more than these: coordinates are rounded to about a
kilometre, a road keeps its number and no name, and people are tied to vehicles by position in place of published ids.
It still is a request that `accidents.requests.parse_request` takes, with the same features but for those of the place.
"""

import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from accidents.columns import MISSING
from accidents.features.array_columns import PUBLISHED, Over
from accidents.features.cells import code_of_road
from accidents.requests import flat, nested
from accidents.requests.rows import COLUMNS, MAX_ROWS, RequestPart
from accidents.requests.values import Value, parse_value

FULL, REDUCED, NONE = "full", "reduced", "none"

DECIMALS = 2
"""Of coordinates: a hundredth of a degree is about a kilometre."""

_GREATEST_ROAD_NUMBER = 99_999
_ROAD_NAME = "voie"
_COORDINATE = {name: COLUMNS[RequestPart.ACCIDENT][name] for name in ("lat", "long")}
_IDS = ("id_vehicule", "num_veh")
_ABSENT = frozenset({MISSING, None})
_PLACES = ("dep", "com")


def _names(part: RequestPart, wanted: tuple[str, ...]) -> frozenset[str]:
    """The wanted columns of a part, by every name that they may bear."""
    return frozenset(name for name, column in COLUMNS[part].items() if column.name in wanted)


_ACCIDENT = _names(RequestPart.ACCIDENT, (*PUBLISHED[Over.ACCIDENT], *_PLACES))
_ROAD = _names(RequestPart.ROAD, PUBLISHED[Over.ACCIDENT])
_VEHICLE = _names(RequestPart.VEHICLES, PUBLISHED[Over.VEHICLES])
_PERSON = _names(RequestPart.PEOPLE, PUBLISHED[Over.PEOPLE])
_FLAT = (_ACCIDENT | _ROAD | _VEHICLE | _PERSON | {"nb_vehicules", "nb_victim", "year_acc"}) & flat.FLAT_FIELDS


def keeper(kept: str) -> Callable[[Any], tuple[str, str | None]]:
    """The function that gives, for the content of a request, how much of it is kept and its JSON.

    It never raises: of what cannot be written as JSON nothing is kept.
    """
    return {FULL: _full, REDUCED: _reduced, NONE: _nothing}[kept]


def reduced(content: Mapping[str, Any]) -> dict[str, Any]:
    """What monitoring needs of an accident, in the form that it came in."""
    if not content.keys() & nested.NESTED_PARTS:
        flat_form = _kept(content, _FLAT)
        _add_rounded(flat_form, content)
        return flat_form
    accident, road = _kept(content.get("accident", {}), _ACCIDENT), _kept(content.get("road", {}), _ROAD)
    _add_rounded(accident, content.get("accident", {}))
    _add_number(road, content.get("road", {}))
    vehicles = [_kept(row, _VEHICLE) for row in content["vehicles"]]
    people = [_kept(row, _PERSON) for row in content["people"]]
    if len(vehicles) > 1:
        _tie(vehicles, people, content)
    return {"accident": accident, "road": road, "vehicles": vehicles, "people": people}


def _full(content: Any) -> tuple[str, str | None]:
    try:
        return FULL, orjson.dumps(content).decode()
    except TypeError:  # huge integers, halves of surrogate pairs and deep nesting, in what was ignored
        pass
    try:
        return FULL, json.dumps(content, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return NONE, None


def _reduced(content: Any) -> tuple[str, str | None]:
    try:
        return REDUCED, orjson.dumps(reduced(content)).decode()
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return NONE, None


def _nothing(content: Any) -> tuple[str, str | None]:  # noqa: ARG001
    return NONE, None


def _kept(row: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    found = dict(row)
    if not names.issuperset(found):
        for name in found.keys() - names:
            del found[name]
    return found


def _add_rounded(found: dict[str, Any], row: Mapping[str, Any]) -> None:
    for name, column in _COORDINATE.items():
        raw = row.get(name)
        value = raw if type(raw) is float else parse_value(column, raw)
        if isinstance(value, float) and math.isfinite(value):
            found[name] = round(value, DECIMALS)


def _add_number(found: dict[str, Any], road: Mapping[str, Any]) -> None:
    name = road.get(_ROAD_NAME)
    if name is not None and 0 <= (number := _road_number(str(name))) <= _GREATEST_ROAD_NUMBER:
        found[_ROAD_NAME] = str(number)


_road_number = lru_cache(4096)(code_of_road)


def _tie(vehicles: list[dict[str, Any]], people: list[dict[str, Any]], content: Mapping[str, Any]) -> None:
    """Give vehicles their position for an id, and people that of their vehicle."""
    names: dict[Value, str] = {}
    for position, (found, row) in enumerate(zip(vehicles, content["vehicles"], strict=True)):
        found["num_veh"] = _position(position)
        for name in _IDS:
            if name in row and (key := _key(name, row[name])) not in _ABSENT:
                names[key] = found["num_veh"]
    for found, row in zip(people, content["people"], strict=True):
        for name in _IDS:
            if name in row and (vehicle := names.get(_key(name, row[name]))) is not None:
                found["num_veh"] = vehicle


def _key(name: str, raw: Any) -> Value:
    return raw if type(raw) is int and raw > 0 else _typed_key(name, raw)


@lru_cache(4096)
def _typed_key(name: str, raw: Any) -> Value:
    return parse_value(COLUMNS[RequestPart.VEHICLES][name], raw)


@lru_cache(MAX_ROWS)
def _position(number: int) -> str:
    """A `num_veh` that says no more than the position of the vehicle, and that `parse` takes."""
    return f"V{number:03d}"
