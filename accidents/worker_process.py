"""Worker processes that run tasks in parallel with the main process.

The first is started early and imports the modules that its tasks need, others with the tasks that they run. They are
optional: without one, or where one has died, the main process runs a task when its result is requested.
"""

import importlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process, util
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from accidents.memory import release_memory

R = TypeVar("R")

PRELOADED_MODULES = (
    "accidents.expectations.engine",
    "accidents.report.model_report",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)
"""Modules of data checks and reports, which a worker process imports while ZenML starts."""

TRAINING_MODULES = (
    "accidents.training.side_by_side",
    "accidents.features.kernels",
    "accidents.features.place_kernels",
    "accidents.models._terms",
    "accidents.models._tree_ensemble",
    "accidents.evaluation.metric_kernels",
    "lightgbm",
    "xgboost",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "shap",
)
"""Modules of fits and explanations, which it imports then where it trains models."""

_MOST = 3
"""Worker processes at most; each has a copy of its data."""

_main_lock = threading.Lock()  # processes are started by several threads
_pool: ProcessPoolExecutor | None = None
_workers = 0
_processes: set[BaseProcess] = set()


class WorkerTask(Generic[R]):
    """A function call submitted to the worker processes; function, arguments and result are pickled.

    >>> WorkerTask(max, 2, 3).result()
    3
    """

    def __init__(self, function: Callable[..., R], *arguments: object) -> None:
        self._call = lambda: function(*arguments)
        self._future: Future[R] | None = None
        if _pool is not None:
            try:
                self._future = _submit(_pool, function, *arguments)
            except BrokenExecutor:
                return

    def done(self) -> bool:
        """Whether a worker process has run the task."""
        return self._future is not None and self._future.done()

    def when_done(self, call: Callable[[], None]) -> None:
        """Call a function once a worker process has run the task, in a thread of this process."""
        if self._future is not None:
            self._future.add_done_callback(lambda _: call())

    def result(self) -> R:
        """Wait for the result, or for the exception of the function."""
        if self._future is None:
            return self._call()
        try:
            return self._future.result()
        except (BrokenExecutor, CancelledError):
            return self._call()


def side_by_side(function: Callable[..., R], calls: Sequence[tuple[Any, ...]]) -> list[R]:
    """Call a function with each of several tuples of arguments: worker processes from the first on, this from the last.

    >>> side_by_side(max, [(1, 2), (5, 3)])
    [2, 5]
    """
    waiting, tasks, results, lock = deque(enumerate(calls)), {}, {}, threading.Lock()

    def next_in_worker() -> None:
        with lock:
            if not waiting:
                return
            position, arguments = waiting.popleft()
            tasks[position] = task = WorkerTask(function, *arguments)
        task.when_done(next_in_worker)

    for _ in range(worker_count()):
        next_in_worker()
    while True:
        with lock:
            if not waiting:
                break
            position, arguments = waiting.pop()
        results[position] = function(*arguments)
    results |= {position: task.result() for position, task in tasks.items()}
    return [results[position] for position in range(len(calls))]


@contextmanager
def worker_process(*modules: str) -> Iterator[None]:
    """Run worker processes while the block runs, if there is more than one processor.

    Args:
        *modules: names of the modules that the first imports at its start.
    """
    global _pool, _workers  # tasks are created deep in the domain, which has no reference to the processes
    workers = min(available_cpus() - 1, _MOST)
    if _pool is not None or workers == 0:
        yield
        return
    try:
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=initialise_worker)
        _submit(pool, import_modules, modules)
    except (OSError, NotImplementedError, RuntimeError):  # no shared memory, or too many processes
        yield
        return
    _pool, _workers = pool, workers
    try:
        yield
    finally:
        _pool, _workers = None, 0
        while _processes:
            _processes.pop().terminate()  # shutdown would wait for imports and tasks
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, function: Callable[..., R], *arguments: object) -> Future[R]:
    """Submit a call; where no process of the pool is idle, the pool starts another one with it."""
    others = active_children()
    with without_main_module():
        future = pool.submit(_call_and_release_memory, function, [*arguments])
    _processes.update(set(active_children()).difference(others))
    return future


def _call_and_release_memory(function: Callable[..., R], arguments: list[object]) -> R:
    """Call a function in a worker process, which then waits for the next call without its arguments."""
    result = function(*arguments)
    arguments.clear()
    release_memory()
    return result


def worker_count() -> int:
    """How many tasks can run beside this process at once."""
    return _workers


@contextmanager
def without_main_module() -> Iterator[None]:
    """Let processes that are started inside the block not import the main module.

    A spawned process imports the script of its parent, which runs it a second time where it has no
    `if __name__ == "__main__"`, as scripts of notebooks have none. Tasks are functions of the packages.
    """
    with _main_lock:
        main = vars(sys.modules["__main__"])
        before: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
        main["__spec__"] = None
        try:
            yield
        finally:
            main.pop("__spec__")
            main.update(before)


def available_cpus() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def initialise_worker() -> None:
    """Let the process that calls it end with its parent, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl-C
    signal.signal(signal.SIGTERM, exit_at_once)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def exit_at_once(*_: Any) -> None:
    """Exit at once, as an exception would become the result of a task; semaphores of imported modules are released."""
    util._run_finalizers(0)  # type: ignore[attr-defined]
    os._exit(1)


def import_modules(modules: Sequence[str]) -> None:
    """Import modules by their names."""
    for module in modules:
        importlib.import_module(module)


def _exit_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
