"""Encodings of places by the share of priority accidents there, learned on training accidents alone.

The one place where labels enter features. A place with few accidents is shrunk towards the place around it: a spot
towards its commune, that towards its department, and that towards the whole.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.features.catalogue import ENCODED
from accidents.features.keys import KEYS

_PARENTS = {
    "key_department": None,
    "key_commune": "key_department",
    "key_road": "key_department",
    "key_area": "key_department",
    "key_spot": "key_commune",
}

Keys = pd.DataFrame | npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Level:
    """Encodings of one key: its values in ascending order and the shrunk share of each."""

    values: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float32]


class GeographyEncoder:
    """Target encoding of the geography keys with hierarchical shrinkage.

    The share of a place is `(priority accidents + strength x share of the place around) / (accidents + strength)`, the
    m-estimate of Micci-Barreca (2001) with the parent's share as prior. A place that was not in the training data, or
    is not recorded, has the share of the place around it.
    """

    def __init__(self, strength: float = 20.0) -> None:
        self.strength = strength
        self.mean = 0.0
        self.levels: dict[str, _Level] = {}

    def fit(self, keys: Keys, y: npt.ArrayLike) -> Self:
        """Learn the shares from `keys` (n rows, columns `KEYS`) and labels `y` (n, 0 or 1)."""
        columns, labels = _columns(keys), np.asarray(y, dtype=np.float64)
        self.mean = float(labels.mean())
        self.levels = {}
        fitted: dict[str | None, npt.NDArray[np.float64]] = {None: np.full(len(labels), self.mean)}
        for name, parent in _PARENTS.items():
            values, place = np.unique(columns[KEYS.index(name)], return_inverse=True)
            count = np.bincount(place)
            prior = np.bincount(place, fitted[parent]) / count
            shares = (np.bincount(place, labels) + self.strength * prior) / (count + self.strength)
            recorded = values >= 0
            self.levels[name] = _Level(values[recorded], shares[recorded].astype(np.float32))
            fitted[name] = np.where(recorded[place], shares[place], fitted[parent])
        return self

    def transform(self, keys: Keys) -> npt.NDArray[np.float32]:
        """Encode `keys` (n rows): float32 (n, len(ENCODED)), never NaN."""
        columns = _columns(keys)
        out = np.empty((len(columns[0]), len(ENCODED)), dtype=np.float32)
        for name, parent in _PARENTS.items():
            level, column = self.levels[name], KEYS.index(name)
            place = np.searchsorted(level.values, columns[column]).clip(max=len(level.values) - 1)
            known = level.values[place] == columns[column]
            around = self.mean if parent is None else out[:, KEYS.index(parent)]
            out[:, column] = np.where(known, level.shares[place], around)
        return out

    def fit_out_of_fold(
        self, keys: Keys, y: npt.ArrayLike, *, folds: int, seed: int
    ) -> tuple[Self, npt.NDArray[np.float32]]:
        """Fit on all rows, and encode each row by what the other folds alone teach.

        Returns:
            The encoder itself, fitted on all rows, and the encoded training rows, float32 (n, len(ENCODED)).
        """
        from sklearn.model_selection import KFold

        columns, labels = np.column_stack(_columns(keys)), np.asarray(y)
        encoded = np.empty((len(labels), len(ENCODED)), dtype=np.float32)
        for train, held_out in KFold(folds, shuffle=True, random_state=seed).split(columns):
            encoded[held_out] = self.fit(columns[train], labels[train]).transform(columns[held_out])
        return self.fit(columns, labels), encoded


def _columns(keys: Keys) -> list[npt.NDArray[np.int64]]:
    if isinstance(keys, pd.DataFrame):
        return [keys[name].to_numpy() for name in KEYS]
    return list(keys.T)
