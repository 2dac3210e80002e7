"""Features from arrays, for training, batch scoring and single requests alike."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from accidents.columns import MISSING, UNKNOWN
from accidents.features import code_groups
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
from accidents.features.arrays import Arrays
from accidents.features.catalogue import FEATURES
from accidents.features.cells import locate_cells
from accidents.features.code_groups import Party

if TYPE_CHECKING:
    from accidents.features.kernel_arguments import KernelArguments

_ACCIDENT, _VEHICLE, _PERSON = (COLUMN_POSITIONS[entity] for entity in Entity)
_TIME_COLUMNS = tuple(_ACCIDENT[name] for name in ("hrmn", "jour", "mois", "an", "hour", "weekday"))
_GIVEN_PLACES = [_ACCIDENT["given_dep"], _ACCIDENT["given_com"]]
_PEDESTRIAN_CATU, _PEDESTRIAN = 3, int(Party.PEDESTRIAN)


def _lookup_table(values: dict[int, int], size: int, default: int = -1) -> npt.NDArray[np.int16]:
    """Lookup table for `kernels.look_up`: the value of a code at position code + 1."""
    table = np.full(size + 1, default, dtype=np.int16)
    for code, value in values.items():
        table[code + 1] = value
    return table


_PARTY = _lookup_table({code: int(party) for code, party in code_groups.PARTY_OF_CATV.items()}, 100)
_FRAILTY = _lookup_table({party: max(Party) - party for party in Party}, len(Party))
_BAND = _lookup_table(
    {age: int(np.searchsorted(code_groups.AGE_BANDS, age, side="right")) - 1 for age in range(code_groups.OLDEST + 1)},
    code_groups.OLDEST + 1,
    default=code_groups.REFERENCE_BAND,
)


@cache
def _kernel_arguments() -> "KernelArguments":
    from accidents.features.kernel_arguments import kernel_arguments  # numba takes a second to import

    return kernel_arguments()


def compute(arrays: Arrays) -> npt.NDArray[np.float32]:
    """Compute every feature of every level, float32 (n, len(FEATURES)), NaN where missing.

    A row depends on its own accident alone: it is the same, bit for bit, alone and among a million others. The derived
    columns of `arrays` are filled in.
    """
    from accidents.features import kernels  # numba takes a second to import

    _fill_derived_columns(arrays)
    arguments = _kernel_arguments()
    out = np.empty((len(arrays.accident), len(FEATURES)), dtype=np.float32)
    starts = np.arange(len(out) + 1)
    for entity, rows, first in (
        (Entity.ACCIDENT, arrays.accident, starts),
        (Entity.VEHICLES, arrays.vehicles, arrays.vehicle_starts),
        (Entity.PEOPLE, arrays.people, arrays.person_starts),
    ):
        kernels.aggregate(rows, first, *arguments.aggregates[entity], out)
        kernels.share_known(rows, first, *arguments.known[entity], UNKNOWN, out)
    kernels.combine(*arguments.combinations, out)
    return out


def _fill_derived_columns(arrays: Arrays) -> None:
    """Fill in the derived columns of `array_columns`."""
    from accidents.features import kernels

    accident, vehicles, people = arrays.accident, arrays.vehicles, arrays.people
    kind, vehicle, party = vehicles[:, _VEHICLE["kind"]], people[:, _PERSON["vehicle"]], people[:, _PERSON["party"]]
    kernels.look_up(vehicles[:, _VEHICLE["catv"]], _PARTY, kind)
    kernels.join_vehicles(
        kind, arrays.vehicle_ids, arrays.vehicle_starts, arrays.person_vehicle_ids, arrays.person_starts, vehicle
    )
    kernels.replace_role(vehicle, people[:, _PERSON["catu"]], _PEDESTRIAN_CATU, _PEDESTRIAN, party)
    kernels.look_up(party, _FRAILTY, people[:, _PERSON["frailty"]])
    kernels.derive_time(accident, *_TIME_COLUMNS)
    years, births, age = accident[:, _ACCIDENT["an"]], people[:, _PERSON["an_nais"]], people[:, _PERSON["age"]]
    kernels.derive_age(years, births, arrays.person_starts, code_groups.OLDEST, age)
    kernels.look_up(age, _BAND, people[:, _PERSON["band"]])
    accident[:, _GIVEN_PLACES] = np.where(arrays.places[:, :2] == UNKNOWN, UNKNOWN, 1)
    accident[:, _ACCIDENT["given_position"]] = np.where(np.isposinf(arrays.coordinates[:, 0]), UNKNOWN, 1)


def place_cells(arrays: Arrays) -> npt.NDArray[np.int64]:
    """Compute the cells of accidents, int64 (n, len(CELLS)), -1 where missing."""
    return locate_cells(np.maximum(arrays.places, MISSING), arrays.accident[:, _ACCIDENT["catr"]], arrays.coordinates)
