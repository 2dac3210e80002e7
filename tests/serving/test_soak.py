"""Soak test: steady load of every kind with repeated reloads, in constant memory."""

import os
import signal
import statistics
import threading
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from serving.process.supervisor import model_file_resolver
from tests.serving.in_process import ACCIDENT, EXAMPLES
from tests.serving.load_generator import expected_probability, wait_until
from tests.serving.model.test_reload import TYPES, bundle_of, put
from tests.serving.service_process import ServiceProcess, create_admin_key, save_small_model, start_service

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
RATE, CALLERS = 200, 8
BETWEEN_RELOADS = 10.0
FLAT = 0.05
WRITTEN = 10
"""After so many predictions of a caller one is in the database for certain, and its outcome is told without waiting."""

WRONG: dict[str, Any] = {"accident": {"lum": 9}, "vehicles": [{}], "people": [{}]}


class Callers:
    """Threads that ask `RATE` times a second together, everything in turn; `wrong` has what went wrong."""

    def __init__(self, service: ServiceProcess, key: dict[str, str], seconds: float) -> None:
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.said: Counter[tuple[str, float]] = Counter()
        self.wrong: list[str] = []
        self.took = 0.0
        self._url, self._key, self._seconds = service.url, key, seconds
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CALLERS)]

    def run(self) -> None:
        """Ask everything, and note how many seconds that took."""
        began = time.monotonic()
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        self.took = time.monotonic() - began

    def _run(self, number: int) -> None:
        made: deque[str] = deque()
        session = requests.Session()
        session.headers.update(self._key)
        start = time.monotonic() + number / RATE
        for turn in range(int(self._seconds * RATE / CALLERS)):
            due = start + turn * CALLERS / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                self._ask(session, turn, made)
            except Exception as error:
                self.wrong.append(repr(error))

    def _ask(self, session: requests.Session, turn: int, made: deque[str]) -> None:
        kind = turn % 10
        if kind == 9:
            self._post(session, "/v1/predict", WRONG, expected=422)
        elif kind == 8:
            self._post(session, "/v1/predict/batch", {"accidents": [*EXAMPLES.values(), WRONG] * 3})
        elif kind == 7:
            self._post(session, "/v1/explain", ACCIDENT)
        elif kind == 6:
            made.append(self._post(session, "/v1/predict?reasons=3", ACCIDENT)["prediction_id"])
        elif kind == 5 and len(made) > WRITTEN:
            self._post(session, "/v1/feedback", {"prediction_id": made.popleft(), "priority": turn % 2})
        else:
            said = self._post(session, "/v1/predict", ACCIDENT)
            self.said[said["model"]["version"], said["probability"]] += 1

    def _post(self, session: requests.Session, path: str, content: Any, expected: int = 200) -> dict[str, Any]:
        response = session.post(self._url + path, json=content, timeout=30)
        self.statuses[path, response.status_code] += 1
        if response.status_code != expected:
            raise AssertionError(f"{path} {response.status_code}: {response.text[:300]}")
        return dict(response.json())


class Memory(threading.Thread):
    """Notes the memory of a process every second, in bytes."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.noted: list[int] = []
        self._process, self._ended = psutil.Process(process), threading.Event()

    def run(self) -> None:
        while not self._ended.wait(1):
            self.noted.append(self._process.memory_info().rss)

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def growth(self) -> float:
        """From what it was after a third of the time to what it was in the last third, as a share."""
        third = len(self.noted) // 3
        warm, late = statistics.median(self.noted[third : 2 * third]), statistics.median(self.noted[-third // 2 :])
        return late / warm - 1


def figures(service: ServiceProcess, key: dict[str, str]) -> str:
    return requests.get(f"{service.url}/metrics", headers=key, timeout=30).text


@pytest.mark.long
def test_steady_load_with_reloads_leaks_no_memory_and_fails_no_request(tmp_path: Path) -> None:
    seconds = MINUTES * 60
    model, key = save_small_model(tmp_path), {"X-API-Key": create_admin_key(tmp_path)}
    expected = {(model_file_resolver(model)().version, expected_probability(model))}
    records = {"keep_days": 1, "inputs": "full"}
    with start_service(tmp_path, "--model-path", str(model), poll_seconds=600, records=records) as service:
        (server,) = service.server_pids
        memory, callers = Memory(server), Callers(service, key, seconds)
        memory.start()
        asking = threading.Thread(target=callers.run)
        asking.start()
        reloads = 0
        while asking.is_alive():
            asking.join(BETWEEN_RELOADS)
            version, probability = put(model, bundle_of(TYPES[reloads % 2]))
            expected.add((version, probability))
            os.kill(service.process.pid, signal.SIGHUP)
            reloads += 1
        memory.stop()
        wait_until(lambda: 'state="waiting"} 0.0' in figures(service, key))
        metrics_text = figures(service, key)
        assert service.stop() == 0
    noted = [round(one / 1e6) for one in memory.noted]
    print(
        f"\n{callers.statuses.total():,} requests in {callers.took:.0f} s, {len(callers.wrong)} wrong; "
        f"{reloads} reloads; memory {min(noted)} to {max(noted)} MB, growth {memory.growth():+.1%}"
    )
    assert callers.wrong == []
    assert callers.statuses.total() == RATE * seconds
    assert callers.took < 1.01 * seconds, "the load was less than it was to be"
    assert set(callers.said) <= expected
    assert len(callers.said) == 2
    assert reloads >= seconds / BETWEEN_RELOADS - 2
    assert 'state="dropped"} 0.0' in metrics_text
    assert 'state="failed"} 0.0' in metrics_text
    assert memory.growth() < FLAT, noted[:: max(1, len(noted) // 50)]
