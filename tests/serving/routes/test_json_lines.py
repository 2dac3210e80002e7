"""JSON lines in, JSON lines out, for any number of accidents."""

import gzip
import itertools
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.serving.in_process import (
    ACCIDENT,
    EXAMPLES,
    NDJSON_HEADERS,
    ApiClient,
    in_process_service,
    synthetic_accidents,
)
from tests.serving.service_process import save_small_model, server_pids, service_url

WRONG: dict[str, Any] = {"accident": {"lum": 9}, "vehicles": [{}], "people": [{}]}
MEGABYTE = 1_000_000


def lines_of(contents: list[Any]) -> bytes:
    return b"".join(json.dumps(content).encode() + b"\n" for content in contents)


def asked(api: ApiClient, body: Any, **headers: str) -> list[dict[str, Any]]:
    found = api.request("POST", "/v1/predict/batch", data=body, headers=NDJSON_HEADERS | headers)
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in found.iter_lines()]


def test_each_line_gets_the_result_of_a_single_request(api: ApiClient) -> None:
    contents = [*EXAMPLES.values(), WRONG, None, [], *synthetic_accidents(50)]
    said = asked(api, lines_of(contents))
    assert len(said) == len(contents)
    for content, answer in zip(contents, said, strict=True):
        alone = api.post("/v1/predict", content).json()
        assert answer.get("probability") == alone.get("probability")
        assert answer.get("error") == alone.get("error")


def test_invalid_line_has_an_error_and_blank_lines_are_skipped(api: ApiClient) -> None:
    good = json.dumps(ACCIDENT).encode()
    body = b"\n".join([good, b"", b"{", b"NaN", good, b"  ", b"\xff", b"[" * 2000, good + b"\r"])
    said = asked(api, body)
    assert ["probability" in one for one in said] == [True, False, False, True, False, False, True]
    assert {one["error"]["code"] for one in said if "error" in one} == {"no_json"}


@pytest.mark.parametrize("body", [b"", b"\n\n", b" "])
def test_empty_body_has_no_results(api: ApiClient, body: bytes) -> None:
    assert asked(api, body) == []


@pytest.mark.slow
def test_many_blank_lines_do_not_end_the_results(api: ApiClient) -> None:
    line = json.dumps(ACCIDENT).encode() + b"\n"
    assert len(asked(api, b" \n" * 2_500_000 + line)) == 1


@pytest.mark.slow
def test_more_lines_than_a_batch_in_chunks_and_gzip(api: ApiClient) -> None:
    contents = synthetic_accidents(200) * 6
    body = lines_of(contents)
    expected = [one["probability"] for one in asked(api, body)]
    assert len(expected) == 1200
    pieces = (body[start : start + 777] for start in range(0, len(body), 777))
    assert [one["probability"] for one in asked(api, pieces)] == expected
    packed = gzip.compress(body)
    assert [one["probability"] for one in asked(api, packed, **{"Content-Encoding": "gzip"})] == expected


def test_media_type_may_have_parameters_and_capitals(api: ApiClient) -> None:
    body, kind = lines_of([ACCIDENT]), {"Content-Type": "Application/X-NDJSON; charset=utf-8"}
    assert "probability" in api.request("POST", "/v1/predict/batch", data=body, headers=kind).json()


def test_too_long_line_has_an_error(tmp_path: Path) -> None:
    limits = {"body_megabytes": 0.01, "stream_megabytes": 1}
    with in_process_service(tmp_path, save_small_model(tmp_path), request=limits) as api:
        good = json.dumps(ACCIDENT).encode()
        long = b'{"accident": {"voie": "' + b"x" * 25_000 + b'"}}'
        said = asked(api, b"\n".join([good, long, good, long]))
        assert ["probability" in one for one in said] == [True, False, True, False]
        assert "longer than 10,000 bytes" in said[1]["error"]["message"]
        refused = api.request("POST", "/v1/predict/batch", data=b"\n" * 1_100_000, headers=NDJSON_HEADERS)
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.slow
def test_results_may_take_longer_than_the_body_limit(tmp_path: Path) -> None:
    """A caller that reads slowly holds nobody up, and gets everything."""
    with in_process_service(tmp_path, save_small_model(tmp_path), request={"body_seconds": 0.3}) as api:
        faulty = {f"colour {number}": 1 for number in range(50)}
        body = gzip.compress(lines_of([faulty] * 1500))
        packed = NDJSON_HEADERS | {"Content-Encoding": "gzip"}
        found = api.request("POST", "/v1/predict/batch", data=body, headers=packed, stream=True)
        said = size = 0
        for line in found.iter_lines(chunk_size=4096):
            said, size = said + 1, size + len(line)
            if said % 300 == 0:
                time.sleep(0.5)
        assert said == 1500
        assert size > 20 * MEGABYTE


@pytest.mark.long
def test_hundred_thousand_lines_take_constant_memory(tmp_path: Path) -> None:
    """About 100 MB in, as much out, read while it comes; what waits for the log has bounds of its own, here narrow."""
    some = lines_of(synthetic_accidents(1000))

    def body(times: int) -> Iterator[bytes]:
        return itertools.repeat(some, times)

    with service_url(tmp_path, save_small_model(tmp_path), "--anonymous", records={"queue": 2000}) as url:
        (server,) = server_pids(tmp_path)
        process, peak, stop = psutil.Process(server), [0], threading.Event()

        def watch() -> None:
            while not stop.wait(0.05):
                peak[0] = max(peak[0], process.memory_info().rss)

        def answered(times: int) -> int:
            found = requests.post(
                f"{url}/v1/predict/batch", data=body(times), headers=NDJSON_HEADERS, stream=True, timeout=600
            )
            return sum(1 for _ in found.iter_lines(chunk_size=MEGABYTE))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            assert answered(10) == 10_000
            warm, peak[0] = peak[0], 0
            assert answered(100) == 100_000
        finally:
            stop.set()
            watcher.join()
    assert peak[0] - warm < 30 * MEGABYTE, (warm, peak[0])
