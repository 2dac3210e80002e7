"""LightGBM's text of a booster: the checks without which LightGBM would crash on a broken one, and its trees."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from accidents.models.base import Vector

if TYPE_CHECKING:
    from accidents.models._tree_ensemble import TreeEnsemble

# Bits of `decision_type` (`include/LightGBM/tree.h`): categories, missing values go left, which values are missing.
_CATEGORIES, _DEFAULT_LEFT, _MISSING = 0b0001, 0b0010, 0b1100
_NONE, _NAN = 0b0000, 0b1000
_ZERO = float(np.float32(1e-35))  # LightGBM treats values of at most this size as zero

_LISTS = {
    "split_feature": np.int32,
    "threshold": np.float64,
    "decision_type": np.int32,
    "left_child": np.int32,
    "right_child": np.int32,
    "leaf_value": np.float64,
}
_OF_SPLITS = (*(name for name in _LISTS if name != "leaf_value"), "split_gain", "internal_value", "internal_count")
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_Tree = dict[str, npt.NDArray[Any]]


def _fields(block: str) -> dict[str, str]:
    lines = [line.split("=", 1) for line in block.splitlines() if "=" in line]
    fields = dict(lines)
    if len(fields) < len(lines):
        raise ValueError("a field of LightGBM's text occurs twice")
    return fields


def _parse(block: str) -> _Tree:
    fields = _fields(block)
    return {name: np.array(fields.get(name, "").split(), dtype) for name, dtype in _LISTS.items()}


@lru_cache(maxsize=4)  # models of one training have a partial model in common
def check(text: str) -> None:
    """Refuse a text that is not one of a binary booster of plain trees.

    Raises:
        ValueError: names what is wrong.
    """
    head, _, trees = text.partition("\nTree=0\n")
    fields = _fields(head)
    shape = fields["num_class"], fields["num_tree_per_iteration"]
    if shape != ("1", "1") or fields["objective"] not in ("binary sigmoid:1", "cross_entropy"):
        raise ValueError("LightGBM's text is not that of a binary classifier")
    trees = f"Tree=0\n{trees}"
    for number, size in enumerate(map(int, fields["tree_sizes"].split())):
        if size <= 0 or not trees.startswith(f"Tree={number}\n"):
            raise ValueError(f"tree {number} of LightGBM's text does not begin where it should")
        _check_tree(_fields(trees[:size]), int(fields["max_feature_idx"]))
        trees = trees[size:]
    if not trees.startswith("end of trees"):
        raise ValueError("LightGBM's text has more trees than it lists")


def _check_tree(fields: dict[str, str], max_feature: int) -> None:
    leaves = int(fields["num_leaves"])
    if (fields["num_cat"], fields.get("is_linear", "0")) != ("0", "0") or leaves < 1:
        raise ValueError("a tree of LightGBM's text has categories, linear leaves or no leaf")
    counts = dict.fromkeys(_OF_SPLITS, leaves - 1) | (
        dict.fromkeys(_OF_LEAVES, leaves) if leaves > 1 else {"leaf_value": 1}
    )
    lists = {name: np.array(fields.get(name, "").split(), np.float64) for name in counts}
    if any(len(lists[name]) != count for name, count in counts.items()) or not np.isfinite(lists["leaf_value"]).all():
        raise ValueError("a list in a tree of LightGBM's text has another length, or a leaf is not finite")
    children = np.concatenate([lists["left_child"], lists["right_child"]])
    if sorted(children) != [*range(-leaves, 0), *range(1, leaves - 1)][leaves == 1 :]:
        raise ValueError("the nodes of LightGBM's text do not form a tree")
    parents = np.tile(np.arange(leaves - 1), 2)
    features = lists["split_feature"]
    if np.any((children >= 0) & (children <= parents)) or np.any((features < 0) | (features > max_feature)):
        raise ValueError("a split of LightGBM's text leads back, or splits on a column that there is not")
    if np.isnan(lists["threshold"]).any() or not np.isin(lists["decision_type"], range(16)).all():
        raise ValueError("a threshold of LightGBM's text is NaN, or a decision is of no known type")


def trees_of(text: str) -> "TreeEnsemble | None":
    """The trees of a text; None with splits on categories or with zeros that count as missing."""
    parsed = [_parse(block) for block in text.partition("\nend of trees")[0].split("\nTree=")[1:]]
    kinds = np.concatenate([tree["decision_type"] for tree in parsed]) if parsed else np.empty(0, np.int32)
    if not parsed or np.any(kinds & _CATEGORIES) or not np.isin(kinds & _MISSING, (_NONE, _NAN)).all():
        return None
    return _flatten(parsed)


def _flatten(parsed: list[_Tree]) -> "TreeEnsemble":
    """Join the nodes of all trees; in each tree splits come before leaves."""
    from accidents.models._tree_ensemble import TreeEnsemble

    splits = [len(tree["threshold"]) for tree in parsed]
    nodes = [count + len(tree["leaf_value"]) for count, tree in zip(splits, parsed, strict=True)]
    roots = np.cumsum([0, *nodes[:-1]], dtype=np.int32)
    feature = np.full(sum(nodes), -1, np.int32)
    threshold = np.empty(sum(nodes), np.float64)
    left, right, default = (np.zeros(sum(nodes), np.int32) for _ in range(3))
    for root, count, size, tree in zip(roots, splits, nodes, parsed, strict=True):
        inner, kind = slice(root, root + count), tree["decision_type"]
        feature[inner] = tree["split_feature"]
        threshold[inner] = _least_value_to_the_right(tree["threshold"])
        threshold[root + count : root + size] = tree["leaf_value"]
        # A child below zero is a leaf: -1 is the first.
        to_left, to_right = (
            root + np.where(child >= 0, child, count + ~child) for child in (tree["left_child"], tree["right_child"])
        )
        left[inner] = to_left
        right[inner] = np.where(np.isposinf(tree["threshold"]), to_left, to_right)  # all but missing values go left
        # Where nothing counts as missing, LightGBM takes NaN for zero.
        goes_left = np.where(kind & _MISSING == _NAN, kind & _DEFAULT_LEFT > 0, tree["threshold"] >= 0)
        default[inner] = np.where(goes_left, to_left, to_right)
    return TreeEnsemble(0.0, roots, feature, threshold, left, right, default)


def _least_value_to_the_right(threshold: Vector) -> Vector:
    """Thresholds of `TreeEnsemble`: in LightGBM, equal values go left and tiny values count as zero."""
    least = np.nextafter(np.where((threshold >= 0) & (threshold < _ZERO), _ZERO, threshold), np.inf)
    return np.where((threshold >= -_ZERO) & (threshold < 0), -_ZERO, least)
