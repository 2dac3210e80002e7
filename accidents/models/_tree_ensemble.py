"""Decision trees of a random forest or a booster as flat arrays.

For one row this is up to twenty times as fast as the library of a booster, whose calls have a high overhead; for many
rows the library is faster.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from accidents.features.jit import compiled
from accidents.models.base import Matrix

Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_PROBES = 128
_INTEGERS = "int32[:]"


@dataclass(frozen=True)
class TreeEnsemble:
    """The nodes of all trees, one after the other; `roots` has the first node of each tree.

    `feature` is -1 at a leaf, and `threshold` is the leaf value there. A row goes to `left` where its value is less
    than the threshold, to `default` where it is NaN, and else to `right`. Leaf values are added to `base_score` one
    tree after the other, in the precision of `threshold`.
    """

    base_score: float
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: Numbers
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    default: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        """Check that a walk ends at a leaf inside the arrays, since a model file may be malicious.

        Raises:
            ValueError: arrays of different lengths, or a child that does not come after its parent.
        """
        nodes = np.arange(len(self.feature))
        inner = self.feature >= 0
        children = (self.left, self.right, self.default)
        if any(len(array) != len(nodes) for array in (self.threshold, *children)):
            raise ValueError("the arrays of the trees have different lengths")
        if any(np.any((child <= nodes) | (child >= len(nodes)), where=inner) for child in children):
            raise ValueError("a child in the trees does not come after its parent")
        if np.any((self.roots < 0) | (self.roots >= len(nodes))):
            raise ValueError("the root of a tree is not one of its nodes")

    def leaf_sums(self, X: Matrix) -> Numbers:
        """Base score plus the leaf values of each row, (n) in the precision of `threshold`.

        Raises:
            ValueError: a split is on a column that `X` lacks.
        """
        if self.feature.max(initial=-1) >= X.shape[1]:
            raise ValueError(f"the trees split on a column that {X.shape[1]} columns do not have")
        kind = self.threshold.dtype
        walk = _single if kind == np.float32 else _double
        base = kind.type(self.base_score)
        return walk(X, base, self.roots, self.feature, self.threshold, self.left, self.right, self.default)

    def verified(self, predict_margin: Callable[[Matrix], Any], columns: int) -> Self | None:
        """Compare with the margins of a library, bit for bit, at and around all thresholds.

        Args:
            predict_margin: the library's log-odds for float32 (n, columns).
            columns: number of columns of its input.

        Returns:
            These trees if the margins are equal, else None.
        """
        probes = self._probes(columns)
        return self if np.array_equal(self.leaf_sums(probes), predict_margin(probes)) else None

    def _probes(self, columns: int) -> Matrix:
        """Rows of values at the thresholds of their columns, just below and above them, and missing."""
        random = np.random.default_rng(0)
        probes = np.full((_PROBES, columns), np.nan, dtype=np.float32)
        for column in range(columns):
            if len(values := self.threshold[self.feature == column].astype(np.float32)):
                beside = [np.nextafter(values, np.float32(end)) for end in (-np.inf, np.inf)]
                probes[:, column] = random.choice(np.concatenate([values, *beside, [np.float32(np.nan)]]), _PROBES)
        return probes


def _walk(X, base_score, roots, feature, threshold, left, right, default):  # type: ignore[no-untyped-def]
    result = np.full(len(X), base_score, threshold.dtype)
    for root in roots:  # one tree after the other, since the nodes of one stay in the cache of a processor
        for row in range(len(X)):
            node = root
            while feature[node] >= 0:
                value = X[row, feature[node]]
                if value < threshold[node]:
                    node = left[node]
                elif value >= threshold[node]:
                    node = right[node]
                else:  # NaN is neither
                    node = default[node]
            result[row] += threshold[node]
    return result


def _compile_walk(kind: str) -> Callable[..., Numbers]:
    types = ("float32[:, :]", kind, _INTEGERS, _INTEGERS, f"{kind}[:]", _INTEGERS, _INTEGERS, _INTEGERS)
    return compiled(*types, returns=f"{kind}[:]")(_walk)


_single, _double = _compile_walk("float32"), _compile_walk("float64")
