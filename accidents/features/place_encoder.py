"""Target encoding of places: share of priority accidents, frequency of accidents, and position.

Labels enter features only here. Estimates are shrunk towards the parent cell: a spot towards its commune, a commune,
road or area towards its department, a department towards all accidents.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.features.catalogue import PLACE_COLUMN_NAMES
from accidents.features.cells import BITS, CELLS, SPOT_SIZE, spot_centres
from accidents.features.mapper import Mapper
from accidents.features.place_counts import CellCounts

_PARENT_CELLS: Mapping[str, str | None] = {
    "cell_department": None,
    "cell_commune": "cell_department",
    "cell_road": "cell_department",
    "cell_area": "cell_department",
    "cell_spot": "cell_commune",
}
_PARENTS = np.array([-1 if parent is None else CELLS.index(parent) for parent in map(_PARENT_CELLS.get, CELLS)])
_SPOT = CELLS.index("cell_spot")
_WITH_CENTRE = (CELLS.index("cell_department"), CELLS.index("cell_commune"))


Cells = pd.DataFrame | npt.NDArray[np.int64]


def cells_with_parents(cell: str) -> list[str]:
    """A cell and those whose statistics it falls back to; of a position, those that it is looked up by."""
    chain = [cell if cell in _PARENT_CELLS else "cell_spot"]
    while parent := _PARENT_CELLS[chain[-1]]:
        chain.append(parent)
    return chain


_CHAINS = [[CELLS.index(cell) for cell in cells_with_parents(kind)] for kind in CELLS]


class PlaceEncoder:
    """Target encoding of cells with hierarchical shrinkage, their densities, and the position.

    The share of a cell is `(priority accidents + strength x share of the parent cell) / (accidents + strength)`: the
    estimate of Micci-Barreca (2001), which scikit-learn's `TargetEncoder` uses too, with the share of the parent
    cell as prior instead of the mean of all. The density of a cell is `ln(1 + accidents of it in 10,000)`. A cell that
    is missing, or that no training accident has, gets the share of its parent cell and density 0. Latitude and
    longitude are those of the spot; where it is missing, the mean of the commune, the department, or all.
    """

    def __init__(self, strength: float = 8.0) -> None:
        self.strength = strength
        self.mean = np.float32(0)
        self.values = np.empty(0, np.int64)
        self.starts = np.zeros(len(CELLS) + 1, np.int64)
        self.shares = np.empty(0, np.float32)
        self.densities = np.empty(0, np.float32)
        self.centre = np.zeros(2)
        self.centres: dict[int, npt.NDArray[np.float32]] = {}

    def fit(self, cells: Cells, y: npt.ArrayLike) -> Self:
        """Fit on cells (n rows, columns `CELLS`) and labels 0 or 1 (n)."""
        return self.fit_counts(_count((_array(cells), np.asarray(y))))

    def fit_counts(self, counts: Sequence[CellCounts]) -> Self:
        """Fit on the counts of each kind of cell, with the cells of `cells_with_parents`."""
        total = counts[0].accidents.sum()
        mean = counts[0].priority.sum() / total
        self.mean = np.float32(mean)
        fitted: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] = []
        densities = []
        for chain, one in zip(_CHAINS, counts, strict=True):
            parent_shares = np.full(len(one.cells), mean)
            for kind, place in zip(chain[:0:-1], one.cells.T[:0:-1], strict=True):
                values, shares = fitted[kind]
                known = place >= 0
                parent_shares[known] = shares[np.searchsorted(values, place[known])]
            values, position = np.unique(one.cells[:, 0], return_inverse=True)
            count = np.bincount(position, one.accidents)
            prior = np.bincount(position, one.accidents * parent_shares) / count
            shares = (np.bincount(position, one.priority) + self.strength * prior) / (count + self.strength)
            recorded = values >= 0
            fitted.append((values[recorded], shares[recorded]))
            densities.append(np.log1p(1e4 * count[recorded] / total))
        self.starts = np.cumsum([0, *(len(values) for values, _ in fitted)])
        self.values = np.concatenate([values for values, _ in fitted])
        self.shares = np.concatenate([shares for _, shares in fitted]).astype(np.float32)
        self.densities = np.concatenate(densities).astype(np.float32)
        self._fit_centres(counts[_SPOT])
        return self

    def transform(self, cells: Cells) -> npt.NDArray[np.float32]:
        """Encode n places: float32 (n, len(PLACE_COLUMN_NAMES)), never NaN; rows are independent."""
        from accidents.features.place_kernels import encode, position  # numba takes a second to import

        places = _array(cells)
        out = np.empty((len(places), len(PLACE_COLUMN_NAMES)), dtype=np.float32)
        encode(places, self.values, self.starts, self.shares, self.densities, _PARENTS, self.mean, out)
        centres = (self.centres[kind] for kind in _WITH_CENTRE)
        position(places, self.values, self.starts, *centres, self.centre, SPOT_SIZE, BITS, out[:, -2:])
        return out

    def fit_out_of_fold(
        self,
        cells: Cells,
        y: npt.ArrayLike,
        *,
        folds: int,
        seed: int,
        masked: Sequence[Cells] = (),
        drawn: npt.NDArray[np.intp] | None = None,
        mapper: Mapper = map,
    ) -> tuple[Self, npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
        """Fit on all rows, and encode each row out of fold.

        Args:
            cells: n rows.
            y: labels 0 or 1 (n).
            folds: number of folds.
            seed: of the folds.
            masked: rows as far as callers know them, several times; encoded, too, but not fitted on.
            drawn: positions of the rows that are masked; None for all of them.
            mapper: applies a function to the folds.

        Returns:
            The encoder itself, fitted on all rows, and the out-of-fold encodings, float32 (n, len(PLACE_COLUMN_NAMES)),
            of `cells` and of each of `masked`.
        """
        from sklearn.model_selection import KFold

        places, labels = _array(cells), np.asarray(y)
        every = np.arange(len(labels))
        variants = [(places, every), *((_array(one), every if drawn is None else drawn) for one in masked)]
        encoded = [np.empty((len(rows), len(PLACE_COLUMN_NAMES)), dtype=np.float32) for _, rows in variants]
        held_out = [test for _, test in KFold(folds, shuffle=True, random_state=seed).split(places)]
        counts = [*mapper(_count, [(places[rows], labels[rows]) for rows in held_out])]
        encoders = (self._of(counts[:fold] + counts[fold + 1 :]) for fold in range(folds))
        here = [[np.isin(rows, test) for _, rows in variants] for test in held_out]
        calls = (
            (encoder, [variant[own] for own, (variant, _) in zip(masks, variants, strict=True)])
            for encoder, masks in zip(encoders, here, strict=True)
        )
        for masks, encodings in zip(here, mapper(_encode, calls), strict=True):
            for out, own, values in zip(encoded, masks, encodings, strict=True):
                out[own] = values
        return self.fit_counts(_sum(counts)), encoded[0], encoded[1:]

    def _of(self, parts: Sequence[Sequence[CellCounts]]) -> Self:
        """Another encoder, fitted on the accidents of several parts."""
        return type(self)(self.strength).fit_counts(_sum(parts))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The fitted encoder as arrays by name; arrays of a cell are named `<cell>.<statistic>`."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "strength": np.asarray(self.strength),
            "mean": np.asarray(self.mean),
            "centre": self.centre,
        }
        for kind, cell in enumerate(CELLS):
            rows = slice(self.starts[kind], self.starts[kind + 1])
            arrays |= {
                f"{cell}.values": self.values[rows],
                f"{cell}.shares": self.shares[rows],
                f"{cell}.densities": self.densities[rows],
            }
            if kind in _WITH_CENTRE:
                arrays[f"{cell}.centres"] = self.centres[kind]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Restore an encoder from `to_arrays`; without the arrays of a cell, all its values are missing.

        Raises:
            ValueError: lengths of the arrays do not fit.
        """
        encoder = cls(float(arrays["strength"]))
        encoder.mean, encoder.centre = np.float32(arrays["mean"]), arrays["centre"]

        def joined(name: str, dtype: type) -> npt.NDArray[Any]:
            return np.concatenate([arrays.get(f"{cell}.{name}", np.empty(0, dtype)) for cell in CELLS])

        encoder.starts = np.cumsum([0, *(len(arrays.get(f"{cell}.values", ())) for cell in CELLS)])
        encoder.values = joined("values", np.int64)
        encoder.shares, encoder.densities = joined("shares", np.float32), joined("densities", np.float32)
        sizes = np.diff(encoder.starts)
        for cell in CELLS:
            own = [arrays.get(f"{cell}.{name}", ()) for name in ("values", "shares", "densities")]
            if len({*map(len, own)}) > 1 or np.any(np.diff(own[0]) <= 0):
                raise ValueError(f"the arrays of {cell} in the place encoder have different lengths or are not sorted")
        numbers = (encoder.shares, encoder.densities, encoder.mean, encoder.centre)
        if not all(np.isfinite(number).all() for number in numbers) or np.any(
            (encoder.shares < 0) | (encoder.shares > 1)
        ):
            raise ValueError("a number of the place encoder is not finite, or a share is not between 0 and 1")
        encoder.centres = {kind: arrays[f"{CELLS[kind]}.centres"] for kind in _WITH_CENTRE}
        if (
            np.shape(encoder.mean)
            or encoder.centre.shape != (2,)
            or any(centres.shape != (sizes[kind], 2) for kind, centres in encoder.centres.items())
        ):
            raise ValueError("the centres of the place encoder are not those of its cells")
        return encoder

    def _fit_centres(self, spots: CellCounts) -> None:
        """Mean positions of the accidents of each department and commune, NaN where none has a position."""
        positions = spot_centres(spots.cells[:, 0])
        recorded = np.isfinite(positions[:, 0])
        if recorded.any():
            self.centre = np.average(positions[recorded], axis=0, weights=spots.accidents[recorded])
        for kind in _WITH_CENTRE:
            values = self.values[self.starts[kind] : self.starts[kind + 1]]
            cells = spots.cells[:, _CHAINS[_SPOT].index(kind)]
            here = recorded & (cells >= 0)
            place, weights = np.searchsorted(values, cells[here]), spots.accidents[here]
            count = np.bincount(place, weights, minlength=len(values))
            sums = [np.bincount(place, weights * axis, minlength=len(values)) for axis in positions[here].T]
            with np.errstate(invalid="ignore"):
                self.centres[kind] = (np.column_stack(sums) / count[:, None]).astype(np.float32)


def _count(accidents: tuple[npt.NDArray[np.int64], npt.NDArray[Any]]) -> list[CellCounts]:
    """Counts of each kind of cell, for cells (n, len(CELLS)) and labels (n)."""
    cells, labels = accidents
    return [CellCounts.count(cells[:, chain], labels.astype(np.int64)) for chain in _CHAINS]


def _sum(parts: Sequence[Sequence[CellCounts]]) -> list[CellCounts]:
    return [CellCounts.sum(own) for own in zip(*parts, strict=True)]


def _encode(call: tuple[PlaceEncoder, list[npt.NDArray[np.int64]]]) -> list[npt.NDArray[np.float32]]:
    encoder, variants = call
    return [encoder.transform(cells) for cells in variants]


def _array(cells: Cells) -> npt.NDArray[np.int64]:
    return cells[list(CELLS)].to_numpy(np.int64, copy=True) if isinstance(cells, pd.DataFrame) else cells
