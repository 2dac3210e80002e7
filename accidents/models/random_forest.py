"""Random forest: the average of deep trees, each fitted on a sample of accidents and columns.

scikit-learn fits the trees. They are stored as flat arrays, a tenth of the size of its own objects, and predictions do
not need scikit-learn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from accidents.models._imputation import impute, medians_of
from accidents.models._npz import pack_arrays, unpack_arrays
from accidents.models.base import (
    Dataset,
    FitProgress,
    Grid,
    Matrix,
    OutOfBagModel,
    SearchRange,
    SearchSpace,
    Sections,
    Vector,
    log_odds,
    no_progress,
)
from accidents.settings import Settings

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

    from accidents.models._tree_ensemble import TreeEnsemble

_SECTION = "forest.npz"
_SECONDS_BETWEEN_COUNTS = 5
_DTYPES = {
    **dict.fromkeys(("medians", "threshold", "value", "cover"), np.float32),
    **dict.fromkeys(("roots", "right"), np.int32),
    "feature": np.int16,
}


class Parameters(Settings):
    """Hyperparameters under scikit-learn's own names."""

    n_estimators: int = Field(80, ge=1, description="number of trees")
    max_depth: int = Field(18, ge=1, description="greatest depth of a tree")
    min_samples_leaf: int = Field(8, ge=1, description="least accidents in a leaf")
    max_features: float = Field(0.12, gt=0, le=1, description="share of columns looked at for a split")
    max_samples: float = Field(0.5, gt=0, le=1, description="share of accidents drawn for a tree")


