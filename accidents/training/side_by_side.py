"""Fits of several model types side by side: this process begins with the first, worker processes with the last.

A pipeline plans its model types (`plan_models`); its steps call `train_planned` one after the other. Results are those
of `train`. Where there is no worker process, nothing is planned, or steps run in processes of their own, each call
trains its own model.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from itertools import takewhile
from typing import Any

import pandas as pd

from accidents.configuration.training import TrainingSettings
from accidents.engine import LOCAL, Engine
from accidents.training.own_process import pack, unpack, with_wait_policy
from accidents.training.shared_results import SharedResults
from accidents.training.train import TrainingResult, train
from accidents.worker_process import WorkerTask, available_cpus, worker_count

MOST_ACCIDENTS = 200_000
"""Accidents above which models are trained one after the other: each takes memory of its own."""

_lock = threading.Lock()  # the end of a task starts the next one, in a thread of the worker processes
_planned: dict[str, TrainingSettings] = {}
_started: dict[str, tuple[Hashable, WorkerTask[Any]]] = {}
_shared: dict[Hashable, SharedResults] = {}
"""By what identifies the frames, results of this process that its next trainings can use."""


def _ignore(_model_type: str, _message: str) -> None:
    """Do nothing; worker processes take functions of modules only."""


def with_threads(settings: TrainingSettings, accidents: int) -> TrainingSettings:
    """The settings with threads for all processors where a model of so many accidents is trained alone."""
    threads = settings.threads if accidents <= MOST_ACCIDENTS else max(settings.threads, available_cpus())
    return settings.model_copy(update={"threads": threads})


def plan_models(settings: Mapping[str, TrainingSettings]) -> None:
    """Let the next trainings of this process be those of one pipeline.

    Args:
        settings: by model type, in the order in which they are trained.
    """
    global _planned  # noqa: PLW0603  # the plan of this process
    with _lock:
        _planned.clear()  # for tasks of an earlier plan, which are done later
        _planned = dict(settings)
        _started.clear()
        _shared.clear()


def train_planned(
    model_type: str,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    data: Hashable,
    engine: Engine = LOCAL,
    progress: Callable[[str, str], None] = _ignore,
    **options: Any,
) -> TrainingResult:
    """Train one model as `train` does, and other planned models in worker processes of this machine.

    Args:
        model_type: one of `accidents.models.model_types()`.
        features: a feature frame.
        accidents: labels and dates of the same accidents.
        settings: of this model type.
        data: identifies the frames among those of this process; only equal ones share a plan. None: there is no plan.
        engine: where; nothing is planned on a cluster.
        progress: a function of a module, called with the model type and a message after each stage.
        **options: the other options of `train`, alike for all model types.

    Raises:
        DataError, ModelError: as `train`.
    """
    if engine.is_remote:
        data, options = None, {**options, "engine": engine}
    else:
        settings = with_threads(settings, len(features))
    with _lock:
        for earlier in [*takewhile(lambda name: name != model_type, _planned)] if model_type in _planned else ():
            _planned.pop(earlier)  # its step is past, and was cached
        planned, started = _planned.pop(model_type, None), _started.pop(model_type, None)
        idle = worker_count() - len(_started)
    if started is not None and started[0] == (settings, data):
        return unpack(started[1].result())
    if data is not None and settings == planned and len(features) <= MOST_ACCIDENTS:
        for _ in range(idle):
            _train_last(_planned, data, features, accidents, progress, options)
        options = {**options, "shared": _shared_results(data)}
    result = with_wait_policy(
        train, model_type, features, accidents, settings, progress=partial(progress, model_type), **options
    )
    if not _planned:
        _shared.clear()
    return result


def _train_last(
    planned: dict[str, TrainingSettings],
    data: Hashable,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    progress: Callable[[str, str], None],
    options: dict[str, Any],
) -> None:
    """Let a worker process train the last planned model, then the one that is the last by then, and so on."""
    with _lock:
        if not planned:
            return
        model_type, settings = planned.popitem()
        task = WorkerTask(_train, data, model_type, features, accidents, settings, progress, options)
        _started[model_type] = (settings, data), task
    task.when_done(partial(_train_last, planned, data, features, accidents, progress, options))


def _shared_results(data: Hashable) -> SharedResults:
    if data not in _shared:
        _shared.clear()
    return _shared.setdefault(data, SharedResults())


def _train(
    data: Hashable,
    model_type: str,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    progress: Callable[[str, str], None],
    options: dict[str, Any],
) -> Any:
    """Train in a worker process, whose results are pickled."""
    shared = _shared_results(data)
    return pack(
        train(
            model_type, features, accidents, settings, shared=shared, progress=partial(progress, model_type), **options
        )
    )
