"""The department of a commune and of coordinates, and the time zone of a department."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

OUTLINES = Path(__file__).with_name("outlines") / "departments.geojson"

CELLS_PER_DEGREE = 100
_MAX_DISTANCE = 0.06  # degrees to the nearest outline: harbours and beaches that the outlines cut off
_OVERSEAS_PREFIXES = ("97", "98")
_OVERSEAS_TIME_ZONES = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}

Points = npt.NDArray[np.float64]
Ring = npt.NDArray[np.float64]
"""A closed line, float64 (k, 2): longitude and latitude in degrees."""


def department_codes() -> tuple[str, ...]:
    """INSEE codes of all departments, of Corsica after 95, then overseas.

    >>> len(department_codes()), department_codes()[:2], department_codes()[-1]
    (107, ('01', '02'), '988')
    """
    mainland = (f"{number:02d}" for number in range(1, 96) if number != 20)
    return (*mainland, "2A", "2B", *_OVERSEAS_TIME_ZONES)


def department_of_commune(commune: str) -> str:
    """Department of an INSEE code of a commune.

    >>> department_of_commune("2A004"), department_of_commune("97411")
    ('2A', '974')
    """
    return commune[:3] if commune.startswith(_OVERSEAS_PREFIXES) else commune[:2]


def time_zone(department: str) -> str:
    """Name of the time zone of a department, such as `Europe/Paris`."""
    return _OVERSEAS_TIME_ZONES.get(department, "Europe/Paris")


def department_at(latitude: float, longitude: float) -> str | None:
    """Department around a point, by its outline, or the nearest one within some 6 km; None farther away.

    Where accidents of a cell of 0.01 degrees nearly all lie in another department than the outlines say, which are up
    to two kilometres off, the cell decides.

    Args:
        latitude: in degrees.
        longitude: in degrees.

    >>> department_at(48.8566, 2.3522), department_at(-20.88, 55.45), department_at(45.0, -10.0)
    ('75', '974', None)
    """
    rings, cells = _outlines()
    cell = int(np.floor(latitude * CELLS_PER_DEGREE)), int(np.floor(longitude * CELLS_PER_DEGREE))
    if cell in cells:
        return cells[cell]
    x, y = np.array([longitude]), np.array([latitude])
    near = [
        (code, ring)
        for code, ring, (west, south, east, north) in rings
        if west - _MAX_DISTANCE <= longitude <= east + _MAX_DISTANCE
        and south - _MAX_DISTANCE <= latitude <= north + _MAX_DISTANCE
    ]
    around = [code for code, ring in near if in_ring(ring, x, y)[0]]
    for code in around:
        if around.count(code) % 2:  # a ring inside another one is a hole
            return code
    distances = [(_distance(ring, longitude, latitude), code) for code, ring in near]
    distance, nearest = min(distances, default=(np.inf, None))
    return nearest if distance < _MAX_DISTANCE else None


def in_ring(ring: Ring, x: Points, y: Points) -> npt.NDArray[np.bool_]:
    """Whether points lie in a closed ring, bool (n): a ray to the east crosses it an odd number of times."""
    (x1, y1), (x2, y2) = ring[:-1].T, ring[1:].T
    sloped = y1 != y2
    x1, y1, x2, y2 = (values[sloped] for values in (x1, y1, x2, y2))
    at_height = (x2 - x1) / (y2 - y1) * (y[:, None] - y1) + x1
    crossed = ((y1 > y[:, None]) != (y2 > y[:, None])) & (x[:, None] < at_height)
    return crossed.sum(axis=1) % 2 == 1


def _distance(ring: Ring, longitude: float, latitude: float) -> float:
    """Least distance of a point to the sides of a ring, in degrees of latitude."""
    scale = np.array([np.cos(np.radians(latitude)), 1.0])
    points = (ring - (longitude, latitude)) * scale
    start, side = points[:-1], np.diff(points, axis=0)
    length = (side**2).sum(axis=1)
    along = np.clip(-(start * side).sum(axis=1) / np.where(length > 0, length, 1), 0, 1)
    return float(np.sqrt(((start + along[:, None] * side) ** 2).sum(axis=1)).min())


@cache
def _outlines() -> tuple[list[tuple[str, Ring, list[float]]], dict[tuple[int, int], str]]:
    """Rings with their department and box (west, south, east, north), and the department of cells."""
    content: dict[str, Any] = json.loads(OUTLINES.read_text(encoding="utf-8"))
    rings = [
        (feature["properties"]["code"], np.array(ring), [*np.min(ring, axis=0), *np.max(ring, axis=0)])
        for feature in content["features"]
        for polygon in feature["geometry"]["coordinates"]
        for ring in polygon
    ]
    cells = {(south, west): code for code, own in content["cells"].items() for south, west in own}
    return rings, cells
