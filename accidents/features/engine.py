"""From arrays to features: the one function behind training, batch scoring and a single request."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from accidents.features import groups
from accidents.features.arrays import Arrays
from accidents.features.catalogue import FEATURES
from accidents.features.groups import Party
from accidents.features.keys import keys
from accidents.features.layout import POSITION, Over

if TYPE_CHECKING:
    from accidents.features.plan import Plan

_TIME, _VEHICLE, _PERSON = (POSITION[over] for over in (Over.ACCIDENT, Over.VEHICLES, Over.PEOPLE))
_PEDESTRIAN_CATU = 3


def _table(values: dict[int, int], size: int, default: int = -1) -> npt.NDArray[np.int16]:
    """Table by code plus one."""
    table = np.full(size + 1, default, dtype=np.int16)
    for code, value in values.items():
        table[code + 1] = value
    return table


_PARTY = _table({code: int(party) for code, party in groups.PARTY_OF_CATV.items()}, 100)
_BAND = _table(
    {age: int(np.searchsorted(groups.AGE_BANDS, age, side="right")) - 1 for age in range(groups.OLDEST + 1)},
    groups.OLDEST + 1,
    default=groups.REFERENCE_BAND,
)


@cache
def _plan() -> "Plan":
    from accidents.features.plan import plan  # numba takes a second to import

    return plan()


def compute(arrays: Arrays) -> npt.NDArray[np.float32]:
    """Compute every feature of every level, float32 (n, len(FEATURES)), NaN where not recorded.

    A row depends on its own accident alone: computed alone or among a million others it is the same, bit for bit.
    """
    from accidents.features import kernels  # numba takes a second to import

    _derive(arrays)
    out = np.empty((len(arrays.accident), len(FEATURES)), dtype=np.float32)
    rows = {
        Over.ACCIDENT: (arrays.accident, np.arange(len(arrays.accident) + 1)),
        Over.VEHICLES: (arrays.vehicles, arrays.vehicle_starts),
        Over.PEOPLE: (arrays.people, arrays.person_starts),
    }
    for over, arguments in _plan().aggregates.items():
        kernels.aggregate(*rows[over], *arguments, out)
    kernels.combine(*_plan().combinations, out)
    return out


def _derive(arrays: Arrays) -> None:
    """Fill in the derived columns of `layout`."""
    from accidents.features import kernels

    accident, vehicles, people = arrays.accident, arrays.vehicles, arrays.people
    kernels.derive_time(accident, *(_TIME[name] for name in ("hrmn", "jour", "mois", "an", "hour", "weekday")))
    vehicles[:, _VEHICLE["kind"]] = _PARTY[vehicles[:, _VEHICLE["catv"]] + 1]
    kernels.link(
        vehicles[:, _VEHICLE["kind"]],
        arrays.vehicle_ids,
        arrays.vehicle_starts,
        arrays.person_vehicle_ids,
        arrays.person_starts,
        people[:, _PERSON["vehicle"]],
    )
    pedestrian = people[:, _PERSON["catu"]] == _PEDESTRIAN_CATU
    party = np.where(pedestrian, np.int16(Party.PEDESTRIAN), people[:, _PERSON["vehicle"]])
    people[:, _PERSON["party"]] = party
    people[:, _PERSON["frailty"]] = np.where(party < 0, -1, max(Party) - party)
    age = people[:, _PERSON["age"]]
    kernels.derive_age(
        accident[:, _TIME["an"]], people[:, _PERSON["an_nais"]], arrays.person_starts, groups.OLDEST, age
    )
    people[:, _PERSON["band"]] = _BAND[age + 1]


def place_keys(arrays: Arrays) -> npt.NDArray[np.int64]:
    """Compute the geography keys, int64 (n, len(KEYS)), -1 where not recorded."""
    return keys(arrays.places, arrays.accident[:, _TIME["catr"]], arrays.coordinates)
