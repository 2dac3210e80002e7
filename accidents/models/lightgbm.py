"""LightGBM: gradient-boosted trees, grown leaf by leaf, that stop when the validation part gets no better."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from accidents.models._booster import Boosted, Stopping
from accidents.models.base import Grid, Matrix, Range, Sample, Space, Vector

if TYPE_CHECKING:
    from accidents.models._tree_ensemble import Trees


class Parameters(Stopping):
    """Hyperparameters under LightGBM's own names, except `rounds` and `patience`."""

    learning_rate: float = Field(0.07, gt=0, le=1, description="share of each tree that counts")
    num_leaves: int = Field(15, ge=2, description="leaves of a tree")
    min_data_in_leaf: int = Field(60, ge=1, description="least accidents in a leaf")
    feature_fraction: float = Field(0.3, gt=0, le=1, description="share of columns drawn for a tree")
    bagging_fraction: float = Field(0.8, gt=0, le=1, description="share of accidents drawn for a tree")
    lambda_l2: float = Field(10.0, ge=0, description="L2 penalty on leaf values")


class Classifier(Boosted[Parameters]):
    """A booster, held and pickled as LightGBM's own text. Margins and SHAP values are log-odds."""

    PARAMETERS = Parameters
    GRID: ClassVar[Grid] = {"learning_rate": (0.04, 0.07), "num_leaves": (15, 31), "min_data_in_leaf": (30, 100)}
    SPACE: ClassVar[Space] = {
        "learning_rate": Range(low=0.02, high=0.15, log=True),
        "num_leaves": Range(low=8, high=96, log=True),
        "min_data_in_leaf": Range(low=10, high=200, log=True),
        "feature_fraction": Range(low=0.1, high=0.8),
        "bagging_fraction": Range(low=0.5, high=1.0),
        "lambda_l2": Range(low=0.1, high=100.0, log=True),
    }
    LIBRARIES = ("lightgbm",)

    def __init__(self, text: str) -> None:
        import lightgbm

        self.text = text
        self.booster = lightgbm.Booster(model_str=text)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text,)

    @classmethod
    def fit(
        cls,
        training: Sample,
        validation: Sample | None,
        *,
        parameters: Parameters,
        categories: Sequence[int] = (),  # noqa: ARG003 - splits on the order of codes were measured as good
        seed: int,
        threads: int,
    ) -> Self:
        """Boost until the log-loss of `validation` has not improved for `patience` trees; keep those up to the best."""
        import lightgbm

        options = parameters.of_library() | {
            "objective": "binary",
            "bagging_freq": 1,
            "seed": seed,
            "num_threads": threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(training.X, training.y, weight=training.weight, free_raw_data=False)
        watched, callbacks = [], []
        if validation is not None:
            watched.append(data.create_valid(validation.X, validation.y, weight=validation.weight))
            callbacks.append(lightgbm.early_stopping(parameters.patience, verbose=False))
        booster = lightgbm.train(options, data, parameters.rounds, valid_sets=watched, callbacks=callbacks)
        return cls(booster.model_to_string())

    def asked(self, X: Matrix, threads: int) -> Vector:
        """Log-odds by LightGBM."""
        return self.booster.predict(X, raw_score=True, num_threads=threads)

    def trees(self) -> "Trees | None":
        """The trees, read from the text."""
        from accidents.models._lightgbm_trees import trees_of

        return trees_of(self.booster, self.text)

    def contributions(self, X: Matrix) -> Vector:
        """SHAP values on the log-odds by LightGBM's own TreeSHAP."""
        return self.booster.predict(X, pred_contrib=True, num_threads=1)

    def settled(self, parameters: Parameters) -> Parameters:
        """As many trees as the validation part has found best."""
        return parameters.model_copy(update={"rounds": self.booster.num_trees()})
