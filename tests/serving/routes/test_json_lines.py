"""Batches as JSON lines, of any number of accidents."""

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

INVALID: dict[str, Any] = {"accident": {"lum": 9}, "vehicles": [{}], "people": [{}]}
MEGABYTE = 1_000_000


def to_lines(contents: list[Any]) -> bytes:
    return b"".join(json.dumps(content).encode() + b"\n" for content in contents)


def post_lines(api: ApiClient, body: Any, **headers: str) -> list[dict[str, Any]]:
    response = api.request("POST", "/v1/predict/batch", data=body, headers=NDJSON_HEADERS | headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.iter_lines()]


def test_each_line_gets_the_result_of_a_single_request(api: ApiClient) -> None:
    contents = [*EXAMPLES.values(), INVALID, None, [], *synthetic_accidents(50)]
    results = post_lines(api, to_lines(contents))
    assert len(results) == len(contents)
    for content, answer in zip(contents, results, strict=True):
        alone = api.post("/v1/predict", content).json()
        assert answer.get("probability") == alone.get("probability")
        assert answer.get("error") == alone.get("error")


def test_invalid_line_has_an_error_and_blank_lines_are_skipped(api: ApiClient) -> None:
    good = json.dumps(ACCIDENT).encode()
    body = b"\n".join([good, b"", b"{", b"NaN", good, b"  ", b"\xff", b"[" * 2000, good + b"\r"])
    results = post_lines(api, body)
    assert ["probability" in one for one in results] == [True, False, False, True, False, False, True]
    assert {one["error"]["code"] for one in results if "error" in one} == {"no_json"}


@pytest.mark.parametrize("body", [b"", b"\n\n", b" "])
def test_empty_body_has_no_results(api: ApiClient, body: bytes) -> None:
    assert post_lines(api, body) == []


@pytest.mark.slow
def test_many_blank_lines_do_not_end_the_results(api: ApiClient) -> None:
    line = json.dumps(ACCIDENT).encode() + b"\n"
    assert len(post_lines(api, b" \n" * 2_500_000 + line)) == 1


@pytest.mark.slow
def test_more_lines_than_a_batch_in_chunks_and_gzip(api: ApiClient) -> None:
    contents = synthetic_accidents(200) * 6
    body = to_lines(contents)
    expected = [one["probability"] for one in post_lines(api, body)]
    assert len(expected) == 1200
    pieces = (body[start : start + 777] for start in range(0, len(body), 777))
    assert [one["probability"] for one in post_lines(api, pieces)] == expected
    packed = gzip.compress(body)
    assert [one["probability"] for one in post_lines(api, packed, **{"Content-Encoding": "gzip"})] == expected


def test_media_type_may_have_parameters_and_capitals(api: ApiClient) -> None:
    body, kind = to_lines([ACCIDENT]), {"Content-Type": "Application/X-NDJSON; charset=utf-8"}
    assert "probability" in api.request("POST", "/v1/predict/batch", data=body, headers=kind).json()


def test_too_long_line_has_an_error(tmp_path: Path) -> None:
    limits = {"body_megabytes": 0.01, "stream_megabytes": 1}
    with in_process_service(tmp_path, save_small_model(tmp_path), request=limits) as api:
        good = json.dumps(ACCIDENT).encode()
        long = b'{"accident": {"voie": "' + b"x" * 25_000 + b'"}}'
        results = post_lines(api, b"\n".join([good, long, good, long]))
        assert ["probability" in one for one in results] == [True, False, True, False]
        assert "longer than 10,000 bytes" in results[1]["error"]["message"]
        refused = api.request("POST", "/v1/predict/batch", data=b"\n" * 1_100_000, headers=NDJSON_HEADERS)
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.slow
def test_results_may_take_longer_than_the_body_limit(tmp_path: Path) -> None:
    """A caller that reads slowly holds nobody up, and gets everything."""
    with in_process_service(tmp_path, save_small_model(tmp_path), request={"body_seconds": 0.3}) as api:
        body = gzip.compress(to_lines([ACCIDENT] * 15_000))
        packed = NDJSON_HEADERS | {"Content-Encoding": "gzip"}
        response = api.request("POST", "/v1/predict/batch", data=body, headers=packed, stream=True)
        count = size = 0
        for line in response.iter_lines(chunk_size=4096):
            count, size = count + 1, size + len(line)
            if count % 3000 == 0:
                time.sleep(0.5)
        assert count == 15_000
        assert size > 5 * MEGABYTE


@pytest.mark.long
def test_hundred_thousand_lines_take_constant_memory(tmp_path: Path) -> None:
    """About 100 MB in, as much out, read while it comes; what waits for the log has bounds of its own, here narrow."""
    some = to_lines(synthetic_accidents(1000))

    def body(times: int) -> Iterator[bytes]:
        return itertools.repeat(some, times)

    with service_url(tmp_path, save_small_model(tmp_path), "--anonymous", records={"queue": 2000}) as url:
        (server,) = server_pids(tmp_path)
        process, peak, stop = psutil.Process(server), [0], threading.Event()

        def watch() -> None:
            while not stop.wait(0.05):
                peak[0] = max(peak[0], process.memory_info().rss)

        def count_results(times: int) -> int:
            response = requests.post(
                f"{url}/v1/predict/batch", data=body(times), headers=NDJSON_HEADERS, stream=True, timeout=600
            )
            return sum(1 for _ in response.iter_lines(chunk_size=MEGABYTE))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            assert count_results(10) == 10_000
            warm, peak[0] = peak[0], 0
            assert count_results(100) == 100_000
        finally:
            stop.set()
            watcher.join()
    assert peak[0] - warm < 30 * MEGABYTE, (warm, peak[0])
