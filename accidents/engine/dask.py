"""The engine of a Dask cluster."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from time import sleep
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import dask
from distributed import CancelledError, Client, Future, KilledWorker, Semaphore, get_client, get_worker, secede

from accidents.configuration.environment import load_environment
from accidents.engine.base import RESTARTS, Engine, EngineError, R, WorkerLostError

_AHEAD = 2  # calls of `map` per thread of the cluster that are sent before their results are consumed
_POLL_SECONDS = 0.25  # between two looks at the calls of `call_together`
_POLLS_TO_NOTICE = 20  # after an error, in which a scheduler notices that a worker was lost
_STARTED = ""  # the message of a call that starts

dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})  # a call takes its item along


class _Shared:
    """A value that workers hold; it is sent again after they have lost it."""

    def __init__(self, client: Client, value: Any) -> None:
        self.value = value
        self.send(client)

    def send(self, client: Client) -> None:
        self.future = client.scatter([self.value], broadcast=True, hash=False)[0]


class DaskEngine(Engine):
    """Executes calls on the workers of a cluster.

    Dask repeats a call whose worker was lost; what the worker held of the arguments is sent again from here.

    Args:
        client: the connection; in calls of `run` None, for that of the worker.
        topic: under which messages go to the client that called `run`.
    """

    is_remote = True

    def __init__(self, client: Client | None = None, topic: str = "") -> None:
        self._own_client, self._topic = client, topic

    def __reduce__(self) -> tuple[Any, ...]:
        """A connection stays in its process."""
        return DaskEngine, ()

    @property
    def _client(self) -> Client:
        return self._own_client or get_client()

    @property
    def _addresses(self) -> list[str]:
        return sorted(self._client.nthreads())

    @property
    def parallelism(self) -> int:
        """Threads of all workers."""
        return max(1, sum(self._client.nthreads().values()))

    @property
    def threads(self) -> int:
        """Threads of the smallest worker."""
        return max(1, min(self._client.nthreads().values(), default=1))

    @property
    def workers(self) -> Sequence[str]:
        """Hosts of the workers."""
        return [str(urlsplit(address).hostname) for address in self._addresses]

    def share(self, value: R) -> R:
        """Send a value to every worker."""
        return cast("R", _Shared(self._client, value))

    def map(
        self,
        function: Callable[..., R],
        items: Iterable[Any],
        *shared: Any,
        progress: Callable[[str], None] | None = None,
    ) -> Iterator[R]:
        """Keep every thread of the cluster busy; results wait for their turn on the workers."""
        client, pending = self._client, deque[tuple[Any, Future]]()
        constants = [value if isinstance(value, _Shared) else _Shared(client, value) for value in shared]
        with _messages(client, progress) as (topic, result_of):

            def submit(item: Any) -> None:
                futures = (constant.future for constant in constants)
                pending.append((item, client.submit(_call, function, topic, item, *futures, pure=False)))

            def first_result() -> R:
                for _ in range(1 + RESTARTS):
                    try:
                        result = result_of(pending[0][1])
                    except CancelledError:  # all workers that held a constant were lost
                        for constant in constants:
                            constant.send(client)
                        for _ in range(len(pending)):
                            submit(pending.popleft()[0])
                    else:
                        pending.popleft()
                        return result
                raise _lost_too_often(function)

            for item in items:
                submit(item)
                if len(pending) >= _AHEAD * self.parallelism:
                    yield first_result()
            while pending:
                yield first_result()

    def run(
        self, function: Callable[..., R], *arguments: Any, progress: Callable[[str], None] | None = None, **options: Any
    ) -> R:
        """Call a function on the worker that gets its arguments."""
        client, starts = self._client, 0

        def receive(message: str) -> None:
            nonlocal starts
            starts += message == _STARTED
            if message or starts > 1:
                again = f"a worker was lost: started again ({starts - 1} of at most {RESTARTS} times)"
                (progress or self.report)(message or again)

        with _messages(client, receive) as (topic, result_of):
            for _ in range(1 + RESTARTS):
                data = client.scatter([(arguments, options)], hash=False)[0]
                call = client.submit(_run, function, topic, data, takes_progress=progress is not None, pure=False)
                try:
                    return result_of(call)
                except CancelledError:  # the worker that held the arguments was lost
                    continue
        raise _lost_too_often(function)

    def call_together(self, function: Callable[..., R], arguments: Sequence[tuple[Any, ...]]) -> list[R]:
        """One such call at a time, as two of them would wait for each other's workers."""
        client, addresses = self._client, self._addresses
        if len(addresses) != len(arguments):
            raise WorkerLostError(f"the cluster has {len(addresses)} workers, and had {len(arguments)}")
        with Semaphore(1, name="accidents-call-together"):
            futures = []
            for address, own in zip(addresses, arguments, strict=True):
                data = client.scatter([own], workers=[address], hash=False)[0]
                pinned = {"workers": [address], "allow_other_workers": False, "retries": 0, "pure": False}
                futures.append(client.submit(_call_with, function, data, **pinned))
            try:
                return self._results(futures, {*addresses})
            finally:
                client.cancel(futures, force=True)

    def _results(self, futures: list[Future], addresses: set[str]) -> list[Any]:
        """Results of calls that wait for each other: an error of one may be due to the loss of another one's worker."""
        polls = 0
        while addresses <= self._client.nthreads().keys():
            states = {future.status for future in futures}
            if states == {"finished"}:
                return [future.result() for future in futures]
            polls += not states <= {"pending", "finished"}
            if polls > _POLLS_TO_NOTICE:
                return [future.result() for future in futures if future.status != "pending"]  # raises the error
            sleep(_POLL_SECONDS)
        raise WorkerLostError("a worker was lost")

    def report(self, message: str) -> None:
        """Send a message to the client that called `run`, or print it there."""
        if self._topic:
            get_worker().log_event(self._topic, message)
        else:
            print(message, flush=True)


