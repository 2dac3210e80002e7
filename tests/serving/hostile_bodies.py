"""Bodies within the limits of size that are meant to take much memory, and the largest valid ones of each endpoint."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.serving.in_process import ACCIDENT, NDJSON_HEADERS, synthetic_accidents

BODY_BYTES = 9_990_000
_JSON_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class HostileRequest:
    """A request: path, plain body, whether it has JSON lines, and the statuses that are right for it."""

    path: str
    body: bytes
    statuses: frozenset[int]
    lines: bool = False

    @property
    def compressed(self) -> bytes:
        """The body as it is sent."""
        return gzip.compress(self.body, 6)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the request."""
        return (NDJSON_HEADERS if self.lines else _JSON_HEADERS) | {"Content-Encoding": "gzip"}


def _repeat(item: bytes, start: bytes = b"[", end: bytes = b"]", size: int = BODY_BYTES) -> bytes:
    return start + b",".join([item] * ((size - len(start) - len(end)) // (len(item) + 1))) + end


def _keys(count: int, value: bytes = b"1", size: int = BODY_BYTES) -> bytes:
    """An object of different keys."""
    fields = b",".join(b'"x%x":%s' % (number, value) for number in range(count))[:size].rpartition(b",")[0]
    return b"{" + fields + b"}"


def _evaluation(accident: bytes, count: int) -> bytes:
    return b'{"accidents":%s,"priority":%s}' % (_list([accident] * count), _list([b"1", b"0"] * (count // 2)))


def _list(items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _dumps(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _large_accident() -> dict[str, Any]:
    vehicles = [ACCIDENT["vehicles"][0] | {"num_veh": f"V{number}"} for number in range(1000)]
    people = [ACCIDENT["people"][0] | {"num_veh": vehicle["num_veh"]} for vehicle in vehicles]
    for row in (*vehicles, *people):
        row.pop("id_vehicule", None)
    return ACCIDENT | {"vehicles": vehicles, "people": people}


_UNKNOWN = b"{%s}" % b",".join(b'"x%d":1' % number for number in range(90))
_CROWD = b'{"vehicles":[{}],"people":%s}' % _list([b"{}"] * 1000)
_FLAT_CROWD = b'{"nb_vehicules":1000,"nb_victim":1000}'
_REFUSED, _PREDICTED = frozenset({400, 413, 422}), frozenset({200})

HOSTILE: Mapping[str, Callable[[], HostileRequest]] = {
    "evaluation, 90 unknown fields each": lambda: HostileRequest(
        "/v1/evaluate", _evaluation(_UNKNOWN, 10_000), _REFUSED
    ),
    "batch, 1,250 unknown fields each": lambda: HostileRequest(
        "/v1/predict/batch", _repeat(_keys(1250), b'{"accidents":[', b"]}"), frozenset({200})
    ),
    "one accident of unknown fields": lambda: HostileRequest("/v1/predict", _keys(1_000_000), _REFUSED),
    "explanation of unknown fields with text": lambda: HostileRequest(
        "/v1/explain", _keys(900_000, '"é"'.encode()), _REFUSED
    ),
    "batch of empty lists": lambda: HostileRequest(
        "/v1/predict/batch", _repeat(b"[]", b'{"accidents":[', b"]}"), _REFUSED
    ),
    "batch of one accident of small objects": lambda: HostileRequest(
        "/v1/predict/batch", _repeat(b'{"":1}', b'{"accidents":[{"x":[', b"]}]}"), _REFUSED
    ),
    "evaluation of small objects": lambda: HostileRequest(
        "/v1/evaluate", _repeat(b'{"":1}', b'{"priority":[1],"accidents":[', b"]}"), _REFUSED
    ),
    "evaluation with wrong labels": lambda: HostileRequest(
        "/v1/evaluate", _repeat(b'"ab"', b'{"accidents":[{}],"priority":[', b"]}"), _REFUSED
    ),
    "list in an ignored outcome": lambda: HostileRequest(
        "/v1/predict", _repeat(b"[]", b'{"vehicles":[{}],"people":[{"grav":[', b"]}]}"), _REFUSED
    ),
    "unclosed lists": lambda: HostileRequest("/v1/predict/batch", b"[" * BODY_BYTES, _REFUSED),
    "unclosed list of lists in a batch": lambda: HostileRequest(
        "/v1/predict/batch", _repeat(b"[]", b'{"accidents":[[', b""), _REFUSED
    ),
    "text with wide characters": lambda: HostileRequest(
        "/v1/predict", b'{"lum":"' + b"x" * (BODY_BYTES - 20) + '\U0001f697"}'.encode(), _REFUSED
    ),
    "escaped quotes": lambda: HostileRequest(
        "/v1/predict/batch", b'{"accidents":["' + rb"\"" * (BODY_BYTES // 2 - 20) + b'"]}', frozenset({200})
    ),
    "field named by a long text": lambda: HostileRequest(
        "/v1/predict", b'{"' + b"x" * (BODY_BYTES - 20) + b'":1}', _REFUSED
    ),
    "columns of row numbers": lambda: HostileRequest(
        "/v1/predict/batch",
        b'{"accidents":[%s]}'
        % _list([b'{"lum":1,%s}' % b",".join(b'"Unnamed: %d":1' % one for one in range(500))] * 1000)[1:-1],
        frozenset({200}),
    ),
    "feedback of unknown fields": lambda: HostileRequest("/v1/feedback", _keys(1_000_000), _REFUSED),
    "repeated lists": lambda: HostileRequest(
        "/v1/predict/batch", _repeat(b'"accidents":[{"lum":1},{"lum":1}]', b"{", b"}"), _REFUSED
    ),
    "evaluation of crowds in two numbers": lambda: HostileRequest(
        "/v1/evaluate", _evaluation(_FLAT_CROWD, 500), _PREDICTED
    ),
    "evaluation against crowds": lambda: HostileRequest(
        "/v1/evaluate",
        b'{"accidents":[{"lum":1}],"priority":[1],"reference":%s}' % _list([_FLAT_CROWD] * 500),
        _PREDICTED,
    ),
    "batch of crowds": lambda: HostileRequest(
        "/v1/predict/batch", b'{"accidents":%s}' % _list([_CROWD] * 300), _PREDICTED
    ),
    "lines of crowds": lambda: HostileRequest("/v1/predict/batch", (_CROWD + b"\n") * 500, _PREDICTED, lines=True),
    "lines of unknown fields": lambda: HostileRequest(
        "/v1/predict/batch", (_UNKNOWN + b"\n") * 10_000, _PREDICTED, lines=True
    ),
    "lines of ten megabytes": lambda: HostileRequest(
        "/v1/predict/batch", b"\n".join([_repeat(b"[]"), _keys(1_000_000), _repeat(b'{"":1}')]), _PREDICTED, lines=True
    ),
    "one line without an end": lambda: HostileRequest("/v1/predict/batch", b"[" * 50_000_000, _PREDICTED, lines=True),
}
"""Requests by name; made when they are needed."""

LARGEST: Mapping[str, Callable[[], HostileRequest]] = {
    "evaluation of 10,000": lambda: HostileRequest(
        "/v1/evaluate",
        _dumps({"accidents": synthetic_accidents(1000) * 10, "priority": [0, 1] * 5000}),
        _PREDICTED,
    ),
    "evaluation of 10,000 against as many": lambda: HostileRequest(
        "/v1/evaluate",
        _dumps(
            {
                "accidents": [{"lum": 1, "dep": "33", "catv": 7}] * 10_000,
                "priority": [0, 1] * 5000,
                "reference": [{"lum": 5, "dep": "75", "catv": 33}] * 10_000,
            }
        ),
        _PREDICTED,
    ),
    "batch of 1,000": lambda: HostileRequest(
        "/v1/predict/batch", _dumps({"accidents": synthetic_accidents(1000)}), _PREDICTED
    ),
    "explanation of 1,000 vehicles": lambda: HostileRequest("/v1/explain", _dumps(_large_accident()), _PREDICTED),
    "reasons of 1,000 vehicles": lambda: HostileRequest(
        "/v1/predict?reasons=20", _dumps(_large_accident()), _PREDICTED
    ),
    "questions of 1,000 vehicles": lambda: HostileRequest("/v1/predict?ask=20", _dumps(_large_accident()), _PREDICTED),
    "batch of ten megabytes": lambda: HostileRequest(
        "/v1/predict/batch", _repeat(_dumps(_large_accident()), b'{"accidents":[', b"]}"), _PREDICTED
    ),
    "20,000 lines": lambda: HostileRequest(
        "/v1/predict/batch",
        b"".join(_dumps(content) + b"\n" for content in synthetic_accidents(1000)) * 20,
        _PREDICTED,
        lines=True,
    ),
}
"""The largest valid requests of each endpoint."""
