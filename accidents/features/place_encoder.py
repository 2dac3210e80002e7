"""What training accidents teach of places: the share of priority accidents there, how many happen, and where that is.

This is the one place where labels enter features. A place with few accidents is shrunk towards the place around it: a
spot towards its commune, a commune, road or area towards its department, and that towards the whole.
"""

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.features.catalogue import ENCODED
from accidents.features.cells import BITS, KEYS, SPOT, middles

_AROUND: Mapping[str, str | None] = {
    "key_department": None,
    "key_commune": "key_department",
    "key_road": "key_department",
    "key_area": "key_department",
    "key_spot": "key_commune",
}
_PARENTS = np.array([-1 if parent is None else KEYS.index(parent) for parent in map(_AROUND.get, KEYS)])
_SPOT = KEYS.index("key_spot")
_WITH_MIDDLE = (KEYS.index("key_department"), KEYS.index("key_commune"))

Keys = pd.DataFrame | npt.NDArray[np.int64]


class GeographyEncoder:
    """Target encoding of the geography keys with hierarchical shrinkage, their frequencies, and the position.

    The share of a place is `(priority accidents + strength x share of the place around) / (accidents + strength)`: the
    estimate of Micci-Barreca (2001), which scikit-learn's `TargetEncoder` uses too, with the share of the place around
    as prior instead of the mean of all. The density of a place is `ln(1 + accidents of it in 10,000)`. A place that is
    not recorded, or that no training accident has, takes the share of the place around and density 0. Latitude and
    longitude are those of the spot; where it is not recorded, the mean of the commune, the department, or all.
    """

    def __init__(self, strength: float = 8.0) -> None:
        self.strength = strength
        self.mean = np.float32(0)
        self.values = np.empty(0, np.int64)
        self.starts = np.zeros(len(KEYS) + 1, np.int64)
        self.shares = np.empty(0, np.float32)
        self.densities = np.empty(0, np.float32)
        self.middle = np.zeros(2)
        self.middles: dict[int, npt.NDArray[np.float32]] = {}

    def fit(self, keys: Keys, y: npt.ArrayLike) -> Self:
        """Learn from `keys`, n rows with the columns `KEYS`, and labels `y`, n times 0 or 1."""
        places, labels = _array(keys), np.asarray(y, dtype=np.float64)
        self.mean = np.float32(labels.mean())
        fitted: list[npt.NDArray[np.float64]] = []
        parts = []
        for place, parent in zip(places.T, _PARENTS, strict=True):
            around = np.full(len(labels), labels.mean()) if parent < 0 else fitted[parent]
            values, position, count = np.unique(place, return_inverse=True, return_counts=True)
            prior = np.bincount(position, around) / count
            shares = (np.bincount(position, labels) + self.strength * prior) / (count + self.strength)
            recorded = values >= 0
            parts.append((values[recorded], shares[recorded], np.log1p(1e4 * count[recorded] / len(labels))))
            fitted.append(np.where(recorded[position], shares[position], around))
        self.starts = np.cumsum([0, *(len(values) for values, _, _ in parts)])
        self.values = np.concatenate([values for values, _, _ in parts])
        self.shares = np.concatenate([shares for _, shares, _ in parts]).astype(np.float32)
        self.densities = np.concatenate([densities for _, _, densities in parts]).astype(np.float32)
        self._fit_middles(places)
        return self

    def transform(self, keys: Keys) -> npt.NDArray[np.float32]:
        """Encode n places: float32 (n, len(ENCODED)), never NaN; each row as if it were alone."""
        from accidents.features.place_kernels import encode, position  # numba takes a second to import

        places = _array(keys)
        out = np.empty((len(places), len(ENCODED)), dtype=np.float32)
        encode(places, self.values, self.starts, self.shares, self.densities, _PARENTS, self.mean, out)
        around = (self.middles[kind] for kind in _WITH_MIDDLE)
        position(places, self.values, self.starts, *around, self.middle, SPOT, BITS, out[:, -2:])
        return out

    def fit_out_of_fold(
        self, keys: Keys, y: npt.ArrayLike, *, folds: int, seed: int
    ) -> tuple[Self, npt.NDArray[np.float32]]:
        """Fit on all rows, and encode each row by what the other folds alone teach.

        Returns:
            The encoder itself, fitted on all rows, and the encoded training rows, float32 (n, len(ENCODED)).
        """
        from sklearn.model_selection import KFold

        places, labels = _array(keys), np.asarray(y)
        encoded = np.empty((len(labels), len(ENCODED)), dtype=np.float32)
        for taught, held_out in KFold(folds, shuffle=True, random_state=seed).split(places):
            encoded[held_out] = self.fit(places[taught], labels[taught]).transform(places[held_out])
        return self.fit(places, labels), encoded

    def _fit_middles(self, places: npt.NDArray[np.int64]) -> None:
        """Mean positions of the accidents of each department and commune, NaN where none has a position."""
        positions = middles(places[:, _SPOT])
        recorded = np.isfinite(positions[:, 0])
        if recorded.any():
            self.middle = positions[recorded].mean(axis=0)
        for kind in _WITH_MIDDLE:
            values = self._known(kind)
            here = recorded & (places[:, kind] >= 0)
            place = np.searchsorted(values, places[here, kind])
            count = np.bincount(place, minlength=len(values))
            sums = [np.bincount(place, axis, minlength=len(values)) for axis in positions[here].T]
            with np.errstate(invalid="ignore"):
                self.middles[kind] = (np.column_stack(sums) / count[:, None]).astype(np.float32)

    def _known(self, kind: int) -> npt.NDArray[np.int64]:
        return self.values[self.starts[kind] : self.starts[kind + 1]]


def _array(keys: Keys) -> npt.NDArray[np.int64]:
    return keys[list(KEYS)].to_numpy(np.int64, copy=True) if isinstance(keys, pd.DataFrame) else keys
