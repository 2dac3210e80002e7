"""Digests of column definitions, to check that the columns of a stored model still exist unchanged.

A digest covers the declaration (tables, columns, codes, lookup tables) and the values of the column on a fixed set of
probe accidents. So it depends on the catalogue entry, groups of codes and kernels, and not on descriptions, order,
other columns or the way in which code is written.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from accidents.columns import MISSING, UNKNOWN
from accidents.features.array_columns import ARRAY_COLUMNS, PUBLISHED_COLUMNS, Entity
from accidents.features.arrays import Arrays
from accidents.features.catalogue import CATALOGUE, CELLS, FEATURES, PLACE_COLUMNS
from accidents.features.cells import insee_number, road_number
from accidents.features.compute import compute, place_cells
from accidents.features.place_columns import PlaceColumn
from accidents.features.place_encoder import PlaceEncoder, cells_with_parents
from accidents.features.specification import Aggregate, Cross, Feature, Known, Lookup, Ratio

_PROBES = 512
_DECIMALS = 4  # libraries of mathematics differ in the last bits of sine and logarithm
_RANGES = {
    "hrmn": (-1, 1439),
    "jour": (1, 28),
    "mois": (1, 12),
    "an": (2005, 2030),
    "an_nais": (1890, 2030),
    "vma": (-1, 150),
}
_CODES = (-1, 120)
_COMMON_CODES = np.arange(-1, 10)
_KINDS_OF_VEHICLES = np.array([1, 2, 3, 7, 10, *range(13, 18), 20, 21, *range(30, 44), 50, 60, 80, 99])
_DEPARTMENTS = ("01", "24", "2A", "75", "971", None)
_COMMUNES = ("01004", "24322", "2A004", "75115", "97105", None)
_ROADS = (
    "D438",
    "RN 104",
    "A6",
    "HOTEL DIEU (RUE DE L')",
    "Rue de l'Hôtel-Dieu",
    "11 NOVEMBRE (RUE DU)",
    "C12",
    "VC 3",
    "D 12 A",
    "0",
    None,
)


@cache
def column_digests() -> Mapping[str, str]:
    """SHA-256 (hexadecimal) of the definition of every column of the catalogue, by name."""
    probes = _probe_accidents()
    cells = place_cells(probes)
    places = _probe_encoder(cells).transform(cells)
    computed = np.round(np.hstack([compute(probes), places]), _DECIMALS) + 0.0  # no negative zero
    names = [feature.name for feature in (*FEATURES, *PLACE_COLUMNS)]
    return {name: _digest(CATALOGUE[name], values, cells) for name, values in zip(names, computed.T, strict=True)}


def _digest(feature: Feature, values: npt.NDArray[np.float32], cells: npt.NDArray[np.int64]) -> str:
    declared = json.dumps(_definition(feature), sort_keys=True).encode()
    numbers = np.where(np.isnan(values), np.float32(-1e9), values).astype("<f4")
    used = b""  # a stored encoder looks cells up by their numbers
    if isinstance(feature, PlaceColumn):
        used = cells[:, [CELLS.index(cell) for cell in cells_with_parents(feature.cell)]].astype("<i8").tobytes()
    return hashlib.sha256(declared + numbers.tobytes() + used).hexdigest()


def _definition(feature: Feature) -> dict[str, Any]:
    """Declaration of a feature, without names and descriptions."""
    match feature:
        case Aggregate():
            where = {column: sorted(map(int, codes)) for column, codes in feature.where.items()}
            return {
                "aggregation": feature.aggregation,
                "over": feature.entity,
                "value": feature.column,
                "by": feature.order_by,
                "where": where,
                "default": feature.default,
            }
        case Lookup():
            table = sorted((int(code), round(value, _DECIMALS)) for code, value in feature.table.items())
            return {"lookup": _definition(feature.of), "table": table}
        case Cross():
            return {"cross": [_definition(feature.first), _definition(feature.second)], "size": feature.size}
        case Ratio():
            return {"ratio": [_definition(feature.first), _definition(feature.second)]}
        case Known():
            return {"known": feature.entity, "columns": feature.columns}
        case PlaceColumn():
            return {"place": feature.cell, "statistic": feature.statistic}
    raise TypeError(f"feature {feature.name}: no definition of a {type(feature).__name__}")


def _random_numbers(name: str, count: int) -> npt.NDArray[np.uint64]:
    """Pseudo-random numbers seeded by a name (SplitMix64), the same on every machine and with every library."""
    state = np.uint64(crc32(name.encode())) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _random_integers(name: str, count: int, low: int, high: int) -> npt.NDArray[np.int64]:
    return low + (_random_numbers(name, count) % np.uint64(high - low + 1)).astype(np.int64)


def _codes(entity: Entity, count: int) -> npt.NDArray[np.int16]:
    """Random rows of one array; every column is seeded by its own name, so that it does not depend on the others."""
    rows = np.full((count, len(ARRAY_COLUMNS[entity])), -1, dtype=np.int16)
    for position, name in enumerate(PUBLISHED_COLUMNS[entity]):
        low, high = _RANGES.get(name, _CODES)
        values = _random_integers(name, count, low, high)
        if name not in _RANGES:  # every code once, common ones often
            codes = _KINDS_OF_VEHICLES if name == "catv" else _COMMON_CODES
            common = _random_numbers(f"{name} common", count) % np.uint64(3) > 0
            values = np.where(common, codes[_random_integers(f"{name} code", count, 0, len(codes) - 1)], values)
            values[: high - low + 1] = np.arange(low, high + 1)[: len(values)]
        if name != "catr":  # of which the cells of roads depend on the marker
            unknown = _random_numbers(f"{name} unknown", count) % np.uint64(2) == 0
            values = np.where(unknown & (values == MISSING), UNKNOWN, values)
        rows[:, position] = values
    return rows


def _probe_accidents() -> Arrays:
    vehicle_counts, person_counts = (
        _random_integers("vehicles", _PROBES, 0, 4),
        _random_integers("people", _PROBES, 0, 12),
    )
    vehicle_starts, person_starts = (np.concatenate([[0], np.cumsum(n)]) for n in (vehicle_counts, person_counts))
    vehicles, people = int(vehicle_starts[-1]), int(person_starts[-1])
    twice = _random_numbers("twice", vehicles) % np.uint64(8) == 0  # some vehicles bear the id of the one before
    ids = np.arange(vehicles, dtype=np.int64) - twice
    own = np.repeat(np.arange(_PROBES), person_counts)
    chosen = vehicle_starts[own] + _random_integers("vehicle of a person", people, 0, 4)
    coordinates = np.column_stack(
        [_random_integers("lat", _PROBES, 41_000, 51_000), _random_integers("long", _PROBES, -5_000, 10_000)]
    )
    unlocated = _random_numbers("unlocated", _PROBES)[:, None] % np.uint64(4) == 0
    return Arrays(
        accident=_codes(Entity.ACCIDENT, _PROBES),
        vehicles=_codes(Entity.VEHICLES, vehicles),
        people=_codes(Entity.PEOPLE, people),
        vehicle_starts=vehicle_starts.astype(np.int64),
        person_starts=person_starts.astype(np.int64),
        vehicle_ids=ids,
        person_vehicle_ids=np.where(chosen < vehicle_starts[own + 1], chosen, -1),
        coordinates=np.where(unlocated, np.nan, coordinates / 1000),
        places=np.column_stack(
            [
                np.array([number(text) for text in texts], dtype=np.int64)[
                    _random_integers(name, _PROBES, 0, len(texts) - 1)
                ]
                for name, texts, number in (
                    ("dep", _DEPARTMENTS, insee_number),
                    ("com", _COMMUNES, insee_number),
                    ("voie", _ROADS, road_number),
                )
            ]
        ),
    )


def _probe_encoder(cells: npt.NDArray[np.int64]) -> PlaceEncoder:
    """An encoder with random statistics for the cells of every second probe, independent of `fit`."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "strength": np.array(8.0),
        "mean": np.array(0.25, dtype=np.float32),
        "centre": np.array([46.5, 2.5]),
    }
    for cell, column in zip(CELLS, cells.T, strict=True):
        values = np.unique(column[::2])
        values = values[values >= 0]
        statistics = _random_integers(cell, 4 * len(values), 0, 1000).reshape(4, -1).astype(np.float32) / np.float32(
            1000
        )
        arrays |= {
            f"{cell}.values": values,
            f"{cell}.shares": statistics[0],
            f"{cell}.densities": statistics[1],
            f"{cell}.centres": 40 + 10 * statistics[2:].T.copy(),
        }
    return PlaceEncoder.from_arrays(arrays)
