"""Request bodies: limits of size and time, gzip decompression in bounded pieces, and draining of unread rests.

Own code, since Starlette and uvicorn limit no body, and Starlette's `GZipMiddleware` compresses responses only.
"""

import asyncio
import zlib
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accidents.configuration.serving import RequestLimits
from serving.http.errors import ApiError, send_error

NDJSON = "application/x-ndjson"
"""Content type of JSON lines."""

BODY_COMPLETE = "body_complete"
"""Key of `scope["state"]` set by the protocol when the body is complete."""

_NDJSON_BYTES = NDJSON.encode()
_MEGABYTE = 1_000_000
MIN_RATE = 20_000
"""Bytes a second. A body may take longer than `body_seconds` only while it arrives at least this fast."""

_GZIP_PIECE = 1_000_000
_MAX_DRAINED = 20_000_000
_DRAIN_SECONDS = 2.0
_CLOSE = (b"connection", b"close")


class DrainBodyMiddleware:
    """Reads and discards what is left of a body before the response, or closes the connection with the response.

    Otherwise the rest would be parsed as the next request, or a client that is still sending would miss the response.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        ended = False

        async def tracked_receive() -> Message:
            nonlocal ended
            message = await receive()
            ended = ended or not message.get("more_body", False)
            return message

        async def drain() -> bool:
            """Discard the rest within the limits; returns whether the end was reached."""
            total = 0
            try:
                async with asyncio.timeout(_DRAIN_SECONDS):
                    while not ended and total <= _MAX_DRAINED:
                        total += len((await tracked_receive()).get("body", b""))
            except TimeoutError:
                pass
            return ended

        async def draining_send(message: Message) -> None:
            if message["type"] == "http.response.start" and not ended and _CLOSE not in message["headers"]:
                expects_continue = any(name == b"expect" for name, _ in scope["headers"])
                if expects_continue or not await drain():
                    message = {**message, "headers": [*message["headers"], _CLOSE]}
            await send(message)

        await self.app(scope, tracked_receive, draining_send)


class BodyLimitMiddleware:
    """Limits content encoding, size (before and after decompression) and duration of a body."""

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD"}:
            try:
                receive = self._limited(scope, receive)
            except ApiError as error:
                await send_error(send, error, scope["state"]["request_id"])
                return
        await self.app(scope, receive, send)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """`receive` with the limits; raises at once where the headers already exceed them."""
        headers = dict(reversed(scope["headers"]))  # the first of repeated headers, as in `request.headers`
        content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        megabytes = self.limits.stream_megabytes if content_type == _NDJSON_BYTES else self.limits.body_megabytes
        max_bytes = int(megabytes * _MEGABYTE)
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > max_bytes:
            raise _too_large(megabytes)
        encoding = headers.get(b"content-encoding", b"identity").lower()
        if encoding not in {b"identity", b"gzip"}:
            name = encoding[:40].decode("latin-1")
            raise ApiError(415, "encoding", f"content-encoding {name} is not supported; allowed: gzip, identity")
        gunzip = Gunzip() if encoding == b"gzip" else None
        started = asyncio.get_running_loop().time()
        received = total = 0
        more = True

        async def limited_receive() -> Message:
            nonlocal received, total, more
            if gunzip is not None and gunzip.pending:
                body = gunzip(b"", last=not more)
            elif not more:  # waits for a disconnect, for as long as the response takes
                return await receive()
            else:
                deadline = started + self.limits.body_seconds + received / MIN_RATE
                message = await _receive_before(deadline, scope, receive)
                if message["type"] != "http.request":
                    return message
                body, more = message.get("body", b""), message.get("more_body", False)
                received += len(body)
                if gunzip is not None:
                    body = gunzip(body, last=not more)
            total += len(body)
            if total > max_bytes:
                raise _too_large(megabytes)
            more_body = more or (gunzip is not None and gunzip.pending)
            return {"type": "http.request", "body": body, "more_body": more_body}

        return limited_receive


class Gunzip:
    """Decompresses a gzip body piece by piece, at most 1 MB at a time.

    Input that does not fit into one piece stays `pending`, and the next call returns it.
    """

    def __init__(self) -> None:
        self._stream: Any = zlib.decompressobj(wbits=31)

    @property
    def pending(self) -> bool:
        """Whether compressed input is left from the last call."""
        return bool(self._stream.unconsumed_tail)

    def __call__(self, compressed: bytes, *, last: bool) -> bytes:
        """Decompress the next piece.

        Args:
            compressed: more of the body; empty while input is pending.
            last: whether this is the end of the body.

        Raises:
            ApiError: 400, the body is not gzip, ends too early, or goes on after the end of the stream.
        """
        if self._stream.eof and compressed:
            raise _invalid_gzip("goes on after its end")
        try:
            piece = bytes(self._stream.decompress(self._stream.unconsumed_tail + compressed, _GZIP_PIECE))
        except zlib.error:
            raise _invalid_gzip("is not gzip") from None
        if self._stream.unused_data:
            raise _invalid_gzip("goes on after its end")
        if last and not self.pending and not self._stream.eof:
            raise _invalid_gzip("is truncated")
        return piece


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


async def _receive_before(deadline: float, scope: Scope, receive: Receive) -> Message:
    if scope["state"].get(BODY_COMPLETE):  # no need to wait, and a timeout would cost more than the read
        return await receive()
    try:
        async with asyncio.timeout_at(deadline):
            return await receive()
    except TimeoutError:
        message = "the body did not arrive in time"
        raise ApiError(408, "slow", message, headers={"Connection": "close"}) from None


def _too_large(megabytes: float) -> ApiError:
    return ApiError(413, "too_large", f"the body is larger than {megabytes:g} MB; send less at a time")


def _invalid_gzip(fault: str) -> ApiError:
    return ApiError(400, "compression", f"content-encoding is gzip, but the body {fault}")
