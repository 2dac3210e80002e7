"""LightGBM: gradient-boosted trees, grown leaf-wise, with early stopping on the validation set."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from accidents.models._booster import Booster, EarlyStopping, Member
from accidents.models.base import (
    Dataset,
    FitProgress,
    Grid,
    Matrix,
    SearchRange,
    SearchSpace,
    Sections,
    Vector,
    no_progress,
)

if TYPE_CHECKING:
    from accidents.models._tree_ensemble import TreeEnsemble

_SECTION = "booster.txt"

# Bits of `decision_type` (`include/LightGBM/tree.h`): categories, missing values go left, which values are missing.
_CATEGORIES, _DEFAULT_LEFT, _MISSING = 0b0001, 0b0010, 0b1100
_NONE, _NAN = 0b0000, 0b1000
_ZERO = float(np.float32(1e-35))  # LightGBM treats values of at most this size as zero

_JOINT = {"tree_learner": "data", "pre_partition": True, "time_out": 1}  # of joint fits; minutes to connect
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


class Parameters(EarlyStopping):
    """Hyperparameters under LightGBM's own names, except `rounds` and `patience`."""

    learning_rate: float = Field(0.085, gt=0, le=1, description="share of each tree that counts")
    num_leaves: int = Field(15, ge=2, description="leaves of a tree")
    min_data_in_leaf: int = Field(60, ge=1, description="least accidents in a leaf")
    feature_fraction: float = Field(0.3, gt=0, le=1, description="share of columns drawn for a tree")
    bagging_fraction: float = Field(0.8, gt=0, le=1, description="share of accidents drawn for a tree")
    lambda_l2: float = Field(10.0, ge=0, description="L2 penalty on leaf values")


