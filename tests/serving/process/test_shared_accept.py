"""Connections that are opened together reach all workers."""

import asyncio
import socket
import threading
import time
from collections import Counter

import pytest

from serving.process.shared_accept import BalancedLoop

pytestmark = pytest.mark.slow

_ROUNDS = 5


class _Counted(asyncio.Protocol):
    def __init__(self, worker: int, counts: Counter[int]) -> None:
        self.worker, self.counts = worker, counts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002 - the name is that of asyncio
        self.counts[self.worker] += 1


@pytest.mark.parametrize("connections", [4, 8])
def test_connections_that_are_opened_together_are_shared(connections: int) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    counts, stop = Counter[int](), threading.Event()

    async def work(worker: int, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Counted(worker, counts), sock=sock)
        while not stop.is_set():
            await asyncio.sleep(0.01)
        server.close()
        await server.wait_closed()

    def run(worker: int) -> None:
        with asyncio.Runner(loop_factory=BalancedLoop) as runner:
            runner.run(work(worker, listening.dup()))

    workers = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for one in workers:
        one.start()
    time.sleep(0.2)
    shares = []
    for _ in range(_ROUNDS):
        counts.clear()
        clients = [socket.create_connection(listening.getsockname()) for _ in range(connections)]
        deadline = time.monotonic() + 10
        while counts.total() < connections and time.monotonic() < deadline:
            time.sleep(0.01)
        shares.append(min(counts[0], counts[1]))
        assert counts.total() == connections
        for client in clients:
            client.close()
        time.sleep(0.1)
    stop.set()
    for one in workers:
        one.join()
    listening.close()
    assert sum(shares) >= 0.7 * _ROUNDS * connections / 2, shares  # of even shares
