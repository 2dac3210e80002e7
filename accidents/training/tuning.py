"""Cross-validated scores, and the two searches for hyperparameters that go by them.

Folds are made of training accidents alone. In each, places are encoded, classes balanced and boosters stopped without
a look at the held-out accidents. The score is the mean ROC-AUC of the folds.
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

from accidents.configuration.base import Settings
from accidents.configuration.training import TrainingSettings, TuningSettings
from accidents.models.base import Dataset, Grid, Model, SearchRange, SearchSpace
from accidents.training.examples import Examples, Rows
from accidents.training.resampling import resample
from accidents.training.split import uniform

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Search:
    """What a search found: the best hyperparameters, their cross-validated score if there is one, and every trial.

    `trials` are those that came to an end, in their order: `number` from 0 on, `parameters` (those that were searched),
    `score` (None where the trial was given up) and `seconds`, ready for JSON.
    """

    parameters: Settings
    score: float | None
    trials: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Fold:
    """What a model learns from, what stops it, and what it is scored on."""

    training: Dataset
    stopping: Dataset
    held_out: Dataset


@dataclass(frozen=True)
class Candidates:
    """How hyperparameters of one model type are scored."""

    model: type[Model[Any]]
    folds: tuple[Fold, ...]
    categories: tuple[int, ...]
    seed: int
    threads: int

    def score(self, parameters: Settings, after_fold: Callable[[int, float], None] | None = None) -> float:
        """Mean ROC-AUC over the folds; `after_fold` hears the number of each fold and the mean so far."""
        from sklearn.metrics import roc_auc_score

        scores: list[float] = []
        for number, fold in enumerate(self.folds):
            model = self.model.fit(
                fold.training,
                fold.stopping,
                parameters=parameters,
                categories=self.categories,
                seed=self.seed,
                threads=self.threads,
            )
            scores.append(float(roc_auc_score(fold.held_out.y, model.predict_margin(fold.held_out.X, self.threads))))
            if after_fold:
                after_fold(number, float(np.mean(scores)))
        return float(np.mean(scores))

    def digest(self) -> str:
        """Hash of everything that a score depends on but the hyperparameters."""
        found = hashlib.sha256(f"{self.model.__module__} {self.seed} {self.threads} {self.categories}".encode())
        for fold in self.folds:
            for sample in (fold.training, fold.stopping, fold.held_out):
                found.update(sample.X.tobytes() + sample.y.tobytes())
                found.update(b"" if sample.weight is None else sample.weight.tobytes())
        return found.hexdigest()


def candidates(model: type[Model[Any]], examples: Examples, training: Rows, settings: TrainingSettings) -> Candidates:
    """Cut the rows `training` into stratified folds, and see each fold as a model that knows the others."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(settings.cv_folds, shuffle=True, random_state=settings.seed)
    ids = examples.frame["Num_Acc"].to_numpy()
    cut = []
    for others, held_out in folds.split(training, examples.labels(training)):
        stops = uniform(ids[training[others]], settings.seed) < settings.split.validation_share
        encoder, learned = examples.learn(training[others[~stops]])
        cut.append(
            Fold(
                resample(learned, settings.resampling, settings.seed),
                examples.apply(training[others[stops]], encoder),
                examples.apply(training[held_out], encoder),
            )
        )
    return Candidates(model, tuple(cut), examples.categories, settings.seed, settings.threads)


def grid_search(candidates: Candidates, start: Settings, grid: Grid, progress: Progress | None = None) -> Search:
    """Score `start` with every combination of the values in `grid`; the first of equals is the best."""
    from sklearn.model_selection import ParameterGrid

    best, best_score = start, -np.inf
    trials: list[dict[str, Any]] = []
    points = ParameterGrid({name: list(values) for name, values in grid.items()})
    for number, point in enumerate(points, 1):
        parameters, started = _changed(start, point), monotonic()
        score = candidates.score(parameters)
        trials.append(_trial(number - 1, point, score, monotonic() - started))
        if score > best_score:
            best, best_score = parameters, score
        if progress:
            progress(f"grid {number}/{len(points)}: AUC {score:.4f}, best {best_score:.4f}")
    return Search(best, best_score, tuple(trials))


def _trial(number: int, values: Mapping[str, Any], score: float | None, seconds: float) -> dict[str, Any]:
    return {"number": number, "parameters": dict(values), "score": score, "seconds": round(seconds, 3)}


def optuna_search(
    candidates: Candidates,
    start: Settings,
    space: SearchSpace,
    settings: TuningSettings,
    progress: Progress | None = None,
) -> Search:
    """Search `space` with a tree-structured Parzen estimator; `start` is the first trial.

    A trial that is behind after some folds is given up. Every trial is written to `settings.storage` at once, and a
    search that was interrupted goes on where it stopped, with the result that it would have had: the sampler of each
    trial is seeded with the number of trials before it. A search over other data or another space is another study.
    """
    import optuna

    optuna.logging.set_verbosity(logging.WARNING)
    study = optuna.create_study(
        study_name=_study_name(candidates, start, space, settings),
        storage=_storage(settings.storage),
        direction="maximize",
        load_if_exists=True,
        pruner=_pruner(settings.pruner, len(candidates.folds)),
    )

    def objective(trial: Any) -> float:
        drawn = {name: _draw(trial, name, values) for name, values in space.items()}

        def after_fold(number: int, mean: float) -> None:
            trial.report(mean, number)
            if trial.should_prune():
                raise optuna.TrialPruned

        return candidates.score(_changed(start, drawn), after_fold)

    finished = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    started = monotonic()
    while (done := len(study.get_trials(deepcopy=False, states=finished))) < settings.trials:
        if done and settings.timeout_seconds is not None and monotonic() - started > settings.timeout_seconds:
            break
        if not done:
            study.enqueue_trial({name: getattr(start, name) for name in space}, skip_if_exists=True)
        study.sampler = optuna.samplers.TPESampler(seed=candidates.seed + done)
        study.optimize(objective, n_trials=1)
        if progress:
            progress(f"trial {done + 1}/{settings.trials}: {_outcome(study)}, best {study.best_value:.4f}")
    return Search(_changed(start, study.best_params), study.best_value, _trials(study.get_trials(False, finished)))


def _changed(parameters: Settings, values: Mapping[str, Any]) -> Settings:
    """With other values, validated."""
    return type(parameters).model_validate(parameters.model_dump() | dict(values))


def _draw(trial: Any, name: str, values: SearchRange | Sequence[Any]) -> Any:
    if not isinstance(values, SearchRange):
        return trial.suggest_categorical(name, list(values))
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(name, values.low, values.high, log=values.log)
    return trial.suggest_float(name, values.low, values.high, log=values.log)


def _outcome(study: Any) -> str:
    last = study.get_trials(deepcopy=False)[-1]
    return f"AUC {last.value:.4f}" if last.state.name == "COMPLETE" else "given up"


def _trials(finished: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    return tuple(
        _trial(
            number,
            trial.params,
            trial.value if trial.state.name == "COMPLETE" else None,
            trial.duration.total_seconds(),
        )
        for number, trial in enumerate(finished)
    )


def _study_name(candidates: Candidates, start: Settings, space: SearchSpace, settings: TuningSettings) -> str:
    ranges = {name: v.model_dump() if isinstance(v, SearchRange) else list(v) for name, v in space.items()}
    what = json.dumps([candidates.digest(), start.model_dump(), ranges, settings.pruner])
    return f"{candidates.model.__module__.rpartition('.')[2]}-{hashlib.sha256(what.encode()).hexdigest()[:16]}"


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
