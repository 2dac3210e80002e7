"""Heads that are too long or too slow, data that is not HTTP, and unread bodies; and what plain uvicorn does."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.http import protocol
from tests.serving.in_process import ApiClient, in_process_service
from tests.serving.raw_http import open_connection, read_status, read_until_closed, request_head
from tests.serving.service_process import save_small_model

pytestmark = [pytest.mark.slow, pytest.mark.traced]

MEGABYTE = 1_000_000
HEAD_STARTS = [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    """A service that waits half a second for a head."""
    folder = tmp_path_factory.mktemp("connections")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "HEAD_SECONDS", 0.5)
        with in_process_service(folder, save_small_model(folder)) as client:
            yield client


@pytest.mark.parametrize("start", HEAD_STARTS)
def test_slow_head_is_refused(api: ApiClient, start: bytes) -> None:
    with open_connection(api) as connection:
        connection.sendall(start)
        status, content, head = read_until_closed(connection)
    assert (status, content["error"]["code"]) == (408, "slow")
    assert b"nosniff" in head
    with open_connection(api) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + start)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        if start:
            assert read_until_closed(connection)[0] == 408


def send_endless(api: ApiClient, start: bytes, repeated: bytes, limit: int) -> int:
    """Send `repeated` until the server closes the connection or `limit` bytes are sent; returns their number."""
    sent = 0
    with open_connection(api) as connection:
        try:
            connection.sendall(start)
            while sent < limit:
                connection.sendall(repeated * 1000)
                sent += len(repeated) * 1000
        except OSError:
            pass
    return sent


@pytest.mark.parametrize("repeated", [b"x", b"x: y\r\n", b"GET"])
@pytest.mark.parametrize("where", ["line", "value", "lines", "trailer", "extension"])
def test_endless_head_is_refused(api: ApiClient, repeated: bytes, where: str) -> None:
    chunked = request_head(api, "Content-Type: application/json", "Transfer-Encoding: chunked")
    start = {
        "line": b"GET /",
        "value": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
        "lines": b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        "trailer": chunked + b"1\r\n \r\n0\r\nX-Long: ",
        "extension": chunked + b"1;",
    }[where]
    assert send_endless(api, start, repeated, 20 * MEGABYTE) < 10 * MEGABYTE
    assert api.get("/health", None).status_code == 200


def test_plain_uvicorn_limits_neither_length_nor_time_of_a_head(tmp_path: Path) -> None:
    """Why `HeadLimitProtocol` subclasses `HttpToolsProtocol`; where this fails, uvicorn has limits of its own."""
    settings = {"server_options": {"http": "httptools", "timeout_keep_alive": 1}}
    with in_process_service(tmp_path, save_small_model(tmp_path), **settings) as api:
        start = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: "
        assert send_endless(api, start, b"x", 20 * MEGABYTE) == 20 * MEGABYTE
        with open_connection(api) as connection:
            connection.sendall(HEAD_STARTS[-1])
            connection.settimeout(2)
            with pytest.raises(TimeoutError):  # neither an answer nor an end of the connection
                connection.recv(1)
            connection.settimeout(10)
            connection.sendall(b"y\r\n\r\n")
            assert read_status(connection) == 200


NO_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01",
    "words": b"hello",
    "version": b"GET / HTTP/9.9",
    "bytes": bytes(range(256)),
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    "negative": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1",
    "beyond numbers": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999",
    "space before colon": b"GET / HTTP/1.1\r\nHost : localhost",
    "folded": b"GET / HTTP/1.1\r\nHost: localhost\r\n continued",
}


@pytest.mark.parametrize("name", NO_HTTP)
def test_data_that_is_not_http_is_refused_in_json(api: ApiClient, name: str) -> None:
    """Above all what one server could read otherwise than another before it."""
    before = api.metrics()
    with open_connection(api) as found:
        found.sendall(NO_HTTP[name] + b"\r\n\r\n")
        status, content, top = read_until_closed(found)
    assert (status, content["error"]["code"]) == (400, "no_http")
    assert content.keys() == {"error", "request_id"}
    assert b"nosniff" in top
    counted = 'accidents_refused_total{reason="no_http"}'
    assert api.metrics()[counted] == before.get(counted, 0) + 1


def test_connection_can_be_reused_after_a_refusal(api: ApiClient) -> None:
    """The body that nobody has read is not taken for the next request."""
    refused = [
        ("/v1/predict", "Content-Type: text/plain", 415),
        ("/nothing", "Content-Type: application/json", 404),
        ("/v1/predict", "Content-Encoding: br", 415),
        ("/v1/admin/reload", "Content-Type: application/json", 403),
    ]
    smuggled = b"GET /v1/model HTTP/1.1\r\nHost: evil.example\r\n\r\n" * 1000
    with open_connection(api) as found:
        for path, kind, status in refused:
            found.sendall(request_head(api, kind, f"Content-Length: {len(smuggled)}", path=path))
            time.sleep(0.05)
            found.sendall(smuggled)
            assert read_status(found) == status
            found.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            assert read_status(found) == 200
