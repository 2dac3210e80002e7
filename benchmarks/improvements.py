"""What might make the models better: each idea beside LightGBM as configured, on later months.

    python -m benchmarks.improvements [--source FOLDER] [--older FOLDER] [--seeds 0 1 2] [--skip stacking …]
                                      [--train-months 1 6] [--test-months 7 9]

- `stacking`: logistic regression on the log-odds of the four model types, learned on the validation set.
- `monotone`: the share of priority of a place and the speed limit may only raise the probability.
- `department x road`: out-of-fold target encodings of department with road category, built-up area and collision.
- `older, weight w`: accidents of `--older` besides, each counting for w; places are encoded by the newer ones.

Trains on 85 % of the accidents of the first months; the rest, the validation set, stops boosters early and teaches the
stack. A gain in ROC-AUC is that over LightGBM on the same test accidents, the mean over seeds, with a paired bootstrap
interval of 95 %. Level of information: `call`. Fits use one thread.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from accidents.evaluation.bootstrap import bootstrap_metrics
from accidents.evaluation.metrics import group_scores
from accidents.features import feature_frame, feature_matrix
from accidents.models import model_class, model_types
from accidents.models.base import Dataset, Matrix, Model, Vector
from accidents.models.lightgbm import Classifier
from accidents.tables import LABEL, Accidents
from accidents.training.split import join_labels
from accidents.training.training_data import Rows, TrainingData
from benchmarks.common import argument_parser, load_accidents, print_markdown
from benchmarks.modelling import settings

_RESAMPLES, _VALIDATION_SHARE, _FOLDS = 1000, 0.15, 5
_WEIGHTS = (0.1, 0.3, 1.0)
_CROSSED = ("catr", "agg", "col")


@dataclass
class Trial:
    """Accidents of one seed, split and encoded, and LightGBM as configured."""

    data: TrainingData
    training: Rows
    validation: Rows
    test: Rows
    older: pd.DataFrame | None

    def __post_init__(self) -> None:
        self.encoder, self.known = self.data.fit_transform(self.training)
        self.held_out, self.later = (self.data.transform(rows, self.encoder) for rows in (self.validation, self.test))

    def fit(self, name: str, known: Dataset, held_out: Dataset) -> Model[Any]:
        """Fit a model type with the configured hyperparameters, stopped early on the validation set."""
        own, configured = model_class(name), self.data.settings
        return own.fit(
            known,
            held_out,
            parameters=own.PARAMETERS.model_validate(configured.settings_of(name).parameters),
            categorical_features=self.data.categorical_features,
            seed=configured.seed,
            threads=configured.threads,
        )

    @cached_property
    def baseline(self) -> Vector:
        """Log-odds of the test accidents by LightGBM as configured."""
        return self.fit("lightgbm", self.known, self.held_out).predict_margin(self.later.X)

    def stacking(self) -> Vector:
        """Logistic regression on the log-odds of all types."""
        from sklearn.linear_model import LogisticRegression

        models = [self.fit(name, self.known, self.held_out) for name in model_types()]
        held_out, later = (
            np.column_stack([model.predict_margin(one.X) for model in models]) for one in (self.held_out, self.later)
        )
        return LogisticRegression(C=1.0).fit(held_out, self.held_out.y).decision_function(later)

    def monotone(self) -> Vector:
        """LightGBM with constraints."""
        import lightgbm

        names = self.data.columns
        rising = [int(name.startswith("te_") or name == "vma") for name in names]
        parameters = Classifier.PARAMETERS.model_validate(self.data.settings.settings_of("lightgbm").parameters)
        options = parameters.library_parameters() | {
            "objective": "binary", "bagging_freq": 1, "verbosity": -1, "monotone_constraints": rising,
            "seed": self.data.settings.seed, "num_threads": self.data.settings.threads,
        }  # fmt: skip
        known = lightgbm.Dataset(self.known.X, self.known.y)
        held_out = known.create_valid(self.held_out.X, self.held_out.y)
        stop = lightgbm.early_stopping(parameters.patience, verbose=False)
        booster = lightgbm.train(options, known, parameters.rounds, valid_sets=[held_out], callbacks=[stop])
        return booster.predict(self.later.X, raw_score=True)

    def crossed(self) -> Vector:
        """LightGBM with encodings of department by other columns besides."""
        from sklearn.model_selection import KFold
        from sklearn.preprocessing import TargetEncoder

        def pairs(rows: Rows) -> Matrix:
            frame = self.data.frame.iloc[rows]
            department = frame["cell_department"].to_numpy(np.int64)
            return np.column_stack([department * 100 + frame[name].fillna(-1).to_numpy(np.int64) for name in _CROSSED])

        folds = KFold(_FOLDS, shuffle=True, random_state=self.data.settings.seed)
        encoder = TargetEncoder(target_type="binary", cv=folds)
        columns = encoder.fit_transform(pairs(self.training), self.known.y)
        known, held_out, later = (
            Dataset(np.column_stack([one.X, own]).astype(np.float32), one.y)
            for one, own in (
                (self.known, columns),
                (self.held_out, encoder.transform(pairs(self.validation))),
                (self.later, encoder.transform(pairs(self.test))),
            )
        )
        return self.fit("lightgbm", known, held_out).predict_margin(later.X)

    def with_older(self, weight: float) -> Vector:
        """LightGBM with older accidents, which count for less."""
        if self.older is None:
            raise ValueError("no older accidents")
        older = feature_matrix(self.older, self.data.columns, self.encoder)
        labels = self.older[LABEL].to_numpy(np.int8)
        weights = np.repeat([1.0, weight], [len(self.known.y), len(labels)])
        known = Dataset(np.concatenate([self.known.X, older]), np.concatenate([self.known.y, labels]), weights)
        return self.fit("lightgbm", known, self.held_out).predict_margin(self.later.X)

    def ideas(self) -> Mapping[str, Callable[[], Vector]]:
        """Every idea by its name."""
        older = {} if self.older is None else {f"older, weight {w:g}": lambda w=w: self.with_older(w) for w in _WEIGHTS}
        return {"stacking": self.stacking, "monotone": self.monotone, "department x road": self.crossed} | older


def main() -> None:
    """Print one row an idea."""
    options = _options()
    accidents = load_accidents(options.source)
    frame = _labelled(accidents)
    older = _labelled(load_accidents(options.older)) if options.older else None
    gains: dict[str, list[Vector]] = {}
    for seed in options.seeds:
        trial = _trial(frame, seed, options, older)
        labels = trial.later.y
        baseline = _aucs(trial.baseline, labels)
        print(f"seed {seed}: {len(trial.training):,} accidents, LightGBM {baseline[0]:.4f}", flush=True)
        for name, predict in trial.ideas().items():
            if name.split(",")[0] not in options.skip:
                gains.setdefault(name, []).append(_aucs(predict(), labels) - baseline)
                print(f"  {name}: {gains[name][-1][0]:+.4f}", flush=True)
    print_markdown(_row(name, np.mean(values, axis=0)) for name, values in gains.items())


def _options() -> argparse.Namespace:
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample", help="sample, or a folder of real files")
    parser.add_argument("--older", help="folder of real files of an earlier year")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--skip", nargs="+", default=[], help="ideas to leave out")
    parser.add_argument("--train-months", nargs=2, type=int, default=[1, 6], metavar=("FIRST", "LAST"))
    parser.add_argument("--test-months", nargs=2, type=int, default=[7, 9], metavar=("FIRST", "LAST"))
    return parser.parse_args()


def _labelled(accidents: Accidents) -> pd.DataFrame:
    """Features, labels and months of the labelled accidents."""
    frame = join_labels(feature_frame(accidents), accidents.accidents)
    frame = frame.assign(month=accidents.accidents["mois"].to_numpy())
    return frame[frame[LABEL] >= 0].reset_index(drop=True)


def _trial(frame: pd.DataFrame, seed: int, options: argparse.Namespace, older: pd.DataFrame | None) -> Trial:
    first, test = (
        np.flatnonzero(frame["month"].between(*months)) for months in (options.train_months, options.test_months)
    )
    in_validation = np.random.default_rng(seed).random(len(first)) < _VALIDATION_SHARE
    data = TrainingData(frame, "call", True, settings(seed, {"threads": 1}))
    return Trial(data, first[~in_validation], first[in_validation], test, older)


def _aucs(margin: Vector, labels: Any) -> Vector:
    """ROC-AUC, then that of resamples, which are the same for all models."""
    scores = group_scores(labels, 1 / (1 + np.exp(-margin)))
    resampled = bootstrap_metrics(scores, 0.5, bins=15, resamples=_RESAMPLES, seed=0)
    return np.concatenate([scores.metrics(0.5, 15)["roc_auc"][:1], resampled["roc_auc"]])


def _row(name: str, gains: Vector) -> dict[str, str]:
    low, high = np.quantile(gains[1:], (0.025, 0.975))
    return {"idea": name, "gain in ROC-AUC": f"{gains[0]:+.4f} ({low:+.4f} to {high:+.4f})"}


if __name__ == "__main__":
    main()
