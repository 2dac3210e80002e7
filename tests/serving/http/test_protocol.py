"""Connections: heads that are too long or too slow, what is no HTTP, and what is left of a refused request."""

import time
from collections.abc import Iterator

import pytest

from serving.http import protocol
from tests.serving.in_process import ApiClient, in_process_service
from tests.serving.raw_http import open_connection, read_status, read_until_closed, request_head
from tests.serving.service_process import save_small_model

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("connections")
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(protocol, "HEAD_SECONDS", 0.5)
        with in_process_service(folder, save_small_model(folder)) as found:
            yield found


@pytest.mark.slow
@pytest.mark.parametrize("begun", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_slow_head_is_refused(api: ApiClient, begun: bytes) -> None:
    with open_connection(api) as found:
        found.sendall(begun)
        status, content, top = read_until_closed(found)
    assert (status, content["error"]["code"]) == (408, "slow")
    assert b"nosniff" in top
    with open_connection(api) as found:
        found.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + begun)
        assert found.recv(65536).startswith(b"HTTP/1.1 200")
        if begun:
            assert read_until_closed(found)[0] == 408


@pytest.mark.parametrize("endless", [b"x", b"x: y\r\n", b"GET"])
@pytest.mark.parametrize("where", ["line", "value", "lines", "trailer", "extension"])
def test_endless_head_is_refused(api: ApiClient, endless: bytes, where: str) -> None:
    chunked = request_head(api, "Content-Type: application/json", "Transfer-Encoding: chunked")
    beginning = {
        "line": b"GET /",
        "value": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
        "lines": b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        "trailer": chunked + b"1\r\n \r\n0\r\nX-Long: ",
        "extension": chunked + b"1;",
    }[where]
    sent = 0
    with open_connection(api) as found:
        try:
            found.sendall(beginning)
            while sent < 20 * MEGABYTE:
                found.sendall(endless * 1000)
                sent += len(endless) * 1000
        except OSError:
            pass
    assert sent < 10 * MEGABYTE
    assert api.get("/health", None).status_code == 200


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
