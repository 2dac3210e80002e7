"""How XGBoost writes its trees down: float32 thresholds and leaf values, added to the log-odds of a base score."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from accidents.models._tree_ensemble import Trees

if TYPE_CHECKING:
    import xgboost

    from accidents.models.base import Matrix


def trees_of(booster: "xgboost.Booster") -> Trees | None:
    """The trees of a booster; None if they do not give its margins, as those of another version might not."""
    learner = json.loads(booster.save_raw("json"))["learner"]
    share = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))
    base = np.float32(-np.log(np.float64(1 / share - 1)))
    trees = _read(learner["gradient_booster"]["model"]["trees"], base)

    def margin(X: "Matrix") -> Any:
        return booster.inplace_predict(X, predict_type="margin", validate_features=False)

    for step in (0, -np.inf, np.inf):  # logarithms differ in the last bit
        near = replace(trees, base=float(np.nextafter(base, np.float32(step)) if step else base))
        if near.proven(margin, booster.num_features()):
            return near
    return None


def _read(trees: list[dict[str, Any]], base: np.float32) -> Trees:
    roots = np.cumsum([0, *(len(tree["left_children"]) for tree in trees[:-1])], dtype=np.int32)

    def joined(name: str, dtype: type) -> npt.NDArray[Any]:
        return np.concatenate([np.array(tree[name], dtype) for tree in trees])

    def children(name: str) -> npt.NDArray[np.int32]:
        return np.concatenate([np.array(tree[name], np.int32) + root for tree, root in zip(trees, roots, strict=True)])

    below, other = children("left_children"), children("right_children")
    return Trees(
        base=float(base),
        roots=roots,
        feature=np.where(joined("left_children", np.int32) < 0, np.int32(-1), joined("split_indices", np.int32)),
        threshold=joined("split_conditions", np.float32),
        below=below,
        other=other,
        missing=np.where(joined("default_left", np.bool_), below, other),
    )
