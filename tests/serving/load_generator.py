"""Steady load of identical requests, and what was answered meanwhile."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from accidents.bundle import Bundle
from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request
from tests.serving.in_process import ACCIDENT
from tests.serving.service_process import TIMEOUT


def expected_probability(model: Path, content: dict[str, Any] = ACCIDENT) -> float:
    """The probability that a model file gives an accident."""
    return predict_accident(Bundle.load(model), parse_request(content), reasons=0).probability


def wait_until(condition: Callable[[], object], timeout: float = TIMEOUT) -> None:
    """Wait for a condition; fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"the condition did not hold within {timeout} s"
        time.sleep(0.02)


@dataclass(frozen=True)
class Result:
    """Model and probability of one response."""

    name: str
    version: str
    type: str
    probability: float


class LoadGenerator:
    """Clients in threads, each with its own connection, that send requests during a `with` block.

    `results` counts the responses; `errors` has every request that failed.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, clients: int = 4) -> None:
        self.results: Counter[Result] = Counter()
        self.errors: list[str] = []
        self._lock = threading.Lock()  # `Counter.update` of keys that compare in Python is not atomic
        self._latest: dict[int, str] = {}
        self._url, self._headers = url, headers or {}
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(clients)]

    def _send(self, number: int) -> None:
        session = requests.Session()
        session.headers.update(self._headers)
        while not self._stopped.is_set():
            try:
                if number % 4 == 3:
                    batch = {"accidents": [ACCIDENT] * 3}
                    response = session.post(f"{self._url}/v1/predict/batch", json=batch, timeout=30)
                    predictions = response.json()["results"]
                else:
                    predictions = [session.post(f"{self._url}/v1/predict", json=ACCIDENT, timeout=30).json()]
                self._latest[number] = predictions[-1]["model"]["version"]
                results = [Result(**one["model"], probability=one["probability"]) for one in predictions]
                with self._lock:
                    self.results.update(results)
            except Exception as error:
                self.errors.append(repr(error))
                time.sleep(0.05)

    def versions(self) -> set[str]:
        """Versions that have answered so far."""
        return {result.version for result in [*self.results]}

    def wait_for_version(self, version: str) -> None:
        """Wait until a version answers every client."""
        clients = range(len(self._threads))
        wait_until(lambda: all(self._latest.get(number) == version for number in clients) or self.errors)
        assert not self.errors, self.errors[:3]

    def wait_for_responses(self, count: int = 20) -> None:
        """Wait for a number of further responses."""
        before = self.results.total()
        wait_until(lambda: self.results.total() >= before + count or self.errors)
        assert not self.errors, self.errors[:3]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(TIMEOUT)
