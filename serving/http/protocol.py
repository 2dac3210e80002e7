"""HTTP of the server with bounds that it lacks: how long the head of a request may be, and how long it may take.

What is not even HTTP never reaches the layers of `serving.http.middleware`; it is refused here in the same words.
"""

from typing import Any
from uuid import uuid4

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.http.errors import JSON, ServingError
from serving.http.middleware import BROWSERS, WHOLE

HEAD_BYTES = 65_536
"""Greatest length of a head, beyond what is read at once; also of what stands between and after pieces of a body."""

HEAD_SECONDS = 20.0


class BoundedProtocol(HttpToolsProtocol):
    """A connection."""

    def connection_made(self, transport: Any) -> None:
        """It begins, and with it the time for its first head."""
        self._in_head, self._refused = True, False
        self._without_body = 0
        self._clock: Any = self.loop.call_later(HEAD_SECONDS, self._too_slow)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It ends."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of it has come."""
        if self._refused:
            return
        self._without_body += len(data)
        super().data_received(data)
        if self._refused:
            return
        if self._without_body > HEAD_BYTES:
            self._refuse(ServingError(431, "head", f"the head of the request is larger than {HEAD_BYTES:,} bytes"))
        elif self._in_head and self._clock is None:
            self._clock = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head; what comes after a body in their form is none, and is left out."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._without_body = False, 0
        self._stop_clock()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._without_body = 0
        self.scope["state"][WHOLE] = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # what was sent is no HTTP, and that is all
        """Refuse what is no HTTP."""
        self._refuse(ServingError(400, "no_http", "this is no HTTP request"))

    def _too_slow(self) -> None:
        self._refuse(ServingError(408, "slow", "the head of the request did not arrive in time"))

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _refuse(self, error: ServingError) -> None:
        """End the connection, and say why where no other answer is under way."""
        self._refused = True
        self._stop_clock()
        self.config.loaded_app.state.world.metrics.refused(error.code)
        if self.cycle is None or self.cycle.response_complete:
            body = orjson.dumps(error.content(uuid4().hex))
            headers = (
                (b"content-type", JSON),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
                *BROWSERS,
            )
            lines = [name + b": " + value + b"\r\n" for name, value in headers]
            self.transport.write(b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body]))
        self.transport.close()
