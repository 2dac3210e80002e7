"""The trees of an XGBoost booster as flat arrays, for a few accidents at a time.

A call of the booster takes about 0.1 ms before it comes to the first row, ten times as long as a row takes to walk down
all trees. The margins are those of the booster to the last bit: float32 leaf values, added to the base one tree after
the other.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from accidents.compiling import compiled

if TYPE_CHECKING:
    import xgboost

    from accidents.models.base import Matrix

_PROBES = 128
_INTEGERS = "int32[:]"


@dataclass(frozen=True)
class BoostedTrees:
    """All nodes of all trees in one row of arrays, the first node of each tree in `roots`.

    `feature` is -1 at a leaf, and `threshold` is its value there. A row goes on to `below` where it is less than the
    threshold, to `missing` where it is NaN, and else to `other`.
    """

    base: np.float32
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    below: npt.NDArray[np.int32]
    other: npt.NDArray[np.int32]
    missing: npt.NDArray[np.int32]

    @classmethod
    def of(cls, booster: "xgboost.Booster") -> Self | None:
        """The trees of a booster; None if they do not give its margins, as those of another version might not."""
        learner = json.loads(booster.save_raw("json"))["learner"]
        nodes = _nodes(learner["gradient_booster"]["model"]["trees"])
        share = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))
        base = np.float32(-np.log(np.float64(1 / share - 1)))
        probes = _probes(nodes["feature"], nodes["threshold"], booster.num_features())
        expected = booster.inplace_predict(probes, predict_type="margin", validate_features=False)
        for step in (0, -np.inf, np.inf):  # logarithms differ in the last bit
            trees = cls(base=np.nextafter(base, np.float32(step)) if step else base, **nodes)
            if np.array_equal(trees.margin(probes), expected):
                return trees
        return None

    def margin(self, X: "Matrix") -> npt.NDArray[np.float32]:
        """Log-odds, float32 (n)."""
        return _sums(X, self.base, self.roots, self.feature, self.threshold, self.below, self.other, self.missing)


def _nodes(trees: list[dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    roots = np.cumsum([0, *(len(tree["left_children"]) for tree in trees[:-1])], dtype=np.int32)

    def joined(name: str, dtype: type) -> npt.NDArray[Any]:
        return np.concatenate([np.array(tree[name], dtype) for tree in trees])

    def children(name: str) -> npt.NDArray[np.int32]:
        return np.concatenate([np.array(tree[name], np.int32) + root for tree, root in zip(trees, roots, strict=True)])

    leaf = joined("left_children", np.int32) < 0
    below, other = children("left_children"), children("right_children")
    return {
        "roots": roots,
        "feature": np.where(leaf, np.int32(-1), joined("split_indices", np.int32)),
        "threshold": joined("split_conditions", np.float32),
        "below": below,
        "other": other,
        "missing": np.where(joined("default_left", np.bool_), below, other),
    }


def _probes(feature: npt.NDArray[np.int32], threshold: npt.NDArray[np.float32], columns: int) -> "Matrix":
    """Rows of values at the thresholds of their columns, just below them, and missing."""
    random = np.random.default_rng(0)
    probes = np.full((_PROBES, columns), np.nan, dtype=np.float32)
    for column in range(columns):
        if len(values := threshold[feature == column]):
            values = np.concatenate([values, np.nextafter(values, np.float32(-np.inf)), [np.float32(np.nan)]])
            probes[:, column] = random.choice(values, _PROBES)
    return probes


@compiled(
    "float32[:, :]", "float32", _INTEGERS, _INTEGERS, "float32[:]", _INTEGERS, _INTEGERS, _INTEGERS, gives="float32[:]"
)
def _sums(X, base, roots, feature, threshold, below, other, missing):  # type: ignore[no-untyped-def]
    """Sums of the leaf values that each row ends in."""
    result = np.empty(len(X), np.float32)
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
