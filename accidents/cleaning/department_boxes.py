"""Bounding boxes of departments and of the parts of the country, to check coordinates with.

The boxes of departments are counted from real files by `scripts/build_cleaning_references.py`.
"""

import json
from functools import cache
from pathlib import Path

REFERENCE = Path(__file__).with_name("department_boxes.json")

Box = tuple[float, float, float, float]
"""South, north, west and east, in degrees."""

EVERYWHERE: Box = (-90.0, 90.0, -180.0, 180.0)
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
_MAINLAND_CODE_LENGTH = 2  # codes of overseas departments have three characters


@cache
def department_boxes() -> dict[str, Box]:
    """Box of the accidents of each mainland department, by its code `dep`; overseas departments have none."""
    return {name: tuple(box) for name, box in json.loads(REFERENCE.read_text(encoding="utf-8"))["boxes"].items()}


def territory_box(department: str) -> Box:
    """Box of the part of the country in which a department lies: mainland with Corsica, or its overseas territory.

    >>> territory_box("59")
    (41.2, 51.3, -5.4, 9.8)
    """
    return _MAINLAND if len(department) == _MAINLAND_CODE_LENGTH else _OVERSEAS.get(department, EVERYWHERE)
