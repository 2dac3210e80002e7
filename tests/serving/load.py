"""Callers that ask the same again and again while something happens to the service."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from accidents.bundle import Bundle
from accidents.inference.prediction import answer
from accidents.requests import parse_request
from tests.serving.inside import ACCIDENT
from tests.serving.world import PATIENCE


def expected_of(model: Path, content: dict[str, Any] = ACCIDENT) -> float:
    """The probability that a model file gives an accident."""
    return answer(Bundle.load(model), parse_request(content), reasons=0).probability


def wait_until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Until a condition holds."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it does not come to pass"
        time.sleep(0.02)


@dataclass(frozen=True)
class Said:
    """Which model has answered, and what."""

    name: str
    version: str
    type: str
    probability: float


class Load:
    """Callers in threads, each on a connection of its own, from the beginning to the end of a block.

    `seen` counts the answers; `errors` has everything that was none.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, callers: int = 4) -> None:
        self.seen: Counter[Said] = Counter()
        self.errors: list[str] = []
        self._counting = threading.Lock()  # keys that compare in Python make `Counter.update` lose counts of threads
        self._latest: dict[int, str] = {}
        self._url, self._headers = url, headers or {}
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(callers)]

    def _ask(self, number: int) -> None:
        session = requests.Session()
        session.headers.update(self._headers)
        while not self._ended.is_set():
            try:
                if number % 4 == 3:
                    found = session.post(
                        f"{self._url}/v1/predict/batch", json={"accidents": [ACCIDENT] * 3}, timeout=30
                    )
                    answers = found.json()["results"]
                else:
                    found = session.post(f"{self._url}/v1/predict", json=ACCIDENT, timeout=30)
                    answers = [found.json()]
                self._latest[number] = answers[-1]["model"]["version"]
                said = [Said(**one["model"], probability=one["probability"]) for one in answers]
                with self._counting:
                    self.seen.update(said)
            except Exception as error:
                self.errors.append(repr(error))
                time.sleep(0.05)

    def versions(self) -> set[str]:
        """Versions that have answered so far."""
        return {said.version for said in [*self.seen]}

    def wait_for(self, version: str) -> None:
        """Until every caller is answered by a version."""
        callers = range(len(self._threads))
        wait_until(lambda: all(self._latest.get(number) == version for number in callers) or self.errors)
        assert not self.errors, self.errors[:3]

    def wait_for_more(self, count: int = 20) -> None:
        """Until there are so many further answers."""
        now = self.seen.total()
        wait_until(lambda: self.seen.total() >= now + count or self.errors)
        assert not self.errors, self.errors[:3]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE)
