"""Accidents as NumPy arrays: the input of the feature kernels, for a year as for a single request."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from accidents.columns import MISSING
from accidents.features.array_columns import ARRAY_COLUMNS, PUBLISHED_COLUMNS, Entity
from accidents.features.cells import insee_number, map_distinct, road_number

if TYPE_CHECKING:
    import pandas as pd

    from accidents.tables import Accidents

Codes = npt.NDArray[np.int16]
Integers = npt.NDArray[np.int64]

UNKNOWN_POSITION = (np.inf, np.inf)
"""Latitude and longitude that a caller does not know; those that a file does not record are NaN."""


@dataclass(frozen=True)
class Arrays:
    """`n` accidents with their `m` vehicles and `p` people; missing values are `MISSING`, `UNKNOWN` or NaN.

    Attributes:
        accident: int16 (n, columns of `array_columns.ARRAY_COLUMNS`); `compute` fills in the derived columns.
        vehicles: int16 (m, columns), grouped by accident.
        people: int16 (p, columns), likewise.
        vehicle_starts: int64 (n + 1), offset of the first vehicle of each accident, and m.
        person_starts: int64 (n + 1), likewise, and p.
        vehicle_ids: int64 (m), unique within an accident.
        person_vehicle_ids: int64 (p), id of the vehicle that a person was in or was hit by.
        coordinates: float64 (n, 2), latitude and longitude in degrees.
        places: int64 (n, 3), department, commune and road as numbers (`cells.insee_number`, `cells.road_number`).
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

    def take(self, rows: npt.NDArray[np.intp]) -> "Arrays":
        """The accidents at some positions, in that order, as a copy."""
        vehicles, vehicle_starts = _ranges(self.vehicle_starts, rows)
        people, person_starts = _ranges(self.person_starts, rows)
        return Arrays(
            accident=self.accident[rows],
            vehicles=self.vehicles[vehicles],
            people=self.people[people],
            vehicle_starts=vehicle_starts,
            person_starts=person_starts,
            vehicle_ids=self.vehicle_ids[vehicles],
            person_vehicle_ids=self.person_vehicle_ids[people],
            coordinates=self.coordinates[rows],
            places=self.places[rows],
        )


def concatenate(parts: Sequence[Arrays]) -> Arrays:
    """The accidents of several arrays, one after the other, as a copy."""

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    def offsets(name: str) -> Integers:
        return np.append(0, np.cumsum(np.concatenate([np.diff(getattr(part, name)) for part in parts])))

    starts = ("vehicle_starts", "person_starts")
    values: dict[str, Any] = {one.name: (offsets if one.name in starts else joined)(one.name) for one in fields(Arrays)}
    return Arrays(**values)


def _ranges(starts: Integers, rows: npt.NDArray[np.intp]) -> tuple[Integers, Integers]:
    """Positions of the vehicles or people of some accidents, and their new offsets."""
    counts = np.diff(starts)[rows]
    new = np.append(0, np.cumsum(counts))
    return np.arange(new[-1]) + np.repeat(starts[rows] - new[:-1], counts), new


def to_arrays(accidents: "Accidents") -> Arrays:
    """Convert cleaned accidents to arrays, in the same order."""
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


def _codes(table: "pd.DataFrame", entity: Entity) -> Codes:
    codes = np.full((len(table), len(ARRAY_COLUMNS[entity])), MISSING, dtype=np.int16)
    for position, name in enumerate(PUBLISHED_COLUMNS[entity]):
        codes[:, position] = table[name].to_numpy()
    return codes


def _starts(rows: "pd.DataFrame", ids: Integers) -> Integers:
    return np.append(np.searchsorted(rows["Num_Acc"].to_numpy(), ids), len(rows))