class Classifier(Booster[Parameters]):
    """A LightGBM booster, stored as LightGBM's own text."""

    PARAMETERS = Parameters
    TIE_RANK = 1
    FIT_RANK = 3
    GRID: ClassVar[Grid] = {"learning_rate": (0.05, 0.085), "num_leaves": (15, 31), "min_data_in_leaf": (30, 100)}
    SPACE: ClassVar[SearchSpace] = {
        "learning_rate": SearchRange(low=0.02, high=0.15, log=True),
        "num_leaves": SearchRange(low=8, high=96, log=True),
        "min_data_in_leaf": SearchRange(low=10, high=200, log=True),
        "feature_fraction": SearchRange(low=0.1, high=0.8),
        "bagging_fraction": SearchRange(low=0.5, high=1.0),
        "lambda_l2": SearchRange(low=0.1, high=100.0, log=True),
    }
    LIBRARIES = ("lightgbm",)

    def __init__(self, text: str) -> None:
        import lightgbm

        self.text = text
        self.booster = lightgbm.Booster(model_str=text)

    @classmethod
    def fit(
        cls,
        training: Dataset,
        validation: Dataset | None,
        *,
        parameters: Parameters,
        categorical_features: Sequence[int] = (),  # noqa: ARG003 - splits on the order of codes were measured as good
        seed: int,
        threads: int,
        progress: FitProgress = no_progress,
        network: Mapping[str, Any] | None = None,
    ) -> Self:
        """Boost until the log loss of `validation` has not improved for `patience` trees; keep those up to the best."""
        import lightgbm

        options = _options(parameters, "binary", seed, threads) | dict(network or {})
        data = lightgbm.Dataset(training.X, training.y, weight=training.weight, free_raw_data=False)
        valid_sets, callbacks = [], [_reported(progress)]
        if validation is not None:
            valid_sets.append(data.create_valid(validation.X, validation.y, weight=validation.weight))
            callbacks.append(lightgbm.early_stopping(parameters.patience, verbose=False))
        booster = lightgbm.train(options, data, parameters.rounds, valid_sets=valid_sets, callbacks=callbacks)
        return cls(booster.model_to_string())

    @classmethod
    @contextmanager
    def coordinate(cls, members: Sequence[Member]) -> Iterator[Mapping[str, Any]]:
        """LightGBM's list of machines."""
        yield {"machines": ",".join(f"{host}:{port}" for host, port in members), "num_machines": len(members), **_JOINT}

    @classmethod
    def fit_together(
        cls, training: Dataset, validation: Dataset | None, *, group: Mapping[str, Any], member: Member, **options: Any
    ) -> Self:
        """Boost with the other machines; the text names none of them."""
        import lightgbm

        lightgbm.register_logger(logging.getLogger("lightgbm"))  # the verbosity does not hold for the network
        fitted = cls.fit(training, validation, network={**group, "local_listen_port": member[1]}, **options)
        return cls(re.sub(r"^\[(machines|local_listen_port): .*\n", "", fitted.text, flags=re.MULTILINE))

    @classmethod
    def fit_probabilities(
        cls,
        X: Matrix,
        probability: Vector,
        margin: Vector | None,
        *,
        parameters: Parameters,
        seed: int,
        threads: int,
        progress: FitProgress = no_progress,
    ) -> Self:
        """Boost `parameters.rounds` trees that predict probabilities in place of labels.

        Args:
            X: float32 (n, k).
            probability: float64 (n), what to predict.
            margin: float64 (n), log-odds that those of the trees are added to; None for none.
            parameters: hyperparameters.
            seed: random seed.
            threads: number of threads to fit with.
            progress: called after each tree.
        """
        import lightgbm

        data = lightgbm.Dataset(X, probability, init_score=margin)
        # Fewer bins are as good; bundles of columns save a sixth where a tree draws half of them, for the same trees.
        options = _options(parameters, "cross_entropy", seed, threads) | {"max_bin": 63, "enable_bundle": True}
        return cls(lightgbm.train(options, data, parameters.rounds, callbacks=[_reported(progress)]).model_to_string())

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the booster was fitted on."""
        return self.booster.num_feature()

    def first_trees(self, share: float) -> Self:
        """The booster of a share of the trees."""
        count = max(1, round(share * self.booster.num_trees()))
        return type(self)(self.booster.model_to_string(num_iteration=count))

    def library_margin(self, X: Matrix, threads: int) -> Vector:
        """Log-odds by LightGBM."""
        return self.booster.predict(X, raw_score=True, num_threads=threads)

    def tree_ensemble(self) -> "TreeEnsemble | None":
        """The trees of LightGBM's text; None with splits on categories or with zeros that count as missing."""
        parsed = [_parse(block) for block in self.text.partition("\nend of trees")[0].split("\nTree=")[1:]]
        kinds = np.concatenate([tree["decision_type"] for tree in parsed]) if parsed else np.empty(0, np.int32)
        if not parsed or np.any(kinds & _CATEGORIES) or not np.isin(kinds & _MISSING, (_NONE, _NAN)).all():
            return None
        return _flatten(parsed).verified(lambda X: self.library_margin(X, 1), self.booster.num_feature())

    def shap_values(self, X: Matrix) -> Vector:
        """SHAP values of the log-odds by LightGBM's own TreeSHAP."""
        return self.booster.predict(X, pred_contrib=True, num_threads=1)

    def to_sections(self) -> Sections:
        """LightGBM's text."""
        return {_SECTION: self.text.encode()}

    @classmethod
    def from_sections(cls, sections: Sections) -> Self:
        """Restore a booster from LightGBM's text, which is checked first: LightGBM itself crashes on a broken one."""
        _check(text := sections[_SECTION].decode())
        return cls(text)

    def refit_parameters(self, parameters: Parameters) -> Parameters:
        """As many trees as early stopping has kept."""
        return parameters.model_copy(update={"rounds": self.booster.num_trees()})


def _options(parameters: Parameters, objective: str, seed: int, threads: int) -> dict[str, Any]:
    return parameters.library_parameters() | {
        "objective": objective,
        "bagging_freq": 1,
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_col_wise": True,  # a quarter faster where a tree draws a third of the columns
        "enable_bundle": False,  # a tree would sum up all columns of a bundle for the third that it draws
        "bin_construct_sample_cnt": 10_000,  # at least as good as all rows
        "verbosity": -1,
    }


def _reported(progress: FitProgress) -> Callable[[Any], None]:
    """Callback of LightGBM."""
    return lambda state: progress(state.iteration + 1, state.end_iteration)


def _fields(block: str) -> dict[str, str]:
    lines = [line.split("=", 1) for line in block.splitlines() if "=" in line]
    fields = dict(lines)
    if len(fields) < len(lines):
        raise ValueError("a field of LightGBM's text occurs twice")
    return fields


def _parse(block: str) -> _Tree:
    fields = _fields(block)
    return {name: np.array(fields.get(name, "").split(), dtype) for name, dtype in _LISTS.items()}


@lru_cache(maxsize=8)  # models of one training have a partial model in common
def _check(text: str) -> None:
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
