"""Hyperparameter search by cross-validated ROC-AUC: grid search and Optuna.

Folds are drawn from the training set alone. Places are encoded, classes balanced and boosters stopped without the test
rows of a fold.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from accidents.configuration.training import TuningSettings
from accidents.engine import LOCAL, Engine
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
    """Cross-validation of one model type on fixed folds; each fit is one call of the engine."""

    model: type[Model[Any]]
    folds: tuple[Fold, ...]
    categorical_features: tuple[int, ...]
    seed: int
    threads: int
    engine: Engine = LOCAL

    def score(self, parameters: Settings) -> float:
        """Mean ROC-AUC over the folds."""
        return next(self.scores([parameters]))

    def scores(self, points: Iterable[Settings]) -> Iterator[float]:
        """Mean ROC-AUC over the folds for each of several hyperparameters."""
        count = len(self.folds)
        fold_scores = self.fold_scores((parameters, fold) for parameters in points for fold in range(count))
        while scores := list(islice(fold_scores, count)):
            yield float(np.mean(scores))

    def fold_scores(self, fits: Iterable[tuple[Settings, int]]) -> Iterator[float]:
        """ROC-AUC of each of several hyperparameters in the fold of a number."""
        without_folds = replace(self, folds=(), engine=LOCAL)
        return self.engine.map(_score_fold, fits, without_folds, *self._shared_folds)

    def fold_score(self, parameters: Settings, fold: Fold) -> float:
        """ROC-AUC in one fold."""
        from sklearn.metrics import roc_auc_score

        model = self.model.fit(
            fold.training,
            fold.validation,
            parameters=parameters,
            categorical_features=self.categorical_features,
            seed=self.seed,
            threads=self.threads,
        )
        return float(roc_auc_score(fold.test.y, model.predict_margin(fold.test.X, self.threads)))

    @cached_property
    def _shared_folds(self) -> list[Fold]:
        return [self.engine.share(fold) for fold in self.folds]

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


def _score_fold(fit: tuple[Settings, int], validation: CrossValidation, *folds: Fold) -> float:
    parameters, number = fit
    return validation.fold_score(parameters, folds[number])


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
    options = data.categorical_features, settings.seed, settings.threads, data.engine
    return CrossValidation(model, tuple(folds), *options)


def grid_search(validation: CrossValidation, start: Settings, grid: Grid, progress: Progress) -> SearchResult:
    """Score every combination of the values in `grid`, other values as in `start`; of equals the first is the best."""
    from sklearn.model_selection import ParameterGrid

    best, best_score = start, -np.inf
    trials: list[dict[str, Any]] = []
    points = ParameterGrid({name: list(values) for name, values in grid.items()})
    scores, started = validation.scores(_updated(start, point) for point in points), monotonic()
    for number, (point, score) in enumerate(zip(points, scores, strict=True), 1):
        trials.append(_trial_record(number - 1, point, score, monotonic() - started))
        if score > best_score:
            best, best_score = _updated(start, point), score
        started = monotonic()
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
    or another search space make another study. On a cluster as many trials run side by side as there are threads.
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

    finished_states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    started = monotonic()
    while (done := len(study.get_trials(deepcopy=False, states=finished_states))) < settings.trials:
        if done and settings.timeout_seconds is not None and monotonic() - started > settings.timeout_seconds:
            break
        if not done:
            study.enqueue_trial({name: getattr(start, name) for name in space}, skip_if_exists=True)
        side_by_side = min(validation.engine.parallelism, settings.trials - done)
        running = {}
        for number in range(done, done + side_by_side):
            study.sampler = optuna.samplers.TPESampler(seed=validation.seed + number, constant_liar=side_by_side > 1)
            trial = study.ask()
            values = {name: _suggest(trial, name, choices) for name, choices in space.items()}
            running[trial] = _updated(start, values)
        for trial, score in _run_trials(running, validation):
            study.tell(trial, score, state=None if score is not None else optuna.trial.TrialState.PRUNED)
            done += 1
            outcome = "pruned" if score is None else f"AUC {score:.4f}"
            progress(f"trial {done}/{settings.trials}: {outcome}, best {study.best_value:.4f}")
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


def _run_trials(trials: Mapping[Any, Settings], validation: CrossValidation) -> Iterator[tuple[Any, float | None]]:
    """Score trials fold by fold, each with its hyperparameters; yields None as the score of a pruned one."""
    scores: dict[Any, list[float]] = {trial: [] for trial in trials}
    for number in range(len(validation.folds)):
        results = [*validation.fold_scores([(trials[trial], number) for trial in scores])]
        for trial, score in zip([*scores], results, strict=True):
            scores[trial].append(score)
            trial.report(float(np.mean(scores[trial])), number)
            if trial.should_prune():
                del scores[trial]
                yield trial, None
    yield from ((trial, float(np.mean(own))) for trial, own in scores.items())


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
