"""Event loop of a worker that shares its listening socket: connections spread evenly over the workers.

libuv accepts all waiting connections at once, so that clients that connect together all reach the same worker and keep
it: with connections that stay open, further workers are idle. Here a worker waits before it accepts, the longer the
more connections it has, and takes few at a time; one with fewer connections is faster.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvloop

_SECONDS_A_CONNECTION = 0.001  # uvloop waits for whole milliseconds
_MOST_SECONDS = 0.005
_CONNECTIONS_A_TURN = 8  # so many open ones for each that is accepted after one wait


class BalancedLoop(uvloop.Loop):
    """An event loop of uvloop whose servers on a given socket are `BalancedServer`."""

    async def create_server(self, protocol_factory: Any, *arguments: Any, **options: Any) -> Any:
        """Listen, as the loop does; with `sock` and without TLS, as one of several workers."""
        if options.get("sock") is None or options.get("ssl"):
            return await super().create_server(protocol_factory, *arguments, **options)
        server = BalancedServer(self, protocol_factory, options["sock"])
        server.sock.listen(options.get("backlog", 100))
        server.resume()
        return server


class BalancedServer:
    """Accepts connections of a listening socket that other processes accept from, too."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol_factory: Callable[[], asyncio.Protocol], sock: socket.socket
    ) -> None:
        self.loop, self.protocol_factory, self.sock = loop, protocol_factory, sock
        self._transports: list[Any] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        sock.setblocking(False)

    def resume(self) -> None:
        """Wait for connections."""
        if not self._closed:
            self.loop.add_reader(self.sock, self._on_connections)

    def _on_connections(self) -> None:
        """Leave the connections that wait to the other workers for as long as this one has connections to answer."""
        self._transports = [transport for transport in self._transports if not transport.is_closing()]
        connections = len(self._transports) + len(self._tasks)
        seconds = min(_SECONDS_A_CONNECTION * connections, _MOST_SECONDS)
        if not seconds:
            self._accept()
            return
        self.loop.remove_reader(self.sock)
        self._timer = self.loop.call_later(seconds, self._accept_and_resume)

    def _accept_and_resume(self) -> None:
        self._accept()
        self.resume()

    def _accept(self) -> None:
        for _ in range(1 + len(self._transports) // _CONNECTIONS_A_TURN):
            try:
                connection, _address = self.sock.accept()
            except OSError:  # another worker has it, or the client has given up
                return
            connection.setblocking(False)
            task = self.loop.create_task(self._connect(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, connection: socket.socket) -> None:
        transport, _protocol = await self.loop.connect_accepted_socket(self.protocol_factory, connection)
        self._transports.append(transport)

    def close(self) -> None:
        """Accept no more; open connections go on."""
        if not self._closed:
            self._closed = True
            self.loop.remove_reader(self.sock)
            if self._timer:
                self._timer.cancel()

    def is_serving(self) -> bool:
        """Whether it accepts connections."""
        return not self._closed

    async def wait_closed(self) -> None:
        """Return at once: uvicorn waits for its connections itself."""
