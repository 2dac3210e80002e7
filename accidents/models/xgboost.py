"""XGBoost: gradient-boosted trees on histograms, with early stopping on the validation set."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Thread
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

_SECTION = "booster.json"
_ROOT = 2**31 - 1
_SECONDS_TO_CONNECT = 60  # of joint fits
_ROWS_FOR_BINS = 5_000  # at least; as good as all rows
_EVALUATED_TOGETHER = 5  # trees; to evaluate one alone takes a sixth of the time of growing it
_OF_NODES = ("base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children")
_OF_NODES_TOO = ("split_conditions", "split_indices", "split_type", "sum_hessian")


class Parameters(EarlyStopping):
    """Hyperparameters under XGBoost's own names, except `rounds` and `patience`."""

    learning_rate: float = Field(0.07, gt=0, le=1, description="share of each tree that counts")
    max_depth: int = Field(5, ge=1, le=16, description="depth of a tree")
    min_child_weight: float = Field(10.0, ge=0, description="least sum of second derivatives in a leaf")
    subsample: float = Field(0.8, gt=0, le=1, description="share of accidents drawn for a tree")
    colsample_bytree: float = Field(0.3, gt=0, le=1, description="share of columns drawn for a tree")
    reg_lambda: float = Field(10.0, ge=0, description="L2 penalty on leaf values")


