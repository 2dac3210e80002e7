"""Arrays of accidents, for tests that compare single accidents with many."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from accidents.features.arrays import Arrays


def concatenate_arrays(chunks: Sequence[Arrays]) -> Arrays:
    """Concatenate arrays of accidents."""

    def starts(counts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(count) for count in counts]))])

    return Arrays(
        accident=np.concatenate([chunk.accident for chunk in chunks]),
        vehicles=np.concatenate([chunk.vehicles for chunk in chunks]),
        people=np.concatenate([chunk.people for chunk in chunks]),
        vehicle_starts=starts([chunk.vehicle_starts for chunk in chunks]),
        person_starts=starts([chunk.person_starts for chunk in chunks]),
        vehicle_ids=np.concatenate([chunk.vehicle_ids for chunk in chunks]),
        person_vehicle_ids=np.concatenate([chunk.person_vehicle_ids for chunk in chunks]),
        coordinates=np.concatenate([chunk.coordinates for chunk in chunks]),
        places=np.concatenate([chunk.places for chunk in chunks]),
    )
