"""XGBoost: gradient-boosted trees on histograms that stop when the validation part gets no better."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from accidents.models._booster import Boosted, Stopping
from accidents.models.base import Grid, Matrix, Range, Sample, Space, Vector

if TYPE_CHECKING:
    from accidents.models._tree_ensemble import Trees


class Parameters(Stopping):
    """Hyperparameters under XGBoost's own names, except `rounds` and `patience`."""

    learning_rate: float = Field(0.05, gt=0, le=1, description="share of each tree that counts")
    max_depth: int = Field(5, ge=1, le=16, description="depth of a tree")
    min_child_weight: float = Field(10.0, ge=0, description="least sum of second derivatives in a leaf")
    subsample: float = Field(0.8, gt=0, le=1, description="share of accidents drawn for a tree")
    colsample_bytree: float = Field(0.3, gt=0, le=1, description="share of columns drawn for a tree")
    reg_lambda: float = Field(10.0, ge=0, description="L2 penalty on leaf values")


class Classifier(Boosted[Parameters]):
    """A booster, held and pickled as XGBoost's own UBJSON. Margins and SHAP values are log-odds."""

    PARAMETERS = Parameters
    GRID: ClassVar[Grid] = {"learning_rate": (0.04, 0.07), "max_depth": (4, 6), "min_child_weight": (5.0, 20.0)}
    SPACE: ClassVar[Space] = {
        "learning_rate": Range(low=0.02, high=0.15, log=True),
        "max_depth": Range(low=3, high=9),
        "min_child_weight": Range(low=1.0, high=50.0, log=True),
        "subsample": Range(low=0.5, high=1.0),
        "colsample_bytree": Range(low=0.1, high=0.8),
        "reg_lambda": Range(low=0.1, high=100.0, log=True),
    }
    LIBRARIES = ("xgboost",)

    def __init__(self, raw: bytes) -> None:
        import xgboost

        self.raw = raw
        self.threads = 1
        self.booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(raw))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.raw,)

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
        import xgboost

        options = parameters.of_library() | {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "seed": seed,
            "nthread": threads,
        }
        data = xgboost.QuantileDMatrix(training.X, training.y, weight=training.weight, nthread=threads)
        watched, callbacks = [], []
        if validation is not None:
            held_out = xgboost.QuantileDMatrix(
                validation.X, validation.y, weight=validation.weight, ref=data, nthread=threads
            )
            watched.append((held_out, "validation"))
            callbacks.append(xgboost.callback.EarlyStopping(rounds=parameters.patience, save_best=True))
        booster = xgboost.train(
            options, data, num_boost_round=parameters.rounds, evals=watched, callbacks=callbacks, verbose_eval=False
        )
        return cls(bytes(booster.save_raw("ubj")))

    def asked(self, X: Matrix, threads: int) -> Vector:
        """Log-odds by XGBoost, which adds leaf values up in float32."""
        if threads != self.threads:
            self.threads = threads
            self.booster.set_param({"nthread": threads})
        return self.booster.inplace_predict(X, predict_type="margin", validate_features=False).astype(np.float64)

    def trees(self) -> "Trees | None":
        """The trees, read from XGBoost's JSON."""
        from accidents.models._xgboost_trees import trees_of

        return trees_of(self.booster)

    def contributions(self, X: Matrix) -> Vector:
        """SHAP values on the log-odds by XGBoost's own TreeSHAP."""
        import xgboost

        data = xgboost.DMatrix(X, nthread=1)
        return self.booster.predict(data, pred_contribs=True).astype(np.float64)

    def settled(self, parameters: Parameters) -> Parameters:
        """As many trees as the validation part has found best."""
        return parameters.model_copy(update={"rounds": self.booster.num_boosted_rounds()})
