"""Memory of a worker is bounded, whatever is sent within the limits, and given back."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.serving.hostile_bodies import HOSTILE, LARGEST, HostileRequest
from tests.serving.in_process import ACCIDENT
from tests.serving.load_generator import wait_until
from tests.serving.service_process import save_small_model, server_pids, service_url

MEGABYTE = 1_000_000
GROWTH, SETTLED = 300 * MEGABYTE, 60 * MEGABYTE
AT_ONCE = 4


class Worker:
    """A service with one worker; `resting` is its memory in bytes after one request of each kind."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self._process = url, psutil.Process(pid)
        self._status, self._reset = Path(f"/proc/{pid}/status"), Path(f"/proc/{pid}/clear_refs")
        for path, content in (
            ("/v1/explain", ACCIDENT),
            ("/v1/predict/batch", {"accidents": [ACCIDENT] * 100}),
            ("/v1/evaluate", {"accidents": [ACCIDENT] * 100, "priority": [0, 1] * 50}),
        ):
            assert requests.post(url + path, json=content, timeout=60).status_code == 200
        time.sleep(2)
        self.resting = self.memory

    @property
    def memory(self) -> int:
        """Resident memory now, in bytes."""
        return int(self._process.memory_info().rss)

    @property
    def peak(self) -> int:
        """Largest resident memory since `reset_peak`, in bytes."""
        line = next(line for line in self._status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def reset_peak(self) -> None:
        self._reset.write_text("5")

    def send(self, request: HostileRequest, body: bytes) -> int:
        """Status of the response, which is read to its end; waits while the service is busy."""
        while True:
            with requests.post(
                self.url + request.path, data=body, headers=request.headers, stream=True, timeout=600
            ) as response:
                for _ in response.iter_content(MEGABYTE):
                    pass
            if response.status_code != 503:
                return response.status_code
            time.sleep(float(response.headers["Retry-After"]) / 4)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("peak memory is measured with /proc of Linux")
    folder = tmp_path_factory.mktemp("memory")
    with service_url(folder, save_small_model(folder), "--anonymous") as url:
        (pid,) = server_pids(folder)
        yield Worker(url, pid)


@pytest.mark.long
@pytest.mark.parametrize("name", [*HOSTILE, *LARGEST])
def test_memory_is_bounded_and_given_back(worker: Worker, name: str, record_property: pytest.FixtureRequest) -> None:
    """Four of the requests at once; light requests are answered meanwhile."""
    request = ({**HOSTILE, **LARGEST})[name]()
    body = request.compressed
    worker.reset_peak()
    with ThreadPoolExecutor(AT_ONCE) as senders:
        running = [senders.submit(worker.send, request, body) for _ in range(AT_ONCE)]
        while not all(one.done() for one in running):
            assert requests.post(f"{worker.url}/v1/predict", json=ACCIDENT, timeout=60).status_code == 200
            time.sleep(0.05)
    peak = worker.peak - worker.resting
    print(f"{name}: {len(body):,} bytes sent, {peak / MEGABYTE:.0f} MB at most")
    assert {one.result() for one in running} <= request.statuses
    assert peak <= GROWTH
    wait_until(lambda: worker.memory - worker.resting <= SETTLED, 30)
