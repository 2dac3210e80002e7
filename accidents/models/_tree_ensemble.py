"""The trees of a booster as flat arrays, for a few accidents at a time.

A call of a booster takes up to ten times as long before it comes to the first row as a row takes to walk down all
trees. How the boosters write their trees down is in `_xgboost_trees` and `_lightgbm_trees`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from accidents.features.jit import compiled

if TYPE_CHECKING:
    from accidents.models.base import Matrix

Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_PROBES = 128
_INTEGERS = "int32[:]"


@dataclass(frozen=True)
class Trees:
    """All nodes of all trees in one row of arrays, the first node of each tree in `roots`.

    `feature` is -1 at a leaf, and `threshold` is its value there. A row goes on to `below` where it is less than the
    threshold, to `missing` where it is NaN, and else to `other`. The leaf values of the trees are added to `base` one
    after the other, in the precision of `threshold`, which is that of the booster.
    """

    base: float
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: Numbers
    below: npt.NDArray[np.int32]
    other: npt.NDArray[np.int32]
    missing: npt.NDArray[np.int32]

    def margin(self, X: "Matrix") -> Numbers:
        """Log-odds (n)."""
        kind = self.threshold.dtype
        walk = _single if kind == np.float32 else _double
        base = kind.type(self.base)
        return walk(X, base, self.roots, self.feature, self.threshold, self.below, self.other, self.missing)

    def proven(self, margin: Callable[["Matrix"], Any], columns: int) -> Self | None:
        """These trees, if they give the margins of their booster to the last bit, at their thresholds and around."""
        probes = self._probes(columns)
        return self if np.array_equal(self.margin(probes), margin(probes)) else None

    def _probes(self, columns: int) -> "Matrix":
        """Rows of values at the thresholds of their columns, just below and above them, and missing."""
        random = np.random.default_rng(0)
        probes = np.full((_PROBES, columns), np.nan, dtype=np.float32)
        for column in range(columns):
            if len(values := self.threshold[self.feature == column].astype(np.float32)):
                beside = [np.nextafter(values, np.float32(end)) for end in (-np.inf, np.inf)]
                probes[:, column] = random.choice(np.concatenate([values, *beside, [np.float32(np.nan)]]), _PROBES)
        return probes


def _sums(X, base, roots, feature, threshold, below, other, missing):  # type: ignore[no-untyped-def]
    """Sums of the leaf values that each row ends in."""
    result = np.empty(len(X), threshold.dtype)
    for row in range(len(X)):
        total = base
        for root in roots:
            node = root
            while feature[node] >= 0:
                value = X[row, feature[node]]
                if value < threshold[node]:
                    node = below[node]
                elif value >= threshold[node]:
                    node = other[node]
                else:  # NaN is neither
                    node = missing[node]
            total += threshold[node]
        result[row] = total
    return result


def _of_precision(kind: str) -> Callable[..., Numbers]:
    types = ("float32[:, :]", kind, _INTEGERS, _INTEGERS, f"{kind}[:]", _INTEGERS, _INTEGERS, _INTEGERS)
    return compiled(*types, gives=f"{kind}[:]")(_sums)


_single, _double = _of_precision("float32"), _of_precision("float64")
