"""Layers about how a request is addressed: under which names, and HEAD for whatever may be read with GET."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.errors import ServingError, send_error

_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


class Hosts:
    """Refuses requests under other names than the service's own.

    A page of another site could have its name resolved to this machine, and would then speak to the service as if it
    were its own; its `Host` still tells.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self.app = app
        self.names = frozenset(_bracketed(name.lower()).encode() for name in (*_THIS_MACHINE, *names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"host"]
            if len(given) != 1 or _without_port(given[0].strip().lower()) not in self.names:
                error = ServingError(400, "host", "the service is not addressed by this name; see 'hosts'")
                await send_error(send, error, scope["state"]["request_id"])
                return
        await self.app(scope, receive, send)


class Heads:
    """Answers HEAD like GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def headers_only(message: Message) -> None:
            scope["method"] = "HEAD"
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        scope["method"] = "GET"
        try:
            await self.app(scope, receive, headers_only)
        finally:
            scope["method"] = "HEAD"


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def _without_port(host: bytes) -> bytes:
    if host.startswith(b"["):
        return host[: host.find(b"]") + 1]
    return host.partition(b":")[0]
