"""Coordinates against the department they are said to lie in: mend what is swapped or wrong in sign.

The boxes of departments are counted from real files; `scripts/build_cleaning_references.py` counts them anew.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

REFERENCE = Path(__file__).with_name("department_boxes.json")

Box = tuple[float, float, float, float]
"""South, north, west and east, in degrees."""

_MAINLAND: Box = (41.2, 51.3, -5.4, 9.8)
_OVERSEAS: dict[str, Box] = {
    "971": (15.7, 18.2, -63.3, -60.9),
    "972": (14.2, 15.1, -61.4, -60.6),
    "973": (2.0, 6.0, -54.8, -51.4),
    "974": (-21.6, -20.7, 55.1, 56.0),
    "975": (46.6, 47.3, -56.6, -56.0),
    "976": (-13.2, -12.4, 44.9, 45.4),
    "977": (17.8, 18.0, -63.0, -62.7),
    "978": (18.0, 18.2, -63.2, -62.9),
    "986": (-14.5, -13.0, -178.3, -176.0),
    "987": (-28.0, -7.5, -155.0, -134.0),
    "988": (-23.0, -19.4, 163.3, 168.5),
}
_EVERYWHERE: Box = (-90.0, 90.0, -180.0, 180.0)
_DEPARTMENT_LENGTH = 2  # overseas departments have three characters


@dataclass(frozen=True)
class CorrectedCoordinates:
    """Coordinates after mending, and what was done to which accident (bool masks)."""

    latitude: np.ndarray
    longitude: np.ndarray
    mended: np.ndarray
    outside: np.ndarray
    half: np.ndarray


def correct_coordinates(
    departments: pd.Series | np.ndarray, latitude: np.ndarray, longitude: np.ndarray
) -> CorrectedCoordinates:
    """Check the coordinates of each accident, and mend those that can be.

    A pair inside the box of its department stays as it is. Otherwise it is tried swapped, and with either or both
    signs changed; the first of these that lies in the box of the department is taken. A pair that none of these mends
    stays if it lies in the right part of the country (mainland and Corsica, or the overseas department) and becomes
    missing if not. Half a pair becomes missing. Accidents without a department are left alone.

    Args:
        departments: canonical `dep`, NA where missing.
        latitude: float64 degrees, NaN where missing.
        longitude: the same.
    """
    codes, distinct = pd.factorize(departments)
    narrow = _boxes_of(codes, [department_boxes().get(name, _part(name)) for name in distinct])
    wide = _boxes_of(codes, [_part(name) for name in distinct])
    half = np.isnan(latitude) != np.isnan(longitude)
    todo = ~np.isnan(latitude) & ~np.isnan(longitude) & ~_inside(latitude, longitude, narrow)
    outside = todo & ~_inside(latitude, longitude, wide)
    mended = np.zeros(len(latitude), dtype=bool)
    new_latitude, new_longitude = latitude.copy(), longitude.copy()
    if todo.any():
        for one, other in _ways(latitude, longitude):
            fits = todo & ~mended & _inside(one, other, narrow)
            new_latitude[fits], new_longitude[fits] = one[fits], other[fits]
            mended |= fits
    outside &= ~mended
    new_latitude[outside | half] = new_longitude[outside | half] = np.nan
    return CorrectedCoordinates(new_latitude, new_longitude, mended, outside, half)


def _ways(latitude: np.ndarray, longitude: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What a wrong pair may have been, the likeliest first."""
    yield longitude, latitude
    yield latitude, -longitude
    yield -latitude, longitude
    yield -latitude, -longitude
    yield longitude, -latitude
    yield -longitude, latitude
    yield -longitude, -latitude


def _part(department: str) -> Box:
    """Box of the part of the country in which a department lies."""
    return _MAINLAND if len(department) == _DEPARTMENT_LENGTH else _OVERSEAS.get(department, _EVERYWHERE)


def _boxes_of(codes: np.ndarray, boxes: list[Box]) -> np.ndarray:
    """float64 (4, accidents); accidents without a department, of code -1, get the last box: everywhere."""
    return np.array([*boxes, _EVERYWHERE])[codes].T


def _inside(latitude: np.ndarray, longitude: np.ndarray, box: np.ndarray) -> np.ndarray:
    south, north, west, east = box
    return (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)


@cache
def department_boxes() -> dict[str, Box]:
    """The box that holds the accidents of a department, by canonical `dep`; overseas ones have none."""
    return {name: tuple(box) for name, box in json.loads(REFERENCE.read_text(encoding="utf-8"))["boxes"].items()}
