"""Security headers, the check of the `Host` header and the path prefix of a proxy, as plain ASGI middleware.

Own code where a library's part does not do the same:

- `secure.middleware.SecureASGIMiddleware` replaces a Content-Security-Policy that a page sets itself, and takes about
  13 µs a request; `SecurityHeadersMiddleware` takes 1.5 µs.
- Starlette's `TrustedHostMiddleware` (2 µs; this one 1 µs) accepts a request with several `Host` headers, and answers
  in plain text in place of the JSON error that every refusal has.
- FastAPI's `root_path` leaves the prefix in the path, where authentication, body limits and metrics would see it.
"""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.errors import ApiError, send_error

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(self)"),
)
_DEFAULTS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
SECURITY_HEADERS = (*_ALWAYS, *_DEFAULTS)
"""Headers of a response that no browser should render, embed or cache."""


class PathPrefixMiddleware:
    """Removes the path prefix of a proxy that passes it on; paths without it stay as they are.

    The prefix alone is redirected to the page, whose addresses are relative.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            if scope["path"] == self.prefix:
                await RedirectResponse(f"{self.prefix}/", status_code=308)(scope, receive, send)
                return
            if scope["path"].startswith(f"{self.prefix}/"):
                scope = {**scope, "path": scope["path"].removeprefix(self.prefix)}
        await self.app(scope, receive, send)


class SecurityHeadersMiddleware:
    """Adds `SECURITY_HEADERS`; a response may set its own Content-Security-Policy and Cache-Control."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                names = {name for name, _ in headers}
                defaults = [pair for pair in _DEFAULTS if pair[0] not in names]
                message["headers"] = [*headers, *_ALWAYS, *defaults]
            await send(message)

        await self.app(scope, receive, send_with_headers)


class TrustedHostMiddleware:
    """Refuses requests whose `Host` header is not one of this machine or of `hosts`.

    Protects against DNS rebinding: a page of another site can have its name resolve to this machine, but the browser
    still sends that name as `Host`. What a trusted proxy reports as `X-Forwarded-Host` has to be allowed as well.
    A host with a slash is a network: an address of it is allowed, by which Kubernetes and Prometheus reach a pod.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        named, networks = set(_LOCAL_HOSTS), []
        for host in hosts:
            if "/" in host:
                networks.append(ip_network(host))
            else:
                named.add(_bracketed(host.lower()))
        self.hosts, self.networks = frozenset(host.encode() for host in named), tuple(networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-host"]
            names = hosts + b",".join(forwarded).split(b",") if forwarded else hosts
            names = [_without_port(name.strip().lower()) for name in names]
            if len(hosts) != 1 or not (self.hosts.issuperset(names) or all(map(self._allows, names))):
                error = ApiError(400, "host", "the Host header names another host; allowed hosts are set by 'hosts'")
                await send_error(send, error, scope["state"]["request_id"])
                return
        await self.app(scope, receive, send)

    def _allows(self, name: bytes) -> bool:
        if name in self.hosts or not self.networks:
            return name in self.hosts
        try:
            address = ip_address(name.decode("ascii").strip("[]"))
        except ValueError:
            return False
        return any(address in network for network in self.networks)


def _bracketed(host: str) -> str:
    """An IPv6 address in brackets, as in a `Host` header."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _without_port(host: bytes) -> bytes:
    if host.startswith(b"["):
        return host[: host.find(b"]") + 1]
    return host.partition(b":")[0]
