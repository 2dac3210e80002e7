"""Hyperparameter search by cross-validated ROC-AUC: grid search and Optuna.

Folds are drawn from the training set alone. Places are encoded, classes balanced and boosters stopped without the test
rows of a fold.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from accidents.configuration.training import TuningSettings
from accidents.models import model_class
from accidents.models.base import Dataset, Grid, Model, SearchRange, SearchSpace
from accidents.settings import Settings
from accidents.training.resampling import resample
from accidents.training.split import hash_uniform
from accidents.training.training_data import Rows, TrainingData

CV_METRIC = "roc_auc"
"""Metric of the cross-validated score."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class SearchResult:
    """The best hyperparameters, their cross-validated score if it was measured, and the finished trials.

    Each trial is ready for JSON: `number` from 0 on, `parameters` (those that were searched), `score` (None where the
    trial was pruned) and `seconds`.
    """

    parameters: Settings
    score: float | None
    trials: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Fold:
    """Datasets of one fold: `validation` is for early stopping, `test` for the score."""

    training: Dataset
    validation: Dataset
    test: Dataset


@dataclass(frozen=True)
class CrossValidation:
    """Cross-validation of one model type on fixed folds."""

    model: type[Model[Any]]
    folds: tuple[Fold, ...]
    categorical_features: tuple[int, ...]
    seed: int
    threads: int

    def score(self, parameters: Settings, after_fold: Callable[[int, float], None] | None = None) -> float:
        """Mean ROC-AUC over the folds; `after_fold` is called with the number of each fold and the mean so far."""
        from sklearn.metrics import roc_auc_score

        scores: list[float] = []
        for number, fold in enumerate(self.folds):
            model = self.model.fit(
                fold.training,
                fold.validation,
                parameters=parameters,
                categorical_features=self.categorical_features,
                seed=self.seed,
                threads=self.threads,
            )
            scores.append(float(roc_auc_score(fold.test.y, model.predict_margin(fold.test.X, self.threads))))
            if after_fold:
                after_fold(number, float(np.mean(scores)))
        return float(np.mean(scores))

    def digest(self) -> str:
        """SHA-256 (hexadecimal) of everything that a score depends on besides the hyperparameters."""
        sha256 = hashlib.sha256(
            f"{self.model.__module__} {self.seed} {self.threads} {self.categorical_features}".encode()
        )
        for fold in self.folds:
            for dataset in (fold.training, fold.validation, fold.test):
                sha256.update(dataset.X.tobytes() + dataset.y.tobytes())
                sha256.update(b"" if dataset.weight is None else dataset.weight.tobytes())
        return sha256.hexdigest()


def search(model_type: str, data: TrainingData, training: Rows, progress: Progress) -> SearchResult:
    """Choose hyperparameters as configured: fixed, with a cross-validated score if wanted, by grid or by Optuna.

    Args:
        model_type: one of `accidents.models.model_types()`.
        data: all accidents, and the settings.
        training: rows of the training set.
        progress: called with a message after each trial.
    """
    settings = data.settings
    model, own, method = model_class(model_type), settings.settings_of(model_type), settings.tuning.method
    configured = model.PARAMETERS.model_validate(own.parameters)
    if method == "none" and not settings.cross_validate:
        return SearchResult(configured, None)
    progress(f"{settings.cv_folds} folds")
    validation = cross_validation(model, data, training)
    if method == "grid":
        return grid_search(validation, configured, own.grid or model.GRID, progress)
    if method == "optuna":
        return optuna_search(validation, configured, own.space or model.SPACE, settings.tuning, progress)
    return SearchResult(configured, validation.score(configured))


def cross_validation(model: type[Model[Any]], data: TrainingData, training: Rows) -> CrossValidation:
    """Build stratified folds of the rows `training`."""
    from sklearn.model_selection import StratifiedKFold

    settings = data.settings
    splitter = StratifiedKFold(settings.cv_folds, shuffle=True, random_state=settings.seed)
    ids = data.frame["Num_Acc"].to_numpy()
    folds = []
    for others, test in splitter.split(training, data.labels(training)):
        is_validation = hash_uniform(ids[training[others]], settings.seed) < settings.split.validation_share
        encoder, dataset = data.fit_transform(training[others[~is_validation]])
        folds.append(
            Fold(
                resample(dataset, settings.resampling, settings.seed),
                data.transform(training[others[is_validation]], encoder),
                data.transform(training[test], encoder),
            )
        )
    return CrossValidation(model, tuple(folds), data.categorical_features, settings.seed, settings.threads)


