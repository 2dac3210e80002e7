"""Invented names of roads, streets and addresses."""

import json
from pathlib import Path

import numpy as np

from accidents.sample.encoding import Codes

_NAMES = json.loads(Path(__file__).with_name("addresses.json").read_text(encoding="utf-8"))
_STREETS, _UPPER_STREETS = _NAMES["streets"], _NAMES["upper_streets"]
_ODD_ADDRESSES = _NAMES["odd"]  # contain the separator and quotes

MISSING_TEXT = "N/A"
"""Marker of missing text in the files since 2019."""

_SHARE_NUMBERED = 0.3
_SHARE_ODD = 0.001
_HOUSE_NUMBERS = 200


def invent_addresses(catr: Codes, road: Codes, rng: np.random.Generator) -> np.ndarray:
    """Addresses: the road on motorways and trunk roads, else a street, sometimes with a number."""
    accidents = len(catr)
    names = np.array(_STREETS + _UPPER_STREETS, dtype=object)
    streets = names[rng.integers(len(names), size=accidents)]
    numbered = rng.random(accidents) < _SHARE_NUMBERED
    numbers = rng.integers(1, _HOUSE_NUMBERS, size=accidents)
    numbered_streets = zip(numbers[numbered], streets[numbered], strict=True)
    streets[numbered] = [f"{number} {street}" for number, street in numbered_streets]
    result = np.where(catr <= 2, road_names(catr, road), streets)
    odd = rng.random(accidents) < _SHARE_ODD
    result[odd] = np.array(_ODD_ADDRESSES, dtype=object)[rng.integers(len(_ODD_ADDRESSES), size=int(odd.sum()))]
    result[rng.random(accidents) < 0.043] = MISSING_TEXT
    return result


def road_names(catr: Codes, road: Codes) -> np.ndarray:
    """Names such as `A86`, `RN 104` and `D438`."""
    prefixes = np.array(["", "A", "RN ", "D"], dtype=object)[np.where(catr <= 3, catr, 0)]
    return prefixes + road.astype(str).astype(object)


def invent_road_numbers(catr: Codes, road: Codes, rng: np.random.Generator) -> np.ndarray:
    """`voie`: a number on numbered roads, mostly, else a street in capitals or nothing."""
    accidents = len(catr)
    streets = np.array(_UPPER_STREETS, dtype=object)[rng.integers(len(_UPPER_STREETS), size=accidents)]
    numbered = rng.random(accidents) < np.where(catr <= 3, 0.75, 0.06)
    result = np.where(numbered, road.astype(str).astype(object), np.where(catr <= 3, road_names(catr, road), streets))
    result[rng.random(accidents) < np.where(catr <= 3, 0.03, 0.22)] = MISSING_TEXT
    return result
