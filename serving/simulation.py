"""A client that sends accidents to a running service at an even rate, and their outcomes some seconds later."""

import heapq
import signal
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import requests

from accidents.errors import AccidentsError
from accidents.simulation import LabelledRequest

_TIMEOUT = 30
_CONNECTIONS, _OUTCOME_CONNECTIONS = 32, 4
"""Accidents and outcomes under way at once; while there are as many, no further ones are sent."""

_MAX_IDLE = 2.0
"""Seconds after which a connection is not used again: a service may close it (uvicorn: after 5) just then."""

_MAX_DELAY = 1.0
"""Seconds by which requests may be late and still be sent closer together, to keep the rate."""

_OUTCOME_ATTEMPTS = 5
_TOLERANCE = 1e-6  # seconds, for sums of floats
_TEMPORARY, _PROGRESS_SECONDS = (429, 503), 10


class ServiceError(AccidentsError):
    """A service cannot be used."""


@dataclass(frozen=True)
class Plan:
    """How fast and how long to send.

    Attributes:
        rate: accidents a second.
        seconds: duration.
        outcomes_after: seconds from a prediction to its outcome.
    """

    rate: float
    seconds: float
    outcomes_after: float


@dataclass
class Summary:
    """What was sent and answered.

    Attributes:
        sent: accidents sent.
        answered: predictions received.
        refused: responses to accidents with another status than 200, by status.
        unanswered: accidents without a response.
        outcomes: outcomes that the service has stored.
        outcomes_refused: outcomes that it has not, by status; 0 without a response.
        outcomes_unsent: outcomes that were due after an interruption.
        milliseconds: time of each prediction.
    """

    sent: int = 0
    answered: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    outcomes: int = 0
    outcomes_refused: Counter[int] = field(default_factory=Counter)
    outcomes_unsent: int = 0
    milliseconds: array = field(default_factory=lambda: array("d"))

    def percentile(self, percent: float) -> float | None:
        """Percentile of the time of a prediction in milliseconds; None where there is none."""
        return float(np.percentile(self.milliseconds, percent)) if self.milliseconds else None

    def as_dict(self) -> dict[str, Any]:
        """Counts and percentiles, ready for JSON."""
        return {
            "sent": self.sent,
            "answered": self.answered,
            "refused": {str(status): count for status, count in sorted(self.refused.items())},
            "unanswered": self.unanswered,
            "p50_ms": self.percentile(50),
            "p99_ms": self.percentile(99),
            "outcomes": self.outcomes,
            "outcomes_refused": {str(status): count for status, count in sorted(self.outcomes_refused.items())},
            "outcomes_unsent": self.outcomes_unsent,
        }


@dataclass(order=True)
class _Outcome:
    due: float
    prediction_id: str
    priority: int
    attempts: int = 0


