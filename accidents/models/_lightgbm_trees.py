"""How LightGBM writes its trees down: text, with float64 thresholds and leaf values, and a row at a threshold below it.

The meaning of `decision_type` is that of `include/LightGBM/tree.h`: its first bit marks a split on categories, its
second says that a missing value goes left, and the next two say which values count as missing.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from accidents.models._tree_ensemble import Trees

if TYPE_CHECKING:
    import lightgbm

    from accidents.models.base import Matrix, Vector

_CATEGORIES, _LEFT, _MISSING = 0b0001, 0b0010, 0b1100
_NONE, _NAN = 0b0000, 0b1000
_ZERO = float(np.float32(1e-35))
"""LightGBM reads smaller numbers than this as zero."""

_LISTS = {
    "split_feature": np.int32,
    "threshold": np.float64,
    "decision_type": np.int32,
    "left_child": np.int32,
    "right_child": np.int32,
    "leaf_value": np.float64,
}
_Tree = dict[str, npt.NDArray[Any]]


def trees_of(booster: "lightgbm.Booster", text: str) -> Trees | None:
    """The trees of a booster, of which `text` is the text; None if they do not give its margins.

    Splits on categories, and zeros that count as missing, are of that kind.
    """
    described = [_described(block) for block in text.partition("\nend of trees")[0].split("\nTree=")[1:]]
    kinds = np.concatenate([tree["decision_type"] for tree in described]) if described else np.empty(0, np.int32)
    if not described or np.any(kinds & _CATEGORIES) or not np.isin(kinds & _MISSING, (_NONE, _NAN)).all():
        return None

    def margin(X: "Matrix") -> "Vector":
        return booster.predict(X, raw_score=True, num_threads=1)

    return _joined(described).proven(margin, booster.num_feature())


def _described(block: str) -> _Tree:
    fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    return {name: np.array(fields.get(name, "").split(), dtype) for name, dtype in _LISTS.items()}


def _joined(described: list[_Tree]) -> Trees:
    """The nodes of every tree, each with its splits first and its leaves after them."""
    splits = [len(tree["threshold"]) for tree in described]
    nodes = [count + len(tree["leaf_value"]) for count, tree in zip(splits, described, strict=True)]
    roots = np.cumsum([0, *nodes[:-1]], dtype=np.int32)
    feature = np.full(sum(nodes), -1, np.int32)
    threshold = np.empty(sum(nodes), np.float64)
    below, other, missing = (np.zeros(sum(nodes), np.int32) for _ in range(3))
    for root, count, size, tree in zip(roots, splits, nodes, described, strict=True):
        inner, kind = slice(root, root + count), tree["decision_type"]
        feature[inner] = tree["split_feature"]
        threshold[inner] = _least_right(tree["threshold"])
        threshold[root + count : root + size] = tree["leaf_value"]
        # A child below zero is a leaf: -1 is the first.
        left, right = (
            root + np.where(child >= 0, child, count + ~child) for child in (tree["left_child"], tree["right_child"])
        )
        below[inner] = left
        other[inner] = np.where(np.isposinf(tree["threshold"]), left, right)  # all but missing values go left there
        # Where nothing counts as missing, LightGBM takes NaN for zero.
        goes_left = np.where(kind & _MISSING == _NAN, kind & _LEFT > 0, tree["threshold"] >= 0)
        missing[inner] = np.where(goes_left, left, right)
    return Trees(0.0, roots, feature, threshold, below, other, missing)


def _least_right(threshold: "Vector") -> "Vector":
    """The least values that go right: a row at the threshold goes left, and next to zero there is only zero."""
    least = np.nextafter(np.where((threshold >= 0) & (threshold < _ZERO), _ZERO, threshold), np.inf)
    return np.where((threshold >= -_ZERO) & (threshold < 0), -_ZERO, least)
