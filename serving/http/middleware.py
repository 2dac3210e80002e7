"""What every request passes before it reaches a route: layers of plain ASGI, each with one concern.

From the outside: `Headers` adds what browsers are told; `Telemetry` numbers, times, counts and logs; `Access` asks for
a key and keeps to the limits of a caller; `Bodies` bounds what is read. Roles are checked by the routes themselves
(`serving.auth.authorization`).
"""

import asyncio
import re
import time
from uuid import uuid4

from fastapi.routing import iter_route_contexts
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accidents.configuration.serving import RequestLimits
from serving.auth.authentication import Doorkeeper
from serving.http.errors import ServingError, send_error
from serving.http.gzip import Gunzip
from serving.observability.metrics import Metrics
from serving.observability.request_log import Logger

OPEN = frozenset({"/", "/health", "/ready", "/docs", "/openapi.json", "/favicon.ico"})
"""Addresses that ask for no key."""

FILES = ("/page/", "/swagger/")
"""Beginnings of addresses of files that anybody may read."""

LINES = "application/x-ndjson"
"""Content type of JSON lines."""

WHOLE = "whole"
"""Key in the state of a request by which the server says that all of it has arrived."""

_LINES = LINES.encode()

_MEGABYTE = 1_000_000
_SLOWEST = 20_000
"""Bytes a second. A body may take longer than its patience only as long as it keeps coming at this rate."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(self)"),
)
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_NO_STORE = (b"cache-control", b"no-store")
BROWSERS = (*_SECURITY, _POLICY, _NO_STORE)
"""Headers that tell browsers to do nothing with an answer but to hand it over."""


class Telemetry:
    """Gives every request an id, and counts, times and logs it, whatever becomes of it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, logger: Logger) -> None:
        self.app, self.metrics, self.logger = app, metrics, logger
        self._addresses: frozenset[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, numbered)
        except ClientDisconnect:
            pass  # nobody is there to be told
        except Exception as error:
            self.logger.failed(request_id, error)
            if status:  # the answer has begun and cannot be taken back
                raise
            await send_error(numbered, ServingError(500, "internal", "something went wrong here"), request_id)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", None) or self._named(scope)
            self.metrics.request(route, scope["method"], status or 499, seconds)
            self.logger.request(scope, route, status or 499, seconds)

    def _named(self, scope: Scope) -> str:
        """How a request that no route has seen is counted: never under an address that callers make up."""
        if self._addresses is None:
            self._addresses = frozenset(filter(None, (one.path for one in iter_route_contexts(scope["app"].routes))))
        path: str = scope["path"]
        folder = next((beginning for beginning in FILES if path.startswith(beginning)), "(none)")
        return path if path in self._addresses else folder


class Headers:
    """Adds what browsers are told about an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                names = {name for name, _ in headers}
                own = [pair for pair in (_POLICY, _NO_STORE) if pair[0] not in names]
                message["headers"] = [*headers, *_SECURITY, *own]
            await send(message)

        await self.app(scope, receive, guarded)


class Access:
    """Asks for a key where one is needed; who it belongs to is `scope["state"]["caller"]` from then on."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self.app, self.doorkeeper = app, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in OPEN or scope["path"].startswith(FILES):
            await self.app(scope, receive, send)
            return
        try:
            scope["state"]["caller"] = self.doorkeeper.caller(scope)
        except ServingError as error:
            await send_error(send, error, scope["state"]["request_id"])
            return
        await self.app(scope, receive, send)


class Bodies:
    """Bounds what is read of a body: its type, its size before and after decompression, and how long it may take."""

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        try:
            bounded = self._bounded(scope, receive)
        except ServingError as error:
            await send_error(send, error, scope["state"]["request_id"])
            return
        await self.app(scope, bounded, send)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        headers = dict(reversed(scope["headers"]))  # the first of several, as a route sees it
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        megabytes = self.limits.stream_megabytes if kind == _LINES else self.limits.body_megabytes
        most = int(megabytes * _MEGABYTE)
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > most:
            raise _too_large(megabytes)
        encoding = headers.get(b"content-encoding", b"identity").lower()
        if encoding not in {b"identity", b"gzip"}:
            said = encoding[:40].decode("latin-1")
            raise ServingError(415, "encoding", f"content-encoding {said} is not read; allowed: gzip, identity")
        unpack = Gunzip() if encoding == b"gzip" else None
        began = asyncio.get_running_loop().time()
        taken = total = 0
        more = True

        async def bounded() -> Message:
            nonlocal taken, total, more
            if unpack is not None and unpack.waiting:
                body = unpack(b"", last=not more)
            elif not more:  # the caller waits for the answer, and may do so for long
                return await receive()
            else:
                message = await _in_time(scope, receive, began + self.limits.body_seconds + taken / _SLOWEST)
                if message["type"] != "http.request":
                    return message
                body, more = message.get("body", b""), message.get("more_body", False)
                taken += len(body)
                if unpack is not None:
                    body = unpack(body, last=not more)
            total += len(body)
            if total > most:
                raise _too_large(megabytes)
            return {"type": "http.request", "body": body, "more_body": more or (unpack is not None and unpack.waiting)}

        return bounded


async def _in_time(scope: Scope, receive: Receive, end: float) -> Message:
    if scope["state"].get(WHOLE):  # nothing to wait for, and a clock would take longer than reading
        return await receive()
    try:
        async with asyncio.timeout_at(end):
            return await receive()
    except TimeoutError:
        raise _too_slow() from None


def _too_slow() -> ServingError:
    return ServingError(408, "slow", "the body did not arrive in time", headers={"Connection": "close"})


def _too_large(megabytes: float) -> ServingError:
    return ServingError(413, "too_large", f"the body is larger than {megabytes:g} MB; send less at a time")
