"""The label of an accident, from the injuries of its people."""

import numpy as np

from accidents.columns import MISSING

KILLED, HOSPITALISED = 2, 3


def priority_labels(person_accidents: np.ndarray, injuries: np.ndarray, accidents: np.ndarray) -> np.ndarray:
    """Whether each accident is priority.

    Args:
        person_accidents: int64 `Num_Acc` of each person; every one occurs in `accidents`.
        injuries: `grav` of each person, -1 where missing.
        accidents: int64 sorted, distinct `Num_Acc`.

    Returns:
        int8: 1 where any person was killed or hospitalised; else -1 where any person's injury is missing; else 0.
    """
    place = np.searchsorted(accidents, person_accidents)
    severe = np.isin(injuries, (KILLED, HOSPITALISED))
    any_severe = np.bincount(place[severe], minlength=len(accidents)) > 0
    any_missing = np.bincount(place[injuries == MISSING], minlength=len(accidents)) > 0
    return np.where(any_severe, 1, np.where(any_missing, MISSING, 0)).astype(np.int8)
