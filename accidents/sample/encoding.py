"""Encoding of accidents for counting and sampling: groups of codes, bands, and derived variables.

Real accidents are counted and synthetic ones sampled with the same encoding. A coded frame maps names of variables to
integer arrays; vehicle kinds, age bands and the like are integers from 0.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
CodedFrame = dict[str, NDArray]

VEHICLE_KINDS: Mapping[str, tuple[int, ...]] = {
    "bicycle": (1, 80),
    "personal device": (50, 60),
    "moped": (2, 30, 41),
    "light motorcycle": (31, 32, 42),
    "heavy motorcycle": (33, 34, 43),
    "car": (3, 7),
    "van": (10,),
    "lorry": (13, 14, 15, 16, 17),
    "bus": (37, 38),
    "rail": (39, 40),
    "other": (0, 4, 5, 6, 8, 9, 11, 12, 18, 19, 20, 21, 35, 36, 99),
}
"""Kinds of vehicles, from the least protected to the heaviest, with their codes of `catv`."""

CAR = list(VEHICLE_KINDS).index("car")
BUS = list(VEHICLE_KINDS).index("bus")
NO_KIND = len(VEHICLE_KINDS)
"""Code of the kind of a vehicle that does not exist."""

DRIVER, PASSENGER, PEDESTRIAN = 0, 1, 2

AGE_EDGES = (10, 15, 18, 25, 35, 45, 55, 65, 75, 85)
UNKNOWN_AGE = len(AGE_EDGES) + 1
"""Band of people whose year of birth is missing."""

HOUR_EDGES = (6, 10, 16, 20)

MAX_VEHICLES = 11
MAX_PEDESTRIANS = 5
MAX_PASSENGERS = 8

_KIND_OF_CATV = np.full(100, NO_KIND - 1)
for _index, _codes in enumerate(VEHICLE_KINDS.values()):
    _KIND_OF_CATV[list(_codes)] = _index


def vehicle_kind(catv: Codes) -> Codes:
    """Kind of vehicle by code of `catv`."""
    return _KIND_OF_CATV[np.clip(catv, 0, 99)]


def driver_sexe(sexes: list) -> Codes:
    """Sex of the driver as a condition of passengers: 3 where it is missing (0 stands for no driver)."""
    return np.array([3 if sexe < 0 else sexe for sexe in sexes])


def age_band(age: Codes) -> Codes:
    """Band of an age in years; negative ages are missing."""
    return np.where(age < 0, UNKNOWN_AGE, np.digitize(age, AGE_EDGES))


def hour_band(hour: Codes) -> Codes:
    """Night, morning, day, evening rush or late evening."""
    return np.digitize(hour, HOUR_EDGES)


def is_overseas(departments: list) -> Codes:
    """1 for departments outside Europe, by their three characters, else 0."""
    return np.array([len(department) == 3 for department in departments], dtype=np.int64)


def position_within(owner: Codes) -> Codes:
    """Position of every row within its group, from 0; rows of a group stand together."""
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    return np.arange(len(owner)) - np.repeat(starts, np.diff(np.r_[starts, len(owner)]))


def weakest_and_strongest_kind(owner: Codes, kind: Codes, accidents: int) -> tuple[Codes, Codes]:
    """The least protected and the heaviest other kind of every accident (`NO_KIND` where there is one vehicle)."""
    order = np.lexsort((kind, owner))
    sorted_owner, sorted_kind = owner[order], kind[order]
    weak = np.full(accidents, NO_KIND)
    strong = np.full(accidents, NO_KIND)
    position = position_within(sorted_owner)
    weak[sorted_owner[position == 0]] = sorted_kind[position == 0]
    strong[sorted_owner[position > 0]] = sorted_kind[position > 0]
    return weak, strong


def light_month(month: Codes) -> Codes:
    """Month (from 0) whose daylight is used: March for October, January for November and December."""
    return _LIGHT_MONTH[month]


def weather_month(month: Codes, uniform: NDArray[np.float64]) -> Codes:
    """Month (from 0) whose weather is used: from October on September or, with growing probability, January."""
    like_january = uniform < (month - 8) / 4
    return np.where(month <= 8, month, np.where(like_january, 0, 8))


_LIGHT_MONTH = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0])

CONDITION_SIZES = {
    "previous_kind": NO_KIND + 1,
    "weak": NO_KIND + 1,
    "strong": NO_KIND + 1,
    "light_month": 12,
    "weather_month": 12,
    "overseas": 2,
    "hour_band": len(HOUR_EDGES) + 1,
    "role": 3,
    "band": UNKNOWN_AGE + 1,
    "driver_band": UNKNOWN_AGE + 2,
    "driver_sexe": 4,
    "seat": MAX_PASSENGERS + 2,
    "own": NO_KIND + 1,
    "victim_band": UNKNOWN_AGE + 1,
    "victim_sexe": 3,
    "people": 10,
    "obstacle": 20,
    "first_manv": 30,
    "second_manv": 30,
    "first_choc": 13,
    "second_choc": 13,
    "eldest": UNKNOWN_AGE + 1,
    "youngest_driver": UNKNOWN_AGE + 1,
    "unprotected": 3,
    "exposure": NO_KIND + 2,
    "priority": 2,
}
"""Number of values of conditions that are derived from other variables."""

VARIABLE_SIZES = {
    "police": 2,
    "vehicles": MAX_VEHICLES,
    "pedestrians": MAX_PEDESTRIANS + 1,
    "kind": NO_KIND,
    "fled": 2,
    "occupants": 3,
    "passengers": MAX_PASSENGERS + 1,
    **dict.fromkeys(("severe", "also_severe", "killed", "slight", "also_slight"), 2),
}
"""Number of values of sampled variables that have no published values."""


def exposure(role: Codes, kind: Codes) -> Codes:
    """Exposure of people: 0 on foot, then by the kind of their vehicle."""
    return np.where(role == PEDESTRIAN, 0, kind + 1)


def seat_order(vehicle: Codes, role: Codes) -> Codes:
    """Order of a passenger in the vehicle, from 1; 0 for everybody else. People of a vehicle stand together."""
    passenger = role == PASSENGER
    order = np.zeros(len(vehicle), dtype=np.int64)
    order[passenger] = position_within(vehicle[passenger]).clip(max=MAX_PASSENGERS) + 1
    return order


def without_equipment(person: CodedFrame, none: int) -> Codes:
    """1 for riders without a helmet, 2 for occupants of cars and lorries without a belt, else 0.

    Args:
        person: coded people.
        none: code of "no equipment" in `secu1`.
    """
    due = np.where(person["kind"] < CAR, 1, np.where(person["kind"] < BUS, 2, 0))
    return due * ((person["secu1"] == none) & (person["role"] != PEDESTRIAN))


def domain_sizes(domains: Mapping[str, list]) -> dict[str, int]:
    """Number of values of every variable and condition, given the published values of those that have some."""
    lengths = {name: len(values) for name, values in domains.items()}
    before = {f"previous_{name}": lengths[name] + 1 for name in ("manv", "choc")}
    return lengths | before | CONDITION_SIZES | VARIABLE_SIZES
