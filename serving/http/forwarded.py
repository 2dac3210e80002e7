"""The address of a client, derived once for limits and log: from the connection, or from what a trusted proxy reports.

Own code, since uvicorn's `ProxyHeadersMiddleware` takes any text for an address ("unknown", or 60 kB of letters),
keeps IPv4-mapped addresses and zones, and passes the headers of peers that it does not trust to the application.

`Forwarded` (RFC 7239) and `X-Real-IP` are not read: a proxy that sets another header passes those of its clients on.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIX = b"x-forwarded-"
_MAX_HOPS = 16
_MAX_ENTRY = 80
_CACHED = 4096
_WITH_PORT = re.compile(r"\[(.+)](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


class ForwardedHeadersMiddleware:
    """Sets `scope["client"]` and `scope["scheme"]` from `X-Forwarded-For` and `X-Forwarded-Proto` of trusted proxies.

    `X-Forwarded-…` headers of all other peers are removed.

    Args:
        app: the application.
        trusted: networks of the trusted proxies.
    """

    def __init__(self, app: ASGIApp, trusted: Iterable[IPv4Network | IPv6Network]) -> None:
        self.app = app
        networks = tuple(trusted)

        @lru_cache(_CACHED)
        def trusts(address: str) -> bool:
            parsed = ip_address(address)
            return any(parsed in network for network in networks)

        self._trusts = trusts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            forwarded = [pair for pair in scope["headers"] if pair[0][:12] == _PREFIX]
            client = parse_address(scope["client"][0]) if scope.get("client") else None
            if not forwarded:
                pass
            elif client is not None and self._trusts(client):
                client = self.client_address(client, _joined(forwarded, b"for"))
                scheme = _joined(forwarded, b"proto").rpartition(",")[2].strip().lower()
                scope["scheme"] = scheme if scheme in {"http", "https"} else scope["scheme"]
            else:
                scope["headers"] = [pair for pair in scope["headers"] if pair[0][:12] != _PREFIX]
            if client is not None and client != scope["client"][0]:
                scope["client"] = (client, 0)
        await self.app(scope, receive, send)

    def client_address(self, peer: str, chain: str) -> str:
        """The address nearest to this machine that is no trusted proxy.

        Every proxy appends the address of its peer. So the chain counts from the right, up to the first address that
        is not trusted, and what stands to the left of it may be made up. Where an entry is no address, such as
        `unknown`, the proxy that reports it counts as the client.

        Args:
            peer: address of the trusted proxy that is connected.
            chain: values of `X-Forwarded-For`, separated by commas.
        """
        address = peer
        for entry in reversed(chain.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]):
            if not (entry := entry.strip()):
                continue
            parsed = parse_address(entry)
            if parsed is None:
                break
            address = parsed
            if not self._trusts(address):
                break
        return address


def parse_address(text: str) -> str | None:
    """An IP address in its canonical form, without port and zone; None for text that is none.

    Examples:
        >>> parse_address("192.0.2.1:443"), parse_address("[2001:DB8:0::1]:443"), parse_address("::ffff:192.0.2.1")
        ('192.0.2.1', '2001:db8::1', '192.0.2.1')
        >>> parse_address("unknown")
    """
    return _parse_address(text) if len(text) <= _MAX_ENTRY else None  # long text would fill the cache


@lru_cache(_CACHED)
def _parse_address(text: str) -> str | None:
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return str(address).partition("%")[0]


def counted_network(address: str) -> str:
    """What failures are counted by: an IPv4 address, or the /64 of an IPv6 address, of which one client has them all.

    Examples:
        >>> counted_network("192.0.2.1"), counted_network("2001:db8::1")
        ('192.0.2.1', '2001:db8::/64')
    """
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _joined(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    return b",".join(value for header, value in headers if header == _PREFIX + name).decode("latin-1")
