"""Corrects coordinates that do not lie in the department of the accident: swapped, or of the wrong sign."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from accidents.cleaning.department_boxes import EVERYWHERE, Box, department_boxes, territory_box


@dataclass(frozen=True)
class CorrectedCoordinates:
    """Coordinates of `n` accidents after correction.

    Attributes:
        latitude: float64 (n), degrees, NaN where missing.
        longitude: float64 (n), degrees, NaN where missing.
        corrected: bool (n), the pair was swapped or a sign was changed.
        outside: bool (n), the pair was too far away and became missing.
        incomplete: bool (n), one of the two was missing, and so both are.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    corrected: np.ndarray
    outside: np.ndarray
    incomplete: np.ndarray


def correct_coordinates(
    departments: pd.Series | np.ndarray, latitude: np.ndarray, longitude: np.ndarray
) -> CorrectedCoordinates:
    """Check the coordinates of each accident against its department, and correct them where possible.

    A pair inside the box of its department stays. Otherwise it is tried swapped and with either or both signs changed;
    the first variant inside the box is taken. Without one, the pair stays if it lies in the right part of the country
    (mainland and Corsica, or the overseas department), and else becomes missing. Incomplete pairs become missing.
    Accidents without a department are not checked.

    Args:
        departments: code `dep` of n accidents, NA where missing.
        latitude: float64 (n), degrees, NaN where missing.
        longitude: float64 (n), degrees, NaN where missing.

    Example:
        >>> result = correct_coordinates(np.array(["59"], dtype=object), np.array([3.06]), np.array([50.63]))
        >>> result.latitude.tolist(), result.longitude.tolist(), result.corrected.tolist()
        ([50.63], [3.06], [True])
    """
    codes, distinct = pd.factorize(departments)
    department_box = _boxes_of(codes, [department_boxes().get(name, territory_box(name)) for name in distinct])
    territory = _boxes_of(codes, [territory_box(name) for name in distinct])
    incomplete = np.isnan(latitude) != np.isnan(longitude)
    wrong = ~np.isnan(latitude) & ~np.isnan(longitude) & ~_inside(latitude, longitude, department_box)
    outside = wrong & ~_inside(latitude, longitude, territory)
    corrected = np.zeros(len(latitude), dtype=bool)
    new_latitude, new_longitude = latitude.copy(), longitude.copy()
    if wrong.any():
        for lat, long in _variants(latitude, longitude):
            fits = wrong & ~corrected & _inside(lat, long, department_box)
            new_latitude[fits], new_longitude[fits] = lat[fits], long[fits]
            corrected |= fits
    outside &= ~corrected
    new_latitude[outside | incomplete] = new_longitude[outside | incomplete] = np.nan
    return CorrectedCoordinates(new_latitude, new_longitude, corrected, outside, incomplete)


def _variants(latitude: np.ndarray, longitude: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Swapped and sign-changed pairs, the most likely first."""
    yield longitude, latitude
    yield latitude, -longitude
    yield -latitude, longitude
    yield -latitude, -longitude
    yield longitude, -latitude
    yield -longitude, latitude
    yield -longitude, -latitude


def _boxes_of(codes: np.ndarray, boxes: list[Box]) -> np.ndarray:
    """float64 (4, accidents); accidents without a department, of code -1, get the last box: everywhere."""
    return np.array([*boxes, EVERYWHERE])[codes].T


def _inside(latitude: np.ndarray, longitude: np.ndarray, box: np.ndarray) -> np.ndarray:
    south, north, west, east = box
    return (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)
