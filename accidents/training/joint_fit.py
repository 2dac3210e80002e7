"""Fits on the engine: a booster in all workers together, another model in the process that asks for it.

A booster sees a share of the training set in each worker, and the whole validation set in all of them, so that all stop
early at the same tree. Both libraries exchange sums over bins after each split, so that every worker has the same
trees. `lightgbm.dask` does not stop early, and neither it nor `xgboost.dask` survives the loss of a worker.
"""

import socket
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from accidents.engine import RESTARTS, Engine, EngineError, WorkerLostError
from accidents.models._booster import Booster, Member
from accidents.models.base import Dataset, Model, no_progress
from accidents.training.progress import fit_progress


def fit_on(
    engine: Engine,
    model_class: type[Model[Any]],
    training: Dataset,
    validation: Dataset | None,
    *,
    report: Callable[[str], None],
    **options: Any,
) -> Model[Any]:
    """Fit a model; a fit that has lost a worker is started again.

    Args:
        engine: where; with at least two workers a booster is fitted by all of them.
        model_class: class of the model type.
        training: accidents to fit on.
        validation: accidents for early stopping.
        report: called with a message every few seconds.
        **options: other arguments of `Model.fit`; a joint fit uses the threads of the workers.

    Raises:
        EngineError: more than `RESTARTS` fits have lost a worker.
    """
    if len(engine.workers) < 2 or not issubclass(model_class, Booster):
        return model_class.fit(training, validation, **options, progress=fit_progress(report, model_class.STEPS))
    for attempt in range(1 + RESTARTS):
        try:
            return _fit_together(engine, model_class, training, validation, report, options)
        except WorkerLostError as lost:
            if attempt < RESTARTS:
                engine.report(f"{lost}: the fit is started again ({attempt + 1} of at most {RESTARTS} times)")
    raise EngineError(f"the fit has lost a worker {1 + RESTARTS} times; is there memory enough for it?")


def _fit_together(
    engine: Engine,
    model_class: type[Booster[Any]],
    training: Dataset,
    validation: Dataset | None,
    report: Callable[[str], None],
    options: dict[str, Any],
) -> Model[Any]:
    hosts, options = engine.workers, {**options, "threads": engine.threads}
    if len(hosts) < 2:
        engine.report("fitting in the one worker that is left")
        return model_class.fit(training, validation, **options, progress=fit_progress(report, model_class.STEPS))
    members = engine.call_together(_member, [(host, model_class.LIBRARIES) for host in hosts])
    engine.report(f"fitting in {len(members)} workers together")
    with model_class.coordinate(members) as group:
        calls = [
            (
                model_class,
                _share(training, rank, len(members)),
                validation,
                group,
                member,
                None if rank else report,
                options,
            )
            for rank, member in enumerate(members)
        ]
        return engine.call_together(_fit_share, calls)[0]


def _member(host: str, libraries: Sequence[str]) -> Member:
    """A member that is ready, as the others wait in vain for one that is lost before it has connected."""
    for library in libraries:
        import_module(library)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
        free.bind((host, 0))
        return host, free.getsockname()[1]


def _share(training: Dataset, rank: int, members: int) -> Dataset:
    """Every n-th accident, so that the shares have accidents of all seasons and places."""
    weight = None if training.weight is None else training.weight[rank::members]
    return Dataset(training.X[rank::members], training.y[rank::members], weight)


def _fit_share(
    model_class: type[Booster[Any]],
    training: Dataset,
    validation: Dataset | None,
    group: Any,
    member: Member,
    report: Callable[[str], None] | None,
    options: dict[str, Any],
) -> Model[Any]:
    progress = fit_progress(report, model_class.STEPS) if report else no_progress
    try:
        return model_class.fit_together(training, validation, group=group, member=member, progress=progress, **options)
    except Exception as error:
        failure = RuntimeError(f"{type(error).__name__}: {error}")
    raise failure  # without the frames of the library, whose objects would keep its connections
