"""LightGBM: gradient-boosted trees, grown leaf-wise, with early stopping on the validation set."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from accidents.models._booster import Booster, EarlyStopping, Member
from accidents.models._lightgbm_text import check, trees_of
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

_JOINT = {"tree_learner": "data", "pre_partition": True, "time_out": 1}  # of joint fits; minutes to connect


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
        trees = trees_of(self.text)
        return trees and trees.verified(lambda X: self.library_margin(X, 1), self.booster.num_feature())

    def shap_values(self, X: Matrix) -> Vector:
        """SHAP values of the log-odds by LightGBM's own TreeSHAP."""
        return self.booster.predict(X, pred_contrib=True, num_threads=1)

    def to_sections(self) -> Sections:
        """LightGBM's text."""
        return {_SECTION: self.text.encode()}

    @classmethod
    def from_sections(cls, sections: Sections) -> Self:
        """Restore a booster from LightGBM's text, which is checked first: LightGBM itself crashes on a broken one."""
        check(text := sections[_SECTION].decode())
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
