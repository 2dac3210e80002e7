"""A second process for work that can go on beside the first.

It is started early and imports what its work will need, so that this is done when the work comes. Nothing depends on
it: where it was not started or has died, whoever asks for a result computes it.
"""

import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process, util
from typing import Any, Generic, TypeVar

R = TypeVar("R")

_pool: ProcessPoolExecutor | None = None


class WorkerTask(Generic[R]):
    """A call whose result is wanted later; function, arguments and result go from process to process pickled."""

    def __init__(self, function: Callable[..., R], *arguments: object) -> None:
        self._call = lambda: function(*arguments)
        self._future: Future[R] | None = None
        if _pool is not None:
            try:
                self._future = _pool.submit(function, *arguments)
            except BrokenExecutor:
                return

    def result(self) -> R:
        """What the function returns or raises."""
        if self._future is None:
            return self._call()
        try:
            return self._future.result()
        except (BrokenExecutor, CancelledError):
            return self._call()


@contextmanager
def worker_process(*modules: str) -> Iterator[None]:
    """Have a second process while the block runs, if there is a processor for it.

    Args:
        *modules: what it imports at once.
    """
    global _pool  # noqa: PLW0603 - tasks come from deep inside, where nobody should have to know of processes
    if _pool is not None or _processors() == 1:
        yield
        return
    others = active_children()
    try:
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare)
        pool.submit(_import, modules)  # a pool starts its process with the first task
    except (OSError, NotImplementedError, RuntimeError):  # without shared memory, or at a limit of processes
        yield
        return
    own = set(active_children()).difference(others)
    _pool = pool
    try:
        yield
    finally:
        _pool = None
        for child in own:
            child.terminate()  # as imports and tasks would be waited for
        pool.shutdown(cancel_futures=True)


def _processors() -> int:
    """How many there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides what Ctrl-C means
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_the_first, daemon=True).start()


def _leave(*_: Any) -> None:
    """End at once: an exception would become the result of a task. Semaphores that imports have made are given back."""
    util._run_finalizers(0)  # type: ignore[attr-defined]
    os._exit(1)


def _import(modules: tuple[str, ...]) -> None:
    for module in modules:
        importlib.import_module(module)


def _end_with_the_first() -> None:
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(0)
