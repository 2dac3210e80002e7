"""Masks: which cells of accidents a caller does not know, and accidents without these cells.

A mask works on the published columns, before features are computed, so that features follow. `draw_mask` draws what
training learns from; `PATTERNS` are fixed ones to measure on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from accidents.columns import MISSING, UNKNOWN
from accidents.features.array_columns import COLUMN_POSITIONS, PUBLISHED_COLUMNS, Entity
from accidents.features.arrays import Arrays

Flags = npt.NDArray[np.bool_]
Generator = np.random.Generator

PLACES = ("dep", "com", "voie")
COORDINATES = "coordinates"
"""Latitude and longitude; one without the other is of no use."""

FIELDS: Mapping[Entity, tuple[str, ...]] = {
    Entity.ACCIDENT: (*PUBLISHED_COLUMNS[Entity.ACCIDENT], *PLACES, COORDINATES),
    Entity.VEHICLES: PUBLISHED_COLUMNS[Entity.VEHICLES],
    Entity.PEOPLE: PUBLISHED_COLUMNS[Entity.PEOPLE],
}
"""Fields of an accident, a vehicle or a person that a caller may leave out."""


@dataclass(frozen=True)
class Mask:
    """Unknown cells of n accidents with m vehicles and p people, bool (n, m or p; fields of `FIELDS`)."""

    accident: Flags
    vehicles: Flags
    people: Flags

    def __or__(self, other: "Mask") -> "Mask":
        return Mask(*(one | two for one, two in zip(vars(self).values(), vars(other).values(), strict=True)))

    def apply(self, arrays: Arrays) -> Arrays:
        """The accidents without the unknown cells."""
        columns = len(PUBLISHED_COLUMNS[Entity.ACCIDENT])
        unknown = self.accident[:, columns:]
        return replace(
            arrays,
            accident=_masked(arrays.accident, self.accident[:, :columns]),
            vehicles=_masked(arrays.vehicles, self.vehicles),
            people=_masked(arrays.people, self.people),
            places=np.where(unknown[:, : len(PLACES)], MISSING, arrays.places),
            coordinates=np.where(unknown[:, len(PLACES) :], np.nan, arrays.coordinates),
        )


def _masked(rows: npt.NDArray[np.int16], unknown: Flags) -> npt.NDArray[np.int16]:
    masked = rows.copy()
    masked[:, : unknown.shape[1]][unknown] = UNKNOWN
    return masked
