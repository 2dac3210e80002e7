"""Bounds of what a worker takes on: heavy requests, streams, temporary files, and clients that do not read."""

import asyncio
import json
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from accidents.configuration.serving import LoadLimits
from serving.auth.roles import Role
from serving.http.errors import ApiError
from serving.http.load import Load
from tests.serving.in_process import ACCIDENT, NDJSON_HEADERS, ApiClient, in_process_service
from tests.serving.load_generator import wait_until
from tests.serving.raw_http import open_connection, request_head
from tests.serving.service_process import save_small_model, start_service

pytestmark = [pytest.mark.slow, pytest.mark.traced]

MEGABYTE = 1_000_000
LINE = json.dumps(ACCIDENT).encode() + b"\n"
CROWD = {"nb_vehicules": 1000, "nb_victim": 1000}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    """A service with narrow limits."""
    folder = tmp_path_factory.mktemp("load")
    limits = {"heavy": 1, "wait_seconds": 0.1, "spool_megabytes": 3}
    with in_process_service(folder, save_small_model(folder), load=limits, request={"write_seconds": 0.5}) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_stays_taken(api: ApiClient) -> Iterator[None]:
    """Every test gives back what it took."""
    yield
    wait_until(lambda: api.state.load.free_spool_bytes == 3 * MEGABYTE)
    assert api.post("/v1/explain", ACCIDENT).status_code == 200


def post_lines(api: ApiClient, body: bytes) -> requests.Response:
    return api.request("POST", "/v1/predict/batch", data=body, headers=NDJSON_HEADERS)


def error_of(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def lines_head(api: ApiClient, length: int) -> bytes:
    kind = f"Content-Type: {NDJSON_HEADERS['Content-Type']}"
    return request_head(api, kind, f"Content-Length: {length}", path="/v1/predict/batch")


def test_turns_are_given_in_order_and_refused_after_a_while() -> None:
    async def run() -> list[int]:
        load, order = Load(LoadLimits(heavy=2, wait_seconds=0.2), workers=1), list[int]()

        async def work(number: int, seconds: float) -> None:
            async with load.heavy_request():
                order.append(number)
                await asyncio.sleep(seconds)

        async with asyncio.TaskGroup() as tasks:
            for number in range(6):
                tasks.create_task(work(number, 0.02))
        async with load.heavy_request(), load.heavy_request():
            with pytest.raises(ApiError) as caught:
                await work(6, 0)
        assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "2"})
        await work(7, 0)
        return order

    with ThreadPoolExecutor(1) as thread:  # the browser tests may have a loop in this one
        assert thread.submit(asyncio.run, run()).result() == [0, 1, 2, 3, 4, 5, 7]


def test_space_for_bodies_is_shared_by_the_workers() -> None:
    load = Load(LoadLimits(spool_megabytes=4), workers=4)
    load.reserve_spool(600_000)
    with pytest.raises(ApiError, match="too many large bodies"):
        load.reserve_spool(600_000)
    load.reserve_spool(-600_000)
    load.reserve_spool(MEGABYTE)


def test_heavy_requests_beyond_the_limit_are_refused_and_light_ones_answered(api: ApiClient) -> None:
    content = {"accidents": [CROWD] * 500, "priority": [0, 1] * 250}
    responses: list[requests.Response] = []
    heavy = threading.Thread(target=lambda: responses.append(api.post("/v1/evaluate", content, Role.EVALUATE)))
    heavy.start()
    refused = []
    while heavy.is_alive():
        with requests.Session() as session:
            other = ApiClient(api.url, api.app, api.keys, api.pointer_file, session)
            refused.append(other.post("/v1/explain", ACCIDENT))
            assert other.post("/v1/predict", ACCIDENT).status_code == 200
    assert [one.status_code for one in responses] == [200]
    busy = next(one for one in refused if one.status_code != 200)
    assert error_of(busy) == (503, "busy")
    assert busy.headers["retry-after"] == "2"