class Classifier(Booster[Parameters]):
    """An XGBoost booster, stored as XGBoost's own JSON."""

    PARAMETERS = Parameters
    TIE_RANK = 2
    FIT_RANK = 2
    GRID: ClassVar[Grid] = {"learning_rate": (0.04, 0.07), "max_depth": (4, 6), "min_child_weight": (5.0, 20.0)}
    SPACE: ClassVar[SearchSpace] = {
        "learning_rate": SearchRange(low=0.02, high=0.15, log=True),
        "max_depth": SearchRange(low=3, high=9),
        "min_child_weight": SearchRange(low=1.0, high=50.0, log=True),
        "subsample": SearchRange(low=0.5, high=1.0),
        "colsample_bytree": SearchRange(low=0.1, high=0.8),
        "reg_lambda": SearchRange(low=0.1, high=100.0, log=True),
    }
    LIBRARIES = ("xgboost",)

    def __init__(self, raw: bytes) -> None:
        import xgboost

        self.raw = raw
        self.threads = 1
        self.booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(raw))

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
    ) -> Self:
        """Boost until the log loss of `validation` has not improved for `patience` trees; keep those up to the best."""
        import xgboost

        options = parameters.library_parameters() | {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "seed": seed,
            "nthread": threads,
        }
        sample = training.X[:: max(1, len(training.X) // _ROWS_FOR_BINS)]
        bins = xgboost.QuantileDMatrix(np.ascontiguousarray(sample), nthread=threads)
        data = xgboost.QuantileDMatrix(training.X, training.y, weight=training.weight, ref=bins, nthread=threads)
        callbacks, stopping = [_reported(progress, parameters.rounds)], None
        if validation is not None:
            # Trees are evaluated on numbers in a fifth of the time that they need on quantiles.
            held_out = xgboost.DMatrix(validation.X, validation.y, weight=validation.weight, nthread=threads)
            callbacks.append(stopping := _stopping(held_out, parameters))
        booster = xgboost.train(options, data, num_boost_round=parameters.rounds, callbacks=callbacks)
        kept = booster if stopping is None else booster[: stopping.best]
        return cls(_canonical(json.loads(kept.save_raw("json"))))

    @classmethod
    @contextmanager
    def coordinate(cls, members: Sequence[Member]) -> Iterator[Mapping[str, Any]]:
        """XGBoost's tracker, on the host of the caller."""
        from xgboost.core import XGBoostError
        from xgboost.tracker import RabitTracker

        tracker = RabitTracker(n_workers=len(members), host_ip=members[0][0], timeout=_SECONDS_TO_CONNECT)
        tracker.start()

        def stop(end: Callable[[], None]) -> None:
            with suppress(XGBoostError):  # that it has waited in vain for members that were lost
                end()

        Thread(target=stop, args=(tracker.wait_for,), daemon=True).start()
        try:
            yield tracker.worker_args()
        finally:
            stop(tracker.free)

    @classmethod
    def fit_together(
        cls, training: Dataset, validation: Dataset | None, *, group: Mapping[str, Any], member: Member, **options: Any
    ) -> Self:
        """Boost with the other members of the tracker's group."""
        from xgboost.collective import CommunicatorContext

        with CommunicatorContext(**group, dmlc_task_id="{}:{}".format(*member)):
            return cls.fit(training, validation, **options)

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the booster was fitted on."""
        return self.booster.num_features()

    def first_trees(self, share: float) -> Self:
        """The booster of a share of the trees."""
        count = max(1, round(share * self.booster.num_boosted_rounds()))
        return type(self)(_canonical(json.loads(self.booster[:count].save_raw("json"))))

    def library_margin(self, X: Matrix, threads: int) -> Vector:
        """Log-odds by XGBoost, which adds leaf values up in float32."""
        if threads != self.threads:
            self.threads = threads
            self.booster.set_param({"nthread": threads})
        return self.booster.inplace_predict(X, predict_type="margin", validate_features=False).astype(np.float64)

    def tree_ensemble(self) -> "TreeEnsemble | None":
        """The trees of XGBoost's JSON; None where they do not reproduce its margins, such as splits on categories."""
        learner = json.loads(self.raw)["learner"]
        share = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))
        base_score = np.float32(-np.log(np.float64(1 / share - 1)))
        trees = _flatten(learner["gradient_booster"]["model"]["trees"], base_score)
        for end in (None, -np.inf, np.inf):  # logarithms differ in the last bit
            near = base_score if end is None else np.nextafter(base_score, np.float32(end))
            candidate = replace(trees, base_score=float(near))
            if candidate.verified(lambda X: self.library_margin(X, 1), self.booster.num_features()):
                return candidate
        return None

    def shap_values(self, X: Matrix) -> Vector:
        """SHAP values of the log-odds by XGBoost's own TreeSHAP."""
        import xgboost

        data = xgboost.DMatrix(X, nthread=1)
        return self.booster.predict(data, pred_contribs=True).astype(np.float64)

    def to_sections(self) -> Sections:
        """XGBoost's JSON."""
        return {_SECTION: self.raw}

    @classmethod
    def from_sections(cls, sections: Sections) -> Self:
        """Restore a booster from XGBoost's JSON, which is checked first: XGBoost itself crashes on a broken one."""
        content = json.loads(sections[_SECTION])
        _check(content["learner"])
        return cls(_canonical(content))

    def refit_parameters(self, parameters: Parameters) -> Parameters:
        """As many trees as early stopping has kept."""
        return parameters.model_copy(update={"rounds": self.booster.num_boosted_rounds()})


