"""Fits of several model types side by side, in this process and in worker processes; those that take longest begin.

A pipeline plans its model types (`plan_models`); its steps call `train_planned` one after the other. Results are those
of `train`. Where there is no worker process, nothing is planned, or steps run in processes of their own, each call
trains its own model. What is alike for all model types, such as what answers where fields are unknown, this process
learns once.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from functools import partial
from itertools import takewhile
from typing import Any

import pandas as pd

from accidents.configuration.training import TrainingSettings
from accidents.models import model_class
from accidents.training.own_process import pack, unpack, with_wait_policy
from accidents.training.shared_results import SharedResults
from accidents.training.train import TrainingResult, add_partial_knowledge, train
from accidents.worker_process import WorkerTask, available_cpus, worker_count

MOST_ACCIDENTS = 200_000
"""Accidents above which models are trained one after the other: each takes memory of its own."""

_lock = threading.Lock()  # the end of a task starts the next one, in a thread of the worker processes
_planned: dict[str, TrainingSettings] = {}
_begun: dict[str, tuple[tuple[TrainingSettings, Hashable], WorkerTask[Any] | Future[TrainingResult]]] = {}
"""By model type, its settings and what identifies the frames, and the task of a process."""

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
        _begun.clear()
        _shared.clear()


def train_planned(
    model_type: str,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    data: Hashable,
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
        progress: a function of a module, called with the model type and a message after each stage.
        **options: the other options of `train`, alike for all model types.

    Raises:
        DataError, ModelError: as `train`.
    """
    with _lock:
        for earlier in [*takewhile(lambda name: name != model_type, _planned)] if model_type in _planned else ():
            _planned.pop(earlier)  # its step is past, and was cached
        begun = _begun.get(model_type)
        expected = (_planned.get(model_type), data) if begun is None else begun[0]
        is_expected = data is not None and expected == (settings, data)
        is_planned = is_expected and len(features) <= MOST_ACCIDENTS
        idle = worker_count() - sum(not task.done() for _, task in _begun.values())
        # The first step trains its own model, since later ones may be cached.
        own = _reserve(model_type, data) if is_planned and begun is None and not (_begun and worker_count()) else None
    if not is_planned:
        _planned.pop(model_type, None)
        options["shared"] = _shared_results(data, keep_large=False) if is_expected else None
        report, settings = partial(progress, model_type), with_threads(settings, len(features))
        return with_wait_policy(train, model_type, features, accidents, settings, progress=report, **options)
    shared = data, features, accidents, progress, options
    for _ in range(idle):
        _begin_next(_planned, *shared)
    while True:
        if own is not None:
            _run(own, *shared)
        with _lock:
            if not _planned or (model_type in _begun and _begun[model_type][1].done()):
                break
            own = _reserve(_next(_planned), data)
    result = unpack(_begun.pop(model_type)[1].result())
    if settings.partial_knowledge and options.get("details") is not None and result.bundle.partial is None:
        added = {
            "details": options["details"],
            "shared": _shared_results(data),
            "progress": partial(progress, model_type),
        }
        result = with_wait_policy(add_partial_knowledge, result, features, accidents, settings, **added)
    if not (_planned or _begun):
        _shared.clear()
    return result


def _next(planned: Mapping[str, TrainingSettings]) -> str:
    """The planned model type that takes longest."""
    return min(planned, key=lambda name: model_class(name).FIT_RANK)


def _reserve(model_type: str, data: Hashable) -> tuple[str, TrainingSettings, Future[TrainingResult]]:
    """Let this process train a planned model."""
    settings, future = _planned.pop(model_type), Future[TrainingResult]()
    _begun[model_type] = (settings, data), future
    return model_type, settings, future


def _run(reserved: tuple[str, TrainingSettings, Future[TrainingResult]], data: Hashable, *shared: Any) -> None:
    """Train a model that this process has reserved."""
    (model_type, settings, future), (features, accidents, progress, options) = reserved, shared
    arguments, report = (model_type, features, accidents, settings), partial(progress, model_type)
    try:
        result = with_wait_policy(train, *arguments, shared=_shared_results(data), progress=report, **options)
        future.set_result(result)
    except Exception as error:  # of another step, perhaps
        future.set_exception(error)


def _begin_next(planned: dict[str, TrainingSettings], data: Hashable, *shared: Any) -> None:
    """Let a worker process train the next planned model, then the one that is the next by then, and so on."""
    features, accidents, progress, options = shared
    with _lock:
        if not planned:
            return
        model_type = _next(planned)
        settings = planned.pop(model_type)
        alone = {**options, "details": None}  # what it lacks then is added by the process that waits
        task = WorkerTask(_train, data, model_type, features, accidents, settings, progress, alone)
        _begun[model_type] = (settings, data), task
    task.when_done(partial(_begin_next, planned, data, *shared))


def _shared_results(data: Hashable, *, keep_large: bool = True) -> SharedResults:
    if data not in _shared:
        _shared.clear()
    return _shared.setdefault(data, SharedResults(keep_large=keep_large))


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
