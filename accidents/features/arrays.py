"""Accidents as plain arrays: the one form from which features are computed, for a year as for a single request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from accidents.columns import MISSING
from accidents.features.array_columns import ARRAY_COLUMNS, PUBLISHED, Entity
from accidents.features.cells import insee_number, map_distinct, road_number

if TYPE_CHECKING:
    import pandas as pd

    from accidents.tables import Accidents

Codes = npt.NDArray[np.int16]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Arrays:
    """`n` accidents with their `m` vehicles and `p` people, -1 and NaN where something is not recorded.

    Attributes:
        accident: int16 (n, columns of `layout.ARRAY_COLUMNS`), the derived columns still to be filled in.
        vehicles: int16 (m, columns), the vehicles of one accident next to each other.
        people: int16 (p, columns), likewise.
        vehicle_starts: int64 (n + 1), where the vehicles of each accident start, and the end.
        person_starts: int64 (n + 1), likewise.
        vehicle_ids: int64 (m), unique inside an accident.
        person_vehicle_ids: int64 (p), the vehicle that a person was in or was hit by.
        coordinates: float64 (n, 2), latitude and longitude in degrees.
        places: int64 (n, 3), department, commune and road as numbers (`keys.insee_number`, `keys.road_number`).
    """

    accident: Codes
    vehicles: Codes
    people: Codes
    vehicle_starts: Integers
    person_starts: Integers
    vehicle_ids: Integers
    person_vehicle_ids: Integers
    coordinates: npt.NDArray[np.float64]
    places: Integers


def to_arrays(accidents: "Accidents") -> Arrays:
    """Put cleaned accidents into arrays, in their order."""
    table, vehicles, people = accidents.accidents, accidents.vehicles, accidents.people
    ids = table["Num_Acc"].to_numpy()
    return Arrays(
        accident=_codes(table, Entity.ACCIDENT),
        vehicles=_codes(vehicles, Entity.VEHICLES),
        people=_codes(people, Entity.PEOPLE),
        vehicle_starts=_starts(vehicles, ids),
        person_starts=_starts(people, ids),
        vehicle_ids=vehicles["id_vehicule"].to_numpy(copy=True),
        person_vehicle_ids=people["id_vehicule"].to_numpy(copy=True),
        coordinates=table[["lat", "long"]].to_numpy(dtype=np.float64, copy=True),
        places=np.column_stack(
            [
                map_distinct(table["dep"].to_numpy(dtype=object), insee_number),
                map_distinct(table["com"].to_numpy(dtype=object), insee_number),
                map_distinct(table["voie"].to_numpy(dtype=object), road_number),
            ]
        ),
    )


def _codes(table: "pd.DataFrame", over: Entity) -> Codes:
    codes = np.full((len(table), len(ARRAY_COLUMNS[over])), MISSING, dtype=np.int16)
    for position, name in enumerate(PUBLISHED[over]):
        codes[:, position] = table[name].to_numpy()
    return codes


def _starts(rows: "pd.DataFrame", ids: Integers) -> Integers:
    return np.append(np.searchsorted(rows["Num_Acc"].to_numpy(), ids), len(rows))


def together(parts: Sequence[Arrays]) -> Arrays:
    """Several arrays as one, in their order."""

    def starts(counts: list[Integers]) -> Integers:
        return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(count) for count in counts]))])

    return Arrays(
        accident=np.concatenate([part.accident for part in parts]),
        vehicles=np.concatenate([part.vehicles for part in parts]),
        people=np.concatenate([part.people for part in parts]),
        vehicle_starts=starts([part.vehicle_starts for part in parts]),
        person_starts=starts([part.person_starts for part in parts]),
        vehicle_ids=np.concatenate([part.vehicle_ids for part in parts]),
        person_vehicle_ids=np.concatenate([part.person_vehicle_ids for part in parts]),
        coordinates=np.concatenate([part.coordinates for part in parts]),
        places=np.concatenate([part.places for part in parts]),
    )