def test_space_for_bodies_is_limited_over_all_requests(api: ApiClient) -> None:
    assert error_of(post_lines(api, LINE * (3 * MEGABYTE // len(LINE) + 1))) == (503, "busy")
    with open_connection(api) as first:
        first.sendall(lines_head(api, 9 * MEGABYTE) + b" " * (2 * MEGABYTE))
        wait_until(lambda: api.state.load.free_spool_bytes == MEGABYTE)
        other = post_lines(api, b" " * (2 * MEGABYTE))
        assert error_of(other) == (503, "busy")
        assert "retry-after" in other.headers
        assert post_lines(api, LINE * 10).status_code == 200
    wait_until(lambda: api.state.load.free_spool_bytes == 3 * MEGABYTE)
    assert post_lines(api, b" " * (2 * MEGABYTE)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/explain", "/v1/predict/batch", "/v1/evaluate", "/v1/feedback"])
def test_full_temporary_folder_is_reported_before_an_answer(
    api: ApiClient, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    large = json.dumps(ACCIDENT).encode() + b" " * 100_000
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: open("/dev/full", "w+b"))  # noqa: PTH123, SIM115
    for kind in ("application/json", NDJSON_HEADERS["Content-Type"]):
        if kind == "application/json" or path == "/v1/predict/batch":
            response = api.request("POST", path, Role.ADMIN, data=large, headers={"Content-Type": kind})
            assert error_of(response) == (507, "storage")
            assert "temporary folder" in response.json()["error"]["message"]
    assert "No space left on device" in caplog.text
    assert api.post("/v1/predict", ACCIDENT).status_code == 200


def test_missing_temporary_folder_is_reported(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert error_of(post_lines(api, LINE)) == (507, "storage")


@contextmanager
def unread_response(api: ApiClient, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[socket.socket]:
    """A connection with a response of several MB that is not read, while the body is in a temporary file."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    body = b"1\n" * 100_000  # each line has an error a hundred times as long
    with open_connection(api) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(lines_head(api, len(body)) + body)
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield connection


def test_client_that_stops_reading_is_disconnected(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = api.metrics().get('accidents_refused_total{reason="slow_reader"}', 0)
    with unread_response(api, monkeypatch, tmp_path) as connection:
        assert api.state.load.free_spool_bytes < 3 * MEGABYTE
        assert list(tmp_path.iterdir()) == []  # the file has no name
        wait_until(lambda: api.state.load.free_spool_bytes == 3 * MEGABYTE)
        received = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(MEGABYTE):
                received = piece
        assert not received.endswith(b"0\r\n\r\n")
    assert api.metrics()['accidents_refused_total{reason="slow_reader"}'] == before + 1


def test_client_that_goes_away_frees_its_space(api: ApiClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = api.metrics().get('accidents_refused_total{reason="slow_reader"}', 0)
    with unread_response(api, monkeypatch, tmp_path) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: api.state.load.free_spool_bytes == 3 * MEGABYTE)
    assert api.metrics().get('accidents_refused_total{reason="slow_reader"}', 0) == before


def test_unread_answers_of_other_kinds_are_ended_too(api: ApiClient) -> None:
    """Many requests on one connection, none of whose responses is read."""
    with open_connection(api) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = json.dumps({"accidents": [ACCIDENT] * 50}).encode()
        head = request_head(
            api, "Content-Type: application/json", f"Content-Length: {len(body)}", path="/v1/predict/batch"
        )
        connection.settimeout(60)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall((head + body) * 500)


@pytest.fixture
def small_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.long
def test_service_with_a_small_temporary_folder(tmp_path: Path, small_folder: Path) -> None:
    """Fills up with two requests, one is refused and nothing of it stays; neither do files of a killed server."""
    environment = {"TMPDIR": str(small_folder)}
    options = ("--model-path", str(save_small_model(tmp_path)), "--anonymous")
    with start_service(tmp_path, *options, environment=environment) as service:
        url = f"{service.url}/v1/predict/batch"

        def post(body: bytes, **arguments: Any) -> requests.Response:
            return requests.post(url, data=body, headers=NDJSON_HEADERS, timeout=60, **arguments)

        for _ in range(3):
            full = post(LINE * (8 * MEGABYTE // len(LINE)))
            assert error_of(full) == (507, "storage")
        assert "a body cannot be stored in the temporary folder: No space left on device" in service.log
        assert len(post(LINE * 3_000).text.splitlines()) == 3_000
        with post(LINE * 4_000, stream=True) as response:
            assert response.status_code == 200
            (server,) = service.server_pids
            subprocess.run(["kill", "-9", str(server)], check=True)
        service.process.wait(60)
        assert not any(one.is_file() for one in small_folder.rglob("*"))