@contextmanager
def _messages(
    client: Client, progress: Callable[[str], None] | None
) -> Iterator[tuple[str, Callable[[Future], Any]]]:
    """Pass on messages of calls while their results are waited for.

    Yields:
        The topic of the messages, empty where nobody wants them, and a function that waits for a result.
    """
    if progress is None:
        yield "", _result
        return
    topic, queue = f"accidents-{uuid4().hex}", SimpleQueue[Any]()
    client.subscribe_topic(topic, lambda event: queue.put(event[1]))

    def result_of(future: Future) -> Any:
        done = object()
        future.add_done_callback(lambda _: queue.put(done))
        while (message := queue.get()) is not done:
            if isinstance(message, str):
                progress(message)
        return _result(future)

    try:
        yield topic, result_of
    finally:
        client.unsubscribe_topic(topic)


def _result(future: Future) -> Any:
    try:
        return future.result()
    except KilledWorker:
        raise _lost_too_often(future.key) from None


def _lost_too_often(name: object) -> EngineError:
    shown = getattr(name, "__name__", name)
    return EngineError(f"{shown}: its workers were lost {1 + RESTARTS} times; is there memory enough for it?")


def _call(function: Callable[..., R], topic: str, *arguments: Any) -> R:
    """Call a function of `map` in a worker."""
    load_environment()
    return function(*arguments, **({"progress": partial(_log, topic)} if topic else {}))


def _call_with(function: Callable[..., R], arguments: tuple[Any, ...]) -> R:
    """Call a function of `call_together` in a worker."""
    load_environment()
    return function(*arguments)


def _run(function: Callable[..., R], topic: str, data: tuple[Any, dict[str, Any]], *, takes_progress: bool) -> R:
    """Call a function of `run` in a worker, whose threads stay free for the calls that it starts."""
    load_environment()
    secede()
    _log(topic, _STARTED)
    arguments, options = data
    own: dict[str, Any] = {"progress": partial(_log, topic)} if takes_progress else {}
    if "engine" in options:
        own["engine"] = DaskEngine(topic=topic)
    return function(*arguments, **(options | own))


def _log(topic: str, message: str) -> None:
    get_worker().log_event(topic, message)
