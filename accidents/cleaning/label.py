"""The label of an accident, from the injuries of its people."""

import numpy as np

from accidents.columns import MISSING

KILLED, HOSPITALISED = 2, 3


def priority_labels(person_accidents: np.ndarray, injuries: np.ndarray, accidents: np.ndarray) -> np.ndarray:
    """Whether each accident is priority: somebody was killed or hospitalised.

    Args:
        person_accidents: int64 (p), `Num_Acc` of each person; each occurs in `accidents`.
        injuries: int16 (p), `grav` of each person, -1 where missing.
        accidents: int64 (n), sorted and distinct `Num_Acc`.

    Returns:
        int8 (n): 1 where any person was killed or hospitalised; else -1 where any injury is missing; else 0.

    Example:
        >>> priority_labels(np.array([7, 7, 8, 9]), np.array([1, 3, 1, -1]), np.array([7, 8, 9])).tolist()
        [1, 0, -1]
    """
    index = np.searchsorted(accidents, person_accidents)
    severe = np.isin(injuries, (KILLED, HOSPITALISED))
    any_severe = np.bincount(index[severe], minlength=len(accidents)) > 0
    any_missing = np.bincount(index[injuries == MISSING], minlength=len(accidents)) > 0
    return np.where(any_severe, 1, np.where(any_missing, MISSING, 0)).astype(np.int8)
