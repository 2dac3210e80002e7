"""Load test, as fast as responses come or at an even rate: keep-alive connections, prepared bytes, no HTTP library.

`run_load` runs the client in a process of its own and reports its load: near 1, the client was the bottleneck.
"""

import gc
import pickle
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

_WARM_UP = 0.1  # share of the time that is not counted
_RECEIVE_BYTES = 1 << 20
_TIMEOUT = 60.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class LoadResult:
    """Responses a second, milliseconds of a response (p50, p99), number of responses and bytes of one."""

    rate: float
    p50: float
    p99: float
    answers: int
    bytes: float
    busy: float
    """Share of a processor that the client used."""
    requests: int
    """Number of all requests, including those of the warm-up."""


def request(path: str, body: bytes, *headers: str) -> bytes:
    """Bytes of a POST request with a JSON body."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def fetch(port: int, request_bytes: bytes) -> bytes:
    """Send one request; returns the body of the response."""
    connection = _Connection(port)
    try:
        connection.send(request_bytes)
        while not connection.receive():
            pass
        return connection.answer.partition(b"\r\n\r\n")[2]
    finally:
        connection.socket.close()


def run_load(
    port: int, requests: Sequence[bytes], *, clients: int, seconds: float, rate: float | None = None
) -> LoadResult:
    """Run a load test in a process of its own, with one request at a time for each of `clients` connections.

    With `rate`, so many requests a second are sent; otherwise each response is followed by the next request.

    Raises:
        SystemExit: a response has another status than 200.
    """
    job = pickle.dumps({"port": port, "requests": list(requests), "clients": clients, "seconds": seconds, "rate": rate})
    done = subprocess.run([sys.executable, "-m", __name__], input=job, stdout=subprocess.PIPE, cwd=_ROOT)
    if done.returncode:
        raise SystemExit(f"port {port} does not answer with status 200; see above")
    return LoadResult(**pickle.loads(done.stdout))  # noqa: S301  # of the process above


class _Connection:
    """A keep-alive connection; times are in seconds."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = self.took = 0.0
        self.answer = b""
        self._size = 0

    def send(self, request_bytes: bytes) -> None:
        self.answer, self._size = b"", 0
        self.began = time.perf_counter()
        self.socket.sendall(request_bytes)

    def receive(self) -> bool:
        """Read available bytes; returns whether the response is complete."""
        piece = self.socket.recv(_RECEIVE_BYTES)
        if not piece:
            raise SystemExit("the connection was closed")
        self.answer = self.answer + piece if self.answer else piece
        if not self._size and (end := self.answer.find(b"\r\n\r\n")) >= 0:
            self._size = end + 4 + _length(self.answer[:end])
        if len(self.answer) != self._size:
            return False
        self.took = time.perf_counter() - self.began
        if self.answer[9:12] != b"200":
            raise SystemExit(self.answer[:2000].decode(errors="replace"))
        return True


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise SystemExit(f"a response without Content-Length: {head.decode(errors='replace')}")


def _load(port: int, requests: Sequence[bytes], clients: int, seconds: float, rate: float | None) -> LoadResult:
    next_request = cycle(requests)
    waiting = selectors.DefaultSelector()
    idle = [_Connection(port) for _ in range(clients)]
    for connection in idle:
        waiting.register(connection.socket, selectors.EVENT_READ, connection)
    due, between = time.perf_counter(), 1 / rate if rate else 0.0
    times: list[float] = []
    size = before = 0
    start = used = 0.0
    counted = time.perf_counter() + seconds * _WARM_UP
    while not start or time.perf_counter() < start + seconds:
        if not start and time.perf_counter() >= counted:
            start, used, size, before = time.perf_counter(), time.process_time(), 0, len(times)
            times.clear()
        while idle and (wait := due - time.perf_counter()) <= 0:
            idle.pop(0).send(next(next_request))  # in turn: a server closes connections that are idle
            due += between
        for key, _ in waiting.select(max(wait, 0) if idle else _TIMEOUT):
            connection = key.data
            if connection.receive():
                times.append(connection.took)
                size += len(connection.answer)
                idle.append(connection)
    spent, busy = time.perf_counter() - start, time.process_time() - used
    if len(times) < 2:
        raise SystemExit("fewer than two responses; measure for longer")
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100, method="inclusive")[98]
    return LoadResult(
        len(times) / spent, 1000 * p50, 1000 * p99, len(times), size / len(times), busy / spent, before + len(times)
    )


def _main() -> None:
    job: dict[str, Any] = pickle.load(sys.stdin.buffer)  # noqa: S301  # of the process that has started this one
    gc.disable()
    sys.stdout.buffer.write(pickle.dumps(asdict(_load(**job))))


if __name__ == "__main__":
    _main()