class _Pool:
    """A number of threads; calls beyond it wait for a free one."""

    def __init__(self, size: int) -> None:
        self._size, self._executor = size, ThreadPoolExecutor(size)
        self._under_way: set[Future[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether a call is under way; raises what a call has raised."""
        finished = {future for future in self._under_way if future.done()}
        self._under_way -= finished
        for future in finished:
            future.result()
        return bool(self._under_way)

    @property
    def full(self) -> bool:
        """Whether a further call would have to wait."""
        return self.busy and len(self._under_way) == self._size

    def submit(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function in a thread."""
        if self.full:
            wait(self._under_way, return_when=FIRST_COMPLETED)
        self._under_way.add(self._executor.submit(function, *arguments))

    def close(self) -> None:
        """Finish the calls that are under way."""
        self._executor.shutdown()


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets in the main thread; an exception in the middle of a call might leave a lock held."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


class Simulator:
    """Sends accidents to one service; one use.

    Args:
        url: base URL of the service.
        key: API key; None for a service that needs none.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self.summary = Summary()
        self._url, self._headers = url.rstrip("/"), {"X-API-Key": key} if key else {}
        self._local, self._lock = threading.local(), threading.Lock()
        self._paused_until = 0.0
        self._outcomes: list[_Outcome] = []

    def describe_model(self) -> str:
        """Name and version of the model that the service uses.

        Raises:
            ServiceError: it does not answer, or refuses the key.
        """
        try:
            response = self._session().get(f"{self._url}/v1/model", timeout=_TIMEOUT, allow_redirects=False)
            content = response.json()
            if response.ok:
                return f"{content['name']} {content['version']}"
            reason = f"status {response.status_code}, {content['error']['message']}"
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            reason = f"no service answers there ({type(error).__name__}); start one with 'python run.py --serve'"
        raise ServiceError(f"{self._url}: {reason}")

    def run(
        self,
        plan: Plan,
        next_accident: Callable[[float], LabelledRequest],
        on_progress: Callable[[float, Summary], None] = lambda *_: None,
    ) -> Summary:
        """Send accidents and outcomes until all is done, or until Ctrl-C.

        After a response with status 429 nothing is sent for as long as `Retry-After` says, and nothing is made up for.

        Args:
            plan: rate and duration.
            next_accident: the next accident; receives the seconds since the start.
            on_progress: called every few seconds with the seconds since the start and the summary so far.
        """
        with self._pools() as (accidents, outcomes), _interruption() as interrupted:
            started = due = time.monotonic()
            end = started + plan.seconds - _TOLERANCE
            next_progress = started + _PROGRESS_SECONDS
            while not interrupted.is_set() and (due < end or accidents.busy or outcomes.busy or self._outcomes):
                sending = due < end
                now = time.monotonic()
                if now >= next_progress:
                    on_progress(now - started, self._summary_so_far())
                    next_progress = now + _PROGRESS_SECONDS
                while not outcomes.full and (outcome := self._due_outcome(now)):
                    outcomes.submit(self._send_outcome, outcome)
                paused = self._paused_until - now
                if sending and paused > 0:
                    due = self._paused_until
                elif sending and due <= now:
                    self.summary.sent += 1
                    accidents.submit(self._send_accident, next_accident(now - started), plan.outcomes_after)
                    due = max(due + 1 / plan.rate, now - _MAX_DELAY)
                    continue
                time.sleep(max(0.0, min(due - now if sending else 0.05, 0.05)))
        return self.summary

    @contextmanager
    def _pools(self) -> Iterator[tuple[_Pool, _Pool]]:
        """Threads for accidents and outcomes; the requests that are under way are finished at the end."""
        accidents, outcomes = _Pool(_CONNECTIONS), _Pool(_OUTCOME_CONNECTIONS)
        try:
            yield accidents, outcomes
        finally:
            accidents.close()
            outcomes.close()
            self.summary.outcomes_unsent = len(self._outcomes)

    def _summary_so_far(self) -> Summary:
        """A copy that does not change meanwhile."""
        with self._lock:
            return deepcopy(self.summary)

    def _due_outcome(self, now: float) -> _Outcome | None:
        """Take an outcome that is due; None where there is none."""
        with self._lock:
            due = now >= self._paused_until and self._outcomes and self._outcomes[0].due <= now
            return heapq.heappop(self._outcomes) if due else None

    def _send_accident(self, accident: LabelledRequest, outcome_after: float) -> None:
        started = time.perf_counter()
        response = self._post("/v1/predict", accident.content)
        milliseconds = 1000 * (time.perf_counter() - started)
        with self._lock:
            if response is None:
                self.summary.unanswered += 1
            elif response.status_code != requests.codes.ok:
                self.summary.refused[response.status_code] += 1
            else:
                self.summary.answered += 1
                self.summary.milliseconds.append(milliseconds)
                due = time.monotonic() + outcome_after
                heapq.heappush(self._outcomes, _Outcome(due, str(response.json()["prediction_id"]), accident.priority))

    def _send_outcome(self, outcome: _Outcome) -> None:
        response = self._post("/v1/feedback", {"prediction_id": outcome.prediction_id, "priority": outcome.priority})
        status = response.status_code if response is not None else 0
        outcome.attempts += 1
        with self._lock:
            if status == requests.codes.ok:
                self.summary.outcomes += 1
            elif status in _TEMPORARY and response is not None and outcome.attempts < _OUTCOME_ATTEMPTS:
                outcome.due = time.monotonic() + _retry_after(response)
                heapq.heappush(self._outcomes, outcome)
            else:
                self.summary.outcomes_refused[status] += 1

    def _post(self, path: str, content: dict[str, Any]) -> requests.Response | None:
        """The response; None where there is none."""
        try:
            response = self._session().post(self._url + path, json=content, timeout=_TIMEOUT, allow_redirects=False)
        except requests.RequestException:
            return None
        if response.status_code == requests.codes.too_many_requests:
            self._paused_until = max(self._paused_until, time.monotonic() + _retry_after(response))
        return response

    def _session(self) -> requests.Session:
        """The session of this thread; after a pause without its old connection."""
        now = time.monotonic()
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.headers.update(self._headers)
        elif now - self._local.used > _MAX_IDLE:
            self._local.session.close()
        self._local.used = now
        session: requests.Session = self._local.session
        return session


def _retry_after(response: requests.Response) -> float:
    """Seconds of the header `Retry-After`; 1 where it has no number."""
    try:
        return min(max(float(response.headers.get("Retry-After", "1")), 0.0), 3600.0)
    except ValueError:
        return 1.0