def grid_search(validation: CrossValidation, start: Settings, grid: Grid, progress: Progress) -> SearchResult:
    """Score every combination of the values in `grid`, other values as in `start`; of equals the first is the best."""
    from sklearn.model_selection import ParameterGrid

    best, best_score = start, -np.inf
    trials: list[dict[str, Any]] = []
    points = ParameterGrid({name: list(values) for name, values in grid.items()})
    for number, point in enumerate(points, 1):
        parameters, started = _updated(start, point), monotonic()
        score = validation.score(parameters)
        trials.append(_trial_record(number - 1, point, score, monotonic() - started))
        if score > best_score:
            best, best_score = parameters, score
        progress(f"grid {number}/{len(points)}: AUC {score:.4f}, best {best_score:.4f}")
    return SearchResult(best, best_score, tuple(trials))


def _trial_record(number: int, values: Mapping[str, Any], score: float | None, seconds: float) -> dict[str, Any]:
    return {"number": number, "parameters": dict(values), "score": score, "seconds": round(seconds, 3)}


def optuna_search(
    validation: CrossValidation, start: Settings, space: SearchSpace, settings: TuningSettings, progress: Progress
) -> SearchResult:
    """Search `space` with a tree-structured Parzen estimator; `start` is the first trial.

    Trials are pruned after a fold and stored in `settings.storage` at once. An interrupted search is resumed, with the
    result that it would have had: the sampler of each trial is seeded with the number of trials before it. Other data
    or another search space make another study.
    """
    import optuna

    optuna.logging.set_verbosity(logging.WARNING)
    study = optuna.create_study(
        study_name=_study_name(validation, start, space, settings),
        storage=_storage(settings.storage),
        direction="maximize",
        load_if_exists=True,
        pruner=_pruner(settings.pruner, len(validation.folds)),
    )

    def objective(trial: Any) -> float:
        values = {name: _suggest(trial, name, choices) for name, choices in space.items()}

        def after_fold(number: int, mean: float) -> None:
            trial.report(mean, number)
            if trial.should_prune():
                raise optuna.TrialPruned

        return validation.score(_updated(start, values), after_fold)

    finished_states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    started = monotonic()
    while (done := len(study.get_trials(deepcopy=False, states=finished_states))) < settings.trials:
        if done and settings.timeout_seconds is not None and monotonic() - started > settings.timeout_seconds:
            break
        if not done:
            study.enqueue_trial({name: getattr(start, name) for name in space}, skip_if_exists=True)
        study.sampler = optuna.samplers.TPESampler(seed=validation.seed + done)
        study.optimize(objective, n_trials=1)
        last = study.get_trials(deepcopy=False)[-1]
        outcome = f"AUC {last.value:.4f}" if last.state.name == "COMPLETE" else "pruned"
        progress(f"trial {done + 1}/{settings.trials}: {outcome}, best {study.best_value:.4f}")
    trials = tuple(
        _trial_record(
            number,
            trial.params,
            trial.value if trial.state.name == "COMPLETE" else None,
            trial.duration.total_seconds(),
        )
        for number, trial in enumerate(study.get_trials(deepcopy=False, states=finished_states))
    )
    return SearchResult(_updated(start, study.best_params), study.best_value, trials)


def _updated(parameters: Settings, values: Mapping[str, Any]) -> Settings:
    """A validated copy with other values."""
    return type(parameters).model_validate(parameters.model_dump() | dict(values))


def _suggest(trial: Any, name: str, values: SearchRange | Sequence[Any]) -> Any:
    if not isinstance(values, SearchRange):
        return trial.suggest_categorical(name, list(values))
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(name, values.low, values.high, log=values.log)
    return trial.suggest_float(name, values.low, values.high, log=values.log)


def _study_name(validation: CrossValidation, start: Settings, space: SearchSpace, settings: TuningSettings) -> str:
    ranges = {name: v.model_dump() if isinstance(v, SearchRange) else list(v) for name, v in space.items()}
    content = json.dumps([validation.digest(), start.model_dump(), ranges, settings.pruner])
    return f"{validation.model.__module__.rpartition('.')[2]}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def _storage(path: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))


def _pruner(name: str, folds: int) -> Any:
    from optuna import pruners

    if name == "median":
        return pruners.MedianPruner(n_startup_trials=5)
    if name == "hyperband":
        return pruners.HyperbandPruner(max_resource=folds)
    return pruners.NopPruner()
