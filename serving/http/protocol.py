"""Uvicorn's httptools protocol with limits for the head of a request (64 kB, 20 s) and for clients that do not read.

Uvicorn has none of them for httptools (`h11_max_incomplete_event_size` applies to h11 only, which is slower, and
nothing limits the time), and `HttpToolsProtocol` is the only place where they can be added: with it alone, one client
can fill the memory with an endless header or hold connections open with half a request or an unread response
(`tests/serving/http` shows each). Requests that are not HTTP never reach the middleware, so their refusal is written
here, too.
"""

import socket
import struct
from typing import Any
from uuid import uuid4

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.http.body import BODY_COMPLETE, MIN_RATE
from serving.http.errors import JSON, ApiError
from serving.http.middleware import SECURITY_HEADERS

MAX_HEAD_BYTES = 65_536
"""Maximum length of a head beyond the first read; also of what stands between and after the chunks of a body."""

HEAD_SECONDS = 20.0
_RESET = struct.pack("ii", 1, 0)


class HeadLimitProtocol(HttpToolsProtocol):
    """A connection; the methods are callbacks of asyncio and of the httptools parser."""

    def connection_made(self, transport: Any) -> None:
        """Start the timer of the first head."""
        self._in_head, self._refused = True, False
        self._bytes_outside_body = 0
        self._timer: Any = self.loop.call_later(HEAD_SECONDS, self._on_timeout)
        self._write_timer: Any = None
        self._write_seconds = self.config.loaded_app.state.serving.settings.request.write_seconds
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: for closed connections whose client does not read the rest
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * self._write_seconds))
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads more slowly than is written: it has to make progress from now on."""
        super().pause_writing()
        self._check_later()

    def resume_writing(self) -> None:
        """The client has read nearly all that was written."""
        self._stop_write_timer()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse data; refuse a head that is too long, and start the timer of the next head."""
        if self._refused:
            return
        self._bytes_outside_body += len(data)
        super().data_received(data)
        if self._refused:
            return
        if self._bytes_outside_body > MAX_HEAD_BYTES:
            self._refuse(ApiError(431, "head", f"the head of the request is larger than {MAX_HEAD_BYTES:,} bytes"))
        elif self._in_head and self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._on_timeout)

    def on_message_begin(self) -> None:
        """A head starts."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers after a chunked body are ignored."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head, self._bytes_outside_body = False, 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._bytes_outside_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._bytes_outside_body = 0
        self.scope["state"][BODY_COMPLETE] = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # the message of the parser is not for clients
        """Refuse data that is not HTTP."""
        self._refuse(ApiError(400, "no_http", "this is not an HTTP request"))

    def _on_timeout(self) -> None:
        self._refuse(ApiError(408, "slow", "the head of the request did not arrive in time"))

    def _check_later(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(self._write_seconds, self._check_progress, waiting)

    def _check_progress(self, before: int) -> None:
        """End the connection of a client that reads too slowly; `before` is the size of the write buffer back then."""
        if before - self.transport.get_write_buffer_size() < MIN_RATE * self._write_seconds:
            self.config.loaded_app.state.serving.metrics.count_refused("slow_reader")
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)  # the system drops its buffer, too
            self.transport.abort()
        else:
            self._check_later()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, error: ApiError) -> None:
        """Close the connection, after an error response unless another response is being sent."""
        self._refused = True
        self._stop_timer()
        self.config.loaded_app.state.serving.metrics.count_refused(error.code)
        if self.cycle is None or self.cycle.response_complete:
            body = orjson.dumps(error.body(uuid4().hex))
            headers = (
                (b"content-type", JSON),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
                *SECURITY_HEADERS,
            )
            lines = [name + b": " + value + b"\r\n" for name, value in headers]
            self.transport.write(b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body]))
        self.transport.close()