def _reported(progress: FitProgress, rounds: int) -> Any:
    """Callback of XGBoost."""
    import xgboost

    class Reported(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 - XGBoost's signature
            progress(epoch + 1, rounds)
            return False

    return Reported()


def _stopping(held_out: Any, parameters: Parameters) -> Any:
    """Callback of XGBoost that stops as its own does, but evaluates a few trees at a time, which is cheaper."""
    import xgboost

    class Stopping(xgboost.callback.TrainingCallback):
        best, least = 1, np.inf

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 - XGBoost's signature
            count = epoch + 1
            if count % _EVALUATED_TOGETHER and count < parameters.rounds:
                return False
            loss = float(model.eval_set([(held_out, "validation")], epoch).rpartition(":")[2])
            if loss < self.least:
                self.best, self.least = count, loss
            return count - self.best >= parameters.patience

    return Stopping()


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _check(learner: dict[str, Any]) -> None:
    """Refuse a JSON that is not one of a binary booster of plain trees.

    Raises:
        ValueError: names what is wrong.
    """
    parameters, booster = learner["learner_model_param"], learner["gradient_booster"]
    kinds = (learner["objective"]["name"], booster["name"], parameters["num_class"], parameters["num_target"])
    if kinds != ("binary:logistic", "gbtree", "0", "1") or learner["feature_names"] or learner["feature_types"]:
        raise ValueError("XGBoost's JSON is not that of a binary classifier")
    if not 0 < float(parameters["base_score"].strip("[]")) < 1:
        raise ValueError("the base score of XGBoost's JSON is no probability")
    model = booster["model"]
    trees = model["trees"]
    if not len(trees) == len(model["tree_info"]) == int(model["gbtree_model_param"]["num_trees"]) > 0:
        raise ValueError("XGBoost's JSON has another number of trees than it lists")
    if any(model["tree_info"]) or model["iteration_indptr"] != [*range(len(trees) + 1)]:
        raise ValueError("the trees of XGBoost's JSON belong to other classes or rounds")
    for number, tree in enumerate(trees):
        _check_tree(tree, number, int(parameters["num_feature"]))


def _check_tree(tree: dict[str, Any], number: int, features: int) -> None:
    nodes = int(tree["tree_param"]["num_nodes"])
    arrays = {name: np.array(tree[name], np.float64) for name in (*_OF_NODES, *_OF_NODES_TOO)}
    if any(array.shape != (nodes,) or not np.isfinite(array).all() for array in arrays.values()) or nodes < 1:
        raise ValueError(f"an array of tree {number} of XGBoost's JSON has another length or is not finite")
    if (tree["id"], tree["tree_param"]["num_feature"]) != (number, str(features)) or tree["categories"]:
        raise ValueError(f"tree {number} of XGBoost's JSON is not one of {features} numbers")
    left, right, parents = (arrays[name].astype(np.int64) for name in ("left_children", "right_children", "parents"))
    inner = np.flatnonzero(left != -1)
    expected = np.full(nodes, _ROOT)
    if np.any((left == -1) != (right == -1)) or np.any((left[inner] <= inner) | (right[inner] <= inner)):
        raise ValueError(f"a split of tree {number} of XGBoost's JSON leads back")
    children = np.concatenate([left[inner], right[inner]])
    if sorted(children.tolist()) != [*range(1, nodes)]:
        raise ValueError(f"the nodes of tree {number} of XGBoost's JSON do not form a tree")
    expected[children] = np.tile(inner, 2)
    split = arrays["split_indices"]
    if np.any(parents != expected) or np.any((split < 0) | (split >= features)) or arrays["split_type"].any():
        raise ValueError(f"tree {number} of XGBoost's JSON splits on a column that there is not, or on categories")


def _flatten(trees: list[dict[str, Any]], base_score: np.float32) -> "TreeEnsemble":
    from accidents.models._tree_ensemble import TreeEnsemble

    roots = np.cumsum([0, *(len(tree["left_children"]) for tree in trees[:-1])], dtype=np.int32)

    def joined(name: str, dtype: type) -> npt.NDArray[Any]:
        return np.concatenate([np.array(tree[name], dtype) for tree in trees])

    def children(name: str) -> npt.NDArray[np.int32]:
        return np.concatenate([np.array(tree[name], np.int32) + root for tree, root in zip(trees, roots, strict=True)])

    left, right = children("left_children"), children("right_children")
    return TreeEnsemble(
        base_score=float(base_score),
        roots=roots,
        feature=np.where(joined("left_children", np.int32) < 0, np.int32(-1), joined("split_indices", np.int32)),
        threshold=joined("split_conditions", np.float32),
        left=left,
        right=right,
        default=np.where(joined("default_left", np.bool_), left, right),
    )
