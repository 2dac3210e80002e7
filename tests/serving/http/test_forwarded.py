"""The address of a client behind proxies: what trusted ones report counts, and what anybody else writes does not."""

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from accidents.configuration.serving import ServingSettings
from serving.http.forwarded import ForwardedHeadersMiddleware, counted_network, parse_address

NETWORKS = [ip_network(text) for text in ("127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48")]
PROXIES = ("127.0.0.1", "10.1.2.3", "2001:db8:1::5")
clients = st.ip_addresses().filter(
    lambda address: parse_address(str(address)) == str(address) and not any(address in network for network in NETWORKS)
)
written_by_clients = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"))


async def _no_application(*_: object) -> None:
    return


middleware = ForwardedHeadersMiddleware(_no_application, NETWORKS)


def handled(peer: str | None, *headers: tuple[str, str]) -> dict[str, Any]:
    """The scope of a request as the application sees it."""
    sent = [(b"host", b"localhost"), *((name.encode(), value.encode("latin-1")) for name, value in headers)]
    scope = {"type": "http", "scheme": "http", "client": peer and (peer, 5), "headers": sent}
    with suppress(StopIteration):  # it waits for nothing, so that no event loop is needed
        middleware(scope, None, None).send(None)  # type: ignore[arg-type]
    return scope


def client_behind(peer: str, *chain: str) -> str:
    """The client address where `chain` holds the lines of `X-Forwarded-For`."""
    return str(handled(peer, *(("x-forwarded-for", line) for line in chain))["client"][0])


def spellings(address: IPv4Address | IPv6Address) -> Sequence[str]:
    """Ways to write an address that proxies use."""
    if isinstance(address, IPv4Address):
        return str(address), f"{address}:65535", f"::ffff:{address}", f"[::ffff:{address}]:1"
    return str(address), address.exploded.upper(), f"[{address}]", f"[{address}]:8080", f"{address}%eth0"


@given(st.ip_addresses(), st.data())
def test_every_spelling_of_an_address_is_one(address: IPv4Address | IPv6Address, data: st.DataObject) -> None:
    expected = parse_address(str(address))
    assert expected is not None
    assert parse_address(expected) == expected
    assert parse_address(data.draw(st.sampled_from(spellings(address)))) == expected


@given(written_by_clients)
def test_any_other_text_is_no_address(text: str) -> None:
    parsed = parse_address(text)
    assert parsed is None or parse_address(parsed) == parsed


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown", "_hidden", "unix:", "unix:/run/nginx.sock", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4:"),
        *("1.2.3.4:x", "1.2.3.4:123456", "[::1", "::1]", "[::1]:", "[::1]x", "[]", "0x7f.1", "2130706433"),
        *("1.2.3.4/8", "\xb2.2.3.4", "::1%a%b", "for=1.2.3.4", '"1.2.3.4"', "localhost", "1.2.3.4 5.6.7.8"),
        *("::1%" + "a" * 100, "1" * 60_000),
    ],
    ids=lambda text: text[:20],
)
def test_malformed_addresses(text: str) -> None:
    assert parse_address(text) is None
    assert client_behind("10.1.2.3", f"203.0.113.9, {text or '-'}") == "10.1.2.3"


@given(
    st.lists(written_by_clients, max_size=3),
    clients,
    st.lists(st.sampled_from(PROXIES), max_size=5),
    st.sampled_from(PROXIES),
    st.data(),
)
def test_what_a_client_writes_itself_is_ignored(
    spoofed: list[str], client: IPv4Address | IPv6Address, further: list[str], peer: str, data: st.DataObject
) -> None:
    """Whether proxies append to the line or add lines of their own."""
    reported = [data.draw(st.sampled_from(spellings(client))), *further]
    assert client_behind(peer, *spoofed, *reported) == str(client)
    assert client_behind(peer, ", ".join([*spoofed, *reported])) == str(client)
    assert client_behind(peer, *spoofed, ",".join(reported)) == str(client)