@dataclass(frozen=True)
class Classifier(OutOfBagModel[Parameters]):
    """The nodes of all trees, one after the other, in preorder: a left child follows its parent.

    `feature` is -1 at a leaf; a row goes left where it is at most `threshold`, else to `right`, counted from the first
    node of all. `value` is the share of priority among the accidents of a node, `cover` their weight. Missing values
    are imputed by `medians`. Log-odds are those of the trees' average; SHAP values add up to the average itself.
    """

    PARAMETERS = Parameters
    TIE_RANK = 4
    FIT_RANK = 1
    SHAP_UNIT = "probability"
    GRID: ClassVar[Grid] = {"min_samples_leaf": (4, 8, 16), "max_features": (0.08, 0.12, 0.25)}
    SPACE: ClassVar[SearchSpace] = {
        "max_depth": SearchRange(low=10, high=30),
        "min_samples_leaf": SearchRange(low=3, high=30, log=True),
        "max_features": SearchRange(low=0.05, high=0.5, log=True),
        "max_samples": SearchRange(low=0.4, high=1.0),
    }

    medians: Matrix
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int16]
    threshold: Matrix
    right: npt.NDArray[np.int32]
    value: Matrix
    cover: Matrix

    @classmethod
    def fit(
        cls,
        training: Dataset,
        validation: Dataset | None,  # noqa: ARG003 - no early stopping
        *,
        parameters: Parameters,
        categorical_features: Sequence[int] = (),  # noqa: ARG003 - trees split on the order of codes
        seed: int,
        threads: int,
        progress: FitProgress = no_progress,
    ) -> Self:
        """Fit the trees on imputed columns."""
        forest, medians, _ = _grow(training, parameters=parameters, seed=seed, threads=threads, progress=progress)
        return cls._of(forest, medians)

    @classmethod
    def fit_out_of_bag(cls, training: Dataset, rows: npt.NDArray[np.intp], **options: Any) -> tuple[Self, Vector]:
        """Fit the trees; an accident is predicted by the average of those that have not drawn it (Breiman, 2001)."""
        forest, medians, complete = _grow(training, **options)
        chosen, total, count = complete[rows], np.zeros(len(rows)), np.zeros(len(rows))
        for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
            is_drawn = np.zeros(len(complete), np.bool_)
            is_drawn[drawn] = True
            left_out = ~is_drawn[rows]
            total[left_out] += tree.tree_.predict(chosen[left_out])[:, 1]
            count += left_out
        model = cls._of(forest, medians)
        # With few trees all of them may have drawn an accident.
        return model, log_odds(np.where(count > 0, total / np.maximum(count, 1), training.y.mean()))

    @classmethod
    def _of(cls, forest: "RandomForestClassifier", medians: Matrix) -> Self:
        """The nodes of a fitted forest of scikit-learn."""
        trees = [tree.tree_ for tree in forest.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
        leaf = np.concatenate([tree.children_left for tree in trees]) < 0
        threshold = np.concatenate([tree.threshold for tree in trees])
        return cls(
            medians=medians,
            roots=roots.astype(np.int32),
            feature=np.where(leaf, -1, np.concatenate([tree.feature for tree in trees])).astype(np.int16),
            threshold=_rounded_down(threshold),
            right=np.concatenate([tree.children_right + root for tree, root in zip(trees, roots, strict=True)]).astype(
                np.int32
            ),
            value=np.concatenate([tree.value[:, 0, 1] for tree in trees]).astype(np.float32),
            cover=np.concatenate([tree.weighted_n_node_samples for tree in trees]).astype(np.float32),
        )

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the forest was fitted on."""
        return len(self.medians)

    def predict_proba(self, X: Matrix) -> Vector:
        """Average of the trees, float64 (n)."""
        return self._trees.leaf_sums(X) / len(self.roots)

    def predict_margin(self, X: Matrix, threads: int = 1) -> Vector:  # noqa: ARG002 - one thread is fast enough
        """Log-odds of the trees' average."""
        return log_odds(self.predict_proba(X))

    def to_sections(self) -> Sections:
        """All arrays in one file."""
        return {_SECTION: pack_arrays(**asdict(self))}

    @classmethod
    def from_sections(cls, sections: Sections) -> Self:
        """Restore a forest from its arrays."""
        forest = cls(**unpack_arrays(sections[_SECTION], _DTYPES))
        nodes = len(forest.feature)
        if any(len(array) != nodes for array in (forest.threshold, forest.right, forest.value, forest.cover)):
            raise ValueError("the arrays of the forest have different lengths")
        if forest.roots[0] != 0 or np.any(np.diff(forest.roots) <= 0) or forest.feature.max() >= len(forest.medians):
            raise ValueError("the roots or columns of the forest are not those of its trees")
        if np.any((forest.value < 0) | (forest.value > 1)):
            raise ValueError("a leaf of the forest is no share")
        return forest

    @cached_property
    def _trees(self) -> "TreeEnsemble":
        return self.tree_ensemble()

    def tree_ensemble(self) -> "TreeEnsemble":
        """The trees for prediction; missing values go where the median of their column goes."""
        from accidents.models._tree_ensemble import TreeEnsemble

        leaf = self.feature < 0
        left, right = np.arange(1, len(self.feature) + 1, dtype=np.int32), self.right
        # In float32 "at most the threshold" is "less than the next number".
        above = np.nextafter(self.threshold, np.float32(np.inf), dtype=np.float32)
        return TreeEnsemble(
            base_score=0.0,
            roots=self.roots,
            feature=self.feature.astype(np.int32),
            threshold=np.where(leaf, self.value, above).astype(np.float64),
            left=left,
            right=right,
            default=np.where(self.medians[self.feature] <= self.threshold, left, right),
        )

    def shap_values(self, X: Matrix) -> Vector:
        """SHAP values of the probability by path-dependent TreeSHAP."""
        import shap

        explainer = shap.TreeExplainer({"trees": [self._shap_tree(number) for number in range(len(self.roots))]})
        values = explainer.shap_values(impute(X, self.medians), check_additivity=False)
        base_value = np.full((len(X), 1), float(np.ravel(explainer.expected_value)[0]))
        return np.hstack([values.reshape(X.shape), base_value])

    def _shap_tree(self, number: int) -> dict[str, Any]:
        """One tree in the format of `shap`, with leaf values divided by the number of trees."""
        start = int(self.roots[number])
        end = int(self.roots[number + 1]) if number + 1 < len(self.roots) else len(self.feature)
        feature = self.feature[start:end].astype(np.int32)
        left = np.where(feature < 0, -1, np.arange(1, end - start + 1)).astype(np.int32)
        right = np.where(feature < 0, -1, self.right[start:end] - start).astype(np.int32)
        return {
            "children_left": left,
            "children_right": right,
            "children_default": left,
            "features": feature,
            "thresholds": self.threshold[start:end].astype(np.float64),
            "values": self.value[start:end, None].astype(np.float64) / len(self.roots),
            "node_sample_weight": self.cover[start:end].astype(np.float64),
        }


def _grow(
    training: Dataset, *, parameters: Parameters, seed: int, threads: int, progress: FitProgress = no_progress
) -> tuple["RandomForestClassifier", Matrix, Matrix]:
    """Fit scikit-learn's forest, a few trees after the other; returned with the medians and the imputed columns."""
    from sklearn.ensemble import RandomForestClassifier

    medians = medians_of(training.X)
    complete = impute(training.X, medians, overwrite=training.overwrite)
    forest = RandomForestClassifier(**parameters.model_dump(), random_state=seed, n_jobs=threads, warm_start=True)
    started = perf_counter()
    for count in _tree_counts(parameters.n_estimators, threads, lambda: perf_counter() - started):
        forest.set_params(n_estimators=count).fit(complete, training.y, sample_weight=training.weight)
        progress(count, parameters.n_estimators)
    return forest, medians, complete


def _tree_counts(total: int, threads: int, elapsed: Callable[[], float]) -> Iterator[int]:
    """Numbers of trees to have grown one after the other, `_SECONDS_BETWEEN_COUNTS` apart; the last one is `total`.

    The forest is the same however it is divided: a warm start goes on with the same random numbers.
    """
    count = min(threads, total)
    while count < total:
        yield count
        pace = count / max(elapsed(), 1e-9)
        count = min(total, count + max(threads, int(pace * _SECONDS_BETWEEN_COUNTS) // threads * threads))
    yield total


def _rounded_down(threshold: Vector) -> Matrix:
    """As float32, rounded towards minus infinity: float32 values compare with it as they do with `threshold`."""
    nearest = threshold.astype(np.float32)
    return np.where(nearest > threshold, np.nextafter(nearest, np.float32(-np.inf)), nearest)
