"""The engine of a Dask cluster."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import dask
from distributed import CancelledError, Client, Future, KilledWorker, Semaphore, get_client, get_worker, secede

from accidents.configuration.environment import load_environment
from accidents.engine.base import RESTARTS, Engine, EngineError, R, WorkerLostError
from accidents.engine.dask_watch import SECONDS_TO_RESTART, Watch, connected

_AHEAD = 2  # calls of `map` per thread of the cluster that are sent before their results are consumed
_POLL_SECONDS = 0.25  # between two looks at the calls of `call_together`
_POLLS_TO_NOTICE = 20  # after an error, in which a scheduler notices that a worker was lost
_SECONDS_BETWEEN_MESSAGES = 0.05
_SECONDS_BETWEEN_LOOKS = 0.01
_STARTED = ""  # the message of a call that starts

dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})  # a call takes its item along


def _send(client: Client, value: Any, *, patience: float = SECONDS_TO_RESTART, **options: Any) -> Future:
    """Send a value to workers; where they were lost, try again for `patience` seconds."""
    deadline = monotonic() + patience
    while True:
        try:
            return client.scatter([value], hash=False, **options)[0]
        except (TimeoutError, OSError):  # no worker runs, or this one has just ended
            if monotonic() > deadline:
                raise WorkerLostError("the worker for a call was lost") from None
            sleep(_POLL_SECONDS)


class _Shared:
    """A value that workers hold; it is sent again after they have lost it."""

    def __init__(self, client: Client, value: Any) -> None:
        self.value = value
        self.send(client)

    def send(self, client: Client) -> None:
        self.future = _send(client, self.value, broadcast=True)


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
        with _messages(self._client, progress) as (topic, result_of):
            calls = _OrderedCalls(self._client, function, topic, shared)
            for item in items:
                calls.submit(item)
                if len(calls.pending) >= _AHEAD * self.parallelism:
                    yield calls.first_result(result_of)
            while calls.pending:
                yield calls.first_result(result_of)

    def run(
        self, function: Callable[..., R], *arguments: Any, progress: Callable[[str], None] | None = None, **options: Any
    ) -> R:
        """Call a function on the worker that gets its arguments."""
        client, say, started, restarts = self._client, progress or self.report, False, 0

        def receive(message: str) -> None:
            nonlocal started
            if message != _STARTED:
                say(message)
            elif started:
                report_restart()
            started = True

        def report_restart() -> None:
            nonlocal started, restarts
            started, restarts = False, restarts + 1
            if restarts > RESTARTS:
                raise _lost_too_often(function)
            say(f"a worker was lost: started again ({restarts} of at most {RESTARTS} times)")

        with _messages(client, receive) as (topic, result_of):
            while True:
                data = _send(client, (arguments, options))
                call = client.submit(_run, function, topic, data, takes_progress=progress is not None, pure=False)
                try:
                    return result_of(call)
                except CancelledError:  # the worker that held the arguments was lost
                    report_restart()

    def call_together(self, function: Callable[..., R], arguments: Sequence[tuple[Any, ...]]) -> list[R]:
        """One such call at a time, as two of them would wait for each other's workers."""
        client, addresses = self._client, self._addresses
        if len(addresses) != len(arguments):
            raise WorkerLostError(f"the cluster has {len(addresses)} workers, and had {len(arguments)}")
        with Semaphore(1, name="accidents-call-together", scheduler_rpc=client.scheduler, loop=client.loop):
            futures = []
            for address, own in zip(addresses, arguments, strict=True):
                data = _send(client, own, patience=0, workers=[address])
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


class _OrderedCalls:
    """Calls of `map` whose results are still to be consumed, in their order."""

    def __init__(self, client: Client, function: Callable[..., Any], topic: str, shared: Iterable[Any]) -> None:
        self._client, self._function, self._topic = client, function, topic
        self._shared = [value if isinstance(value, _Shared) else _Shared(client, value) for value in shared]
        self.pending: deque[tuple[Any, Future]] = deque()

    def submit(self, item: Any) -> None:
        futures = (value.future for value in self._shared)
        call = self._client.submit(_call, self._function, self._topic, item, *futures, pure=False)
        self.pending.append((item, call))

    def first_result(self, result_of: Callable[[Future], Any]) -> Any:
        for _ in range(1 + RESTARTS):
            try:
                result = result_of(self.pending[0][1])
            except CancelledError:  # all workers that held a shared value were lost
                for value in self._shared:
                    value.send(self._client)
                for _ in range(len(self.pending)):
                    self.submit(self.pending.popleft()[0])
            else:
                self.pending.popleft()
                return result
        raise _lost_too_often(self._function)


@contextmanager
def _messages(client: Client, progress: Callable[[str], None] | None) -> Iterator[tuple[str, Callable[[Future], Any]]]:
    """Pass on messages of calls while their results are waited for.

    Yields:
        The topic of the messages, empty where nobody wants them, and a function that waits for a result.
    """
    if progress is None:
        with connected():
            yield "", partial(_result, client)
        return
    topic, queue = f"accidents-{uuid4().hex}", SimpleQueue[str]()
    client.subscribe_topic(topic, lambda event: queue.put(event[1]))

    def result_of(future: Future) -> Any:
        cluster = Watch(client)
        while not (future.done() and queue.empty()):
            cluster.check()
            with suppress(Empty):
                progress(queue.get(timeout=_SECONDS_BETWEEN_MESSAGES))
        return _result(client, future)

    with connected():
        try:
            yield topic, result_of
        finally:
            client.unsubscribe_topic(topic)


def _result(client: Client, future: Future) -> Any:
    cluster = Watch(client)
    while not future.done():
        sleep(_SECONDS_BETWEEN_LOOKS)
        cluster.check()
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