@given(st.sampled_from(PROXIES), written_by_clients)
def test_client_is_an_address_for_any_header(peer: str, chain: str) -> None:
    client = client_behind(peer, chain)
    assert parse_address(client) == client


@given(clients, st.lists(st.tuples(st.sampled_from(["for", "proto", "host", "port"]), written_by_clients), max_size=4))
def test_headers_of_untrusted_peers_are_removed(peer: IPv4Address | IPv6Address, sent: list[tuple[str, str]]) -> None:
    scope = handled(str(peer), *((f"x-forwarded-{name}", value) for name, value in sent))
    assert scope["client"] == (str(peer), 5)
    assert scope["scheme"] == "http"
    assert scope["headers"] == [(b"host", b"localhost")]


def test_chains_of_proxies() -> None:
    assert client_behind("127.0.0.1", "203.0.113.9, 10.1.2.3") == "203.0.113.9"
    assert client_behind("::ffff:127.0.0.1", "203.0.113.9") == "203.0.113.9"
    assert client_behind("2001:DB8:1:0::5", "2001:db8:2::1") == "2001:db8:2::1"
    assert client_behind("127.0.0.1") == "127.0.0.1"
    assert client_behind("127.0.0.1", "", " , ,") == "127.0.0.1"
    assert client_behind("127.0.0.1", "203.0.113.9, , ") == "203.0.113.9"
    assert client_behind("127.0.0.1", "10.0.0.7, 10.1.2.3") == "10.0.0.7"
    assert client_behind("127.0.0.1", "203.0.113.9, unknown, 10.1.2.3") == "10.1.2.3"
    assert client_behind("192.0.2.1", "203.0.113.9") == "192.0.2.1"
    assert client_behind("127.0.0.2", "203.0.113.9") == "127.0.0.2"
    assert client_behind("127.0.0.1", "203.0.113.9" + ", 10.1.2.3" * 5000) == "10.1.2.3"
    assert handled(None, ("x-forwarded-for", "203.0.113.9"))["client"] is None
    for other in ("forwarded", "x-real-ip", "true-client-ip", "x-client-ip"):
        assert handled("127.0.0.1", (other, "for=203.0.113.9"))["client"] == ("127.0.0.1", 5)


def test_scheme_is_that_of_the_nearest_proxy() -> None:
    schemes = {"https": "https", " HTTPS ": "https", "https, http": "http", "http, https": "https", "wss": "http"}
    for value, scheme in schemes.items():
        assert handled("127.0.0.1", ("x-forwarded-proto", value))["scheme"] == scheme
    assert handled("127.0.0.1", ("x-forwarded-proto", "http"), ("x-forwarded-proto", "https"))["scheme"] == "https"
    assert handled("192.0.2.1", ("x-forwarded-proto", "https"))["scheme"] == "http"


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_ipv6_clients_are_counted_by_their_network(address: IPv6Address, host: int) -> None:
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)
    assert counted_network(str(neighbour)) == counted_network(str(address))
    assert address in ip_network(counted_network(str(address)))


@pytest.mark.parametrize(
    "proxy", [1, "*", "localhost", "10.0.0.1/8", "0.0.0.0/0", "::/0", "", "10.0.0.1-10.0.0.9", "unix:", None]
)
def test_invalid_trusted_proxies_are_refused(proxy: object) -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        ServingSettings.model_validate({"trusted_proxies": [proxy]})


def test_trusted_proxies_are_addresses_and_networks() -> None:
    written = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "::ffff:192.0.2.1", "::ffff:198.51.100.0/120"]
    settings = ServingSettings.model_validate({"trusted_proxies": written})
    networks = ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32", "198.51.100.0/24"]
    assert [str(network) for network in settings.trusted_proxies] == networks
    assert ServingSettings.model_validate_json(settings.model_dump_json()) == settings
