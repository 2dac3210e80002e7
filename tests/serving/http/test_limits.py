"""Limits of bodies and requests: size, compression, duration, rate and lockout."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from serving.auth import api_keys
from serving.auth.roles import Role
from serving.http.body import Gunzip
from tests.serving.in_process import ACCIDENT, NDJSON_HEADERS, ApiClient, in_process_service, protected_routes
from tests.serving.load_generator import wait_until
from tests.serving.raw_http import open_connection, read_status, read_until_closed, request_head
from tests.serving.service_process import save_small_model

pytestmark = [pytest.mark.slow, pytest.mark.traced]

MEGABYTE = 1_000_000
VALID = json.dumps(ACCIDENT).encode()
JSON = {"Content-Type": "application/json"}
GZIP_HEADERS = JSON | {"Content-Encoding": "gzip"}
LIMITS = {"body_megabytes": 1, "stream_megabytes": 3, "body_seconds": 0.5}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("limits")
    with in_process_service(folder, save_small_model(folder), request=LIMITS) as client:
        yield client


def error_code(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize("route", ["/v1/predict", "/v1/explain", "/v1/predict/batch", "/v1/evaluate", "/v1/feedback"])
@pytest.mark.parametrize("way", ["length", "chunked", "gzip", "gzip in chunks"])
def test_too_large_body_is_refused_on_every_route(api: ApiClient, route: str, way: str) -> None:
    """And the caller gets to see it, also if it goes on sending."""
    body = b'{"accident": "' + b"x" * 5 * MEGABYTE + b'"}'
    sent = gzip.compress(body) if "gzip" in way else body
    pieces = (sent[start : start + 100] for start in range(0, len(sent), 100))
    response = api.request(
        "POST",
        route,
        Role.ADMIN,
        data=pieces if "chunk" in way else sent,
        headers=GZIP_HEADERS if "gzip" in way else JSON,
    )
    assert error_code(response) == (413, "too_large")
    assert "1 MB" in response.json()["error"]["message"]


def test_body_up_to_the_limit_is_accepted(api: ApiClient) -> None:
    filled = VALID + b" " * (MEGABYTE - len(VALID))
    pieces = (filled[start : start + 100_000] for start in range(0, len(filled), 100_000))
    for body, headers in ((filled, JSON), (pieces, JSON), (gzip.compress(filled), GZIP_HEADERS)):
        assert api.request("POST", "/v1/predict", data=body, headers=headers).status_code == 200
    assert error_code(api.request("POST", "/v1/predict", data=filled + b" ", headers=JSON)) == (413, "too_large")
    compressed = gzip.compress(filled + b" ")
    assert error_code(api.request("POST", "/v1/predict", data=compressed, headers=GZIP_HEADERS)) == (413, "too_large")


def test_content_length_beyond_the_limit_is_refused_at_once(api: ApiClient) -> None:
    for length in ("1000001", "99999999999", "9" * 18):
        with open_connection(api) as connection:
            connection.sendall(
                request_head(api, "Content-Type: application/json", f"Content-Length: {length}", "Expect: 100-continue")
            )
            status, content, head = read_until_closed(connection)
            assert (status, content["error"]["code"]) == (413, "too_large")
            assert b"connection: close" in head


def test_json_lines_have_their_own_limit(api: ApiClient) -> None:
    line = VALID + b"\n"
    within, beyond = line * (2 * MEGABYTE // len(line)), line * (4 * MEGABYTE // len(line))
    for encode, headers in ((bytes, NDJSON_HEADERS), (gzip.compress, NDJSON_HEADERS | {"Content-Encoding": "gzip"})):
        assert api.request("POST", "/v1/predict/batch", data=encode(within), headers=headers).status_code == 200
        refused = api.request("POST", "/v1/predict/batch", data=encode(beyond), headers=headers)
        assert error_code(refused) == (413, "too_large")


def test_gzip_bomb_is_refused_before_it_is_decompressed(api: ApiClient) -> None:
    bomb = gzip.compress(b"\0" * 100 * MEGABYTE)
    assert len(bomb) < 0.2 * MEGABYTE
    for route in protected_routes(api.app):
        if route.method == "POST" and route.role is not Role.ADMIN:
            response = api.request("POST", route.path, Role.ADMIN, data=bomb, headers=GZIP_HEADERS)
            assert error_code(response) == (413, "too_large")
    gunzip = Gunzip()
    assert len(gunzip(bomb, last=True)) == MEGABYTE
    assert gunzip.pending


@pytest.mark.parametrize("size", [0, 1, 999_999, 1_000_000, 1_000_001, 3_000_000])
@pytest.mark.parametrize("piece", [1, 1000, 10_000_000])
def test_gunzip_restores_the_content_for_any_chunks(size: int, piece: int) -> None:
    content = (b"accident " * size)[:size]
    compressed = gzip.compress(content)
    pieces = [compressed[start : start + piece] for start in range(0, len(compressed), piece)]
    gunzip, output = Gunzip(), []
    for number, one in enumerate([*pieces, b""]):
        last = number == len(pieces)
        output.append(gunzip(one, last=last))
        while gunzip.pending:
            output.append(gunzip(b"", last=last))
    assert b"".join(output) == content
    assert max(map(len, output)) <= MEGABYTE


def test_invalid_gzip_is_refused(api: ApiClient) -> None:
    compressed = gzip.compress(VALID)
    for body in (
        VALID,
        compressed[:-1],
        compressed[:20],
        compressed + b"\0",
        compressed * 2,
        b"",
        compressed[:-8] + b"\0" * 8,
    ):
        response = api.request("POST", "/v1/predict", data=body, headers=GZIP_HEADERS)
        assert error_code(response) == (400, "compression"), body
    for encoding in ("br", "deflate", "gzip, gzip", "x" * 500):
        response = api.request("POST", "/v1/predict", data=compressed, headers=JSON | {"Content-Encoding": encoding})
        assert error_code(response) == (415, "encoding")
    assert (
        api.request("POST", "/v1/predict", data=compressed, headers=JSON | {"Content-Encoding": "GZIP"}).status_code
        == 200
    )
    assert (
        api.request("POST", "/v1/predict", data=VALID, headers=JSON | {"Content-Encoding": "identity"}).status_code
        == 200
    )


@pytest.mark.parametrize("start", [b"", VALID[:10], gzip.compress(VALID)[:15]], ids=["nothing", "text", "packed"])
def test_missing_body_times_out(api: ApiClient, start: bytes) -> None:
    encoding = "gzip" if start[:1] == b"\x1f" else "identity"
    with open_connection(api) as connection:
        connection.sendall(
            request_head(api, "Content-Type: application/json", f"Content-Encoding: {encoding}", "Content-Length: 900")
        )
        connection.sendall(start)
        status, content, head = read_until_closed(connection)
    assert (status, content["error"]["code"]) == (408, "slow")
    assert b"connection: close" in head


def test_dripping_body_times_out(api: ApiClient) -> None:
    """Each piece comes in time; all of them do not."""
    with open_connection(api) as connection:
        connection.sendall(request_head(api, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        connection.settimeout(0.1)
        for _ in range(30):
            try:
                connection.sendall(b"1\r\n \r\n")
                if connection.recv(65536, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
        connection.settimeout(10)
        assert read_until_closed(connection)[0] == 408


def test_requests_per_second_are_limited_by_key(tmp_path: Path) -> None:
    """Others are not held back by that."""
    with in_process_service(tmp_path, save_small_model(tmp_path), caller={"requests_per_second": 20}) as api:
        responses = [api.get("/v1/model") for _ in range(60)]
        statuses = [one.status_code for one in responses]
        assert set(statuses) == {200, 429}
        refused = next(one for one in responses if one.status_code == 429)
        assert error_code(refused) == (429, "rate")
        assert refused.headers["retry-after"] == "1"
        assert api.get("/v1/model", Role.ADMIN).status_code == 200
        time.sleep(float(refused.headers["retry-after"]))
        assert api.get("/v1/model").status_code == 200
        assert api.metrics()['accidents_refused_total{reason="rate"}'] == statuses.count(429)


def test_wrong_keys_lock_out_an_address_but_no_valid_key(tmp_path: Path) -> None:
    limits = {"failures_per_minute": 5, "lockout_seconds": 3}
    with in_process_service(tmp_path, save_small_model(tmp_path), caller=limits) as api:
        wrong = {"X-API-Key": "acc_wrong"}
        assert [api.get("/v1/model", None).status_code for _ in range(20)] == [401] * 20  # a missing key is no attempt
        statuses = [api.get("/v1/model", None, headers=wrong).status_code for _ in range(10)]
        assert statuses == [401] * 6 + [429] * 4
        locked = api.get("/v1/model", None, headers=wrong)
        assert error_code(locked) == (429, "locked_out")
        assert 1 <= int(locked.headers["retry-after"]) <= 4
        assert api.get("/v1/model").status_code == 200
        late = api_keys.create_key(api.state.engine, "late", Role.ADMIN)
        unknown = api.get("/v1/model", None, headers={"X-API-Key": f"acc_{'0' * 8}_{'A' * 43}"})
        assert (error_code(unknown), unknown.headers["retry-after"]) == ((429, "locked_out"), "1")
        api.state.key_cache.refresh()
        assert api.get("/v1/model", None, headers={"X-API-Key": late.text}).status_code == 200
        assert error_code(api.get("/v1/model", None)) == (401, "key_missing")
        assert api.get("/health", None).status_code == 200
        assert api.metrics()['accidents_refused_total{reason="locked_out"}'] == 6
        wait_until(lambda: error_code(api.get("/v1/model", None, headers=wrong)) == (401, "key_wrong"))


def attempts(api: ApiClient, count: int, *chain: str) -> list[int]:
    """Statuses of requests with a wrong key and lines of `X-Forwarded-For`, over one connection."""
    head = ["GET /v1/model HTTP/1.1", "Host: localhost", "X-API-Key: acc_wrong"]
    text = "\r\n".join([*head, *(f"X-Forwarded-For: {line}" for line in chain), "", ""]).encode()
    with open_connection(api) as connection:
        statuses = []
        for _ in range(count):
            connection.sendall(text)
            statuses.append(read_status(connection))
    return statuses


def test_callers_behind_a_trusted_proxy_are_counted_one_by_one(tmp_path: Path) -> None:
    proxies = ["127.0.0.1", "10.0.0.0/8"]
    with in_process_service(tmp_path, save_small_model(tmp_path), trusted_proxies=proxies) as api:
        assert attempts(api, 12, "203.0.113.9") == [401] * 11 + [429]
        assert attempts(api, 1, "198.51.100.7") == [401]
        spoofed = ("198.51.100.8", "198.51.100.9, 203.0.113.9:443", "10.1.2.3")
        assert attempts(api, 1, *spoofed) == [429]
        assert [attempts(api, 1, f"2001:db8::{number}")[0] for number in range(12)] == [401] * 11 + [429]
        assert attempts(api, 1, "2001:db8:0:1::1") == [401]
        headers = {"X-Forwarded-For": "203.0.113.9"}
        assert api.get("/v1/model", headers=headers).status_code == 200


def test_address_that_an_untrusted_peer_reports_is_ignored(tmp_path: Path) -> None:
    with in_process_service(tmp_path, save_small_model(tmp_path), trusted_proxies=["10.0.0.0/8"]) as api:
        assert [attempts(api, 1, f"203.0.113.{number}")[0] for number in range(12)] == [401] * 11 + [429]
        assert api.get("/v1/model", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200


def test_host_that_a_trusted_proxy_reports_has_to_be_allowed(tmp_path: Path) -> None:
    model, hosts = save_small_model(tmp_path), ["accidents.example"]
    with in_process_service(tmp_path, model, trusted_proxies=["127.0.0.1"], hosts=hosts) as api:
        for host in ("accidents.example", "Accidents.example:8443", "accidents.example, localhost"):
            assert api.get("/v1/model", headers={"X-Forwarded-Host": host}).status_code == 200, host
        for host in ("evil.example", "accidents.example, evil.example", "accidents.example.evil.example"):
            response = api.get("/v1/model", headers={"X-Forwarded-Host": host})
            assert error_code(response) == (400, "host"), host


def test_addresses_of_an_allowed_network_are_allowed_as_host(tmp_path: Path) -> None:
    with in_process_service(tmp_path, save_small_model(tmp_path), hosts=["10.0.0.0/8", "fd00::/8"]) as api:
        for host in ("10.1.2.3:8080", "[fd00::1]:8080", "localhost"):
            assert api.get("/v1/model", headers={"Host": host}).status_code == 200, host
        for host in ("11.1.2.3", "10.1.2.3.evil.example", "evil.example"):
            assert error_code(api.get("/v1/model", headers={"Host": host})) == (400, "host"), host
