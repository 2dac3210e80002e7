"""Model, inputs, health, OpenAPI schema, and headers that every response has."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from accidents.columns import TABLES, Availability, ColumnKind
from accidents.requests import parse_request
from accidents.requests.flat import FLAT_FIELDS
from accidents.requests.rows import COLUMNS, RequestPart
from serving.application import create_app
from serving.auth.roles import Role
from serving.observability.metrics import CONTENT_TYPE
from serving.schemas import responses
from tests.serving.in_process import ACCIDENT, EXAMPLES, ApiClient, run_server, settings_for

GET = ["/", "/docs", "/openapi.json", "/health", "/ready", "/metrics", "/v1/model", "/v1/input-features", "/v1/whoami"]
GIVEN = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def test_model_details(api: ApiClient) -> None:
    bundle = api.state.require_model().bundle
    response = api.get("/v1/model")
    responses.ModelDetails.model_validate(response.json())
    content = response.json()
    assert content["name"] == "lightgbm_model"
    assert content["version"].startswith(bundle.trained_at[:19])
    for name in ("level", "geography", "trained_at", "threshold", "rule", "metrics"):
        assert content[name] == getattr(bundle, name), name
    assert content["features"] == list(bundle.columns)
    assert content["trained_on"] == {
        "fingerprint": bundle.fingerprint,
        "months": [*bundle.months],
        "accidents": bundle.rows,
        "split": bundle.split,
    }
    assert content["trained_on"]["months"][0] == "2024-01"
    assert set(content["signature"]) == {"inputs", "outputs"}


def test_input_features_equal_the_column_specification(api: ApiClient) -> None:
    content = api.get("/v1/input-features").json()
    responses.InputFeatures.model_validate(content)
    assert content["flat"] == sorted(FLAT_FIELDS)
    assert list(content["parts"]) == list(RequestPart)
    for part in RequestPart:
        expected = {
            column.name: column
            for column in TABLES[next(iter(COLUMNS[part].values())).table].values()
            if column.availability is not Availability.AFTER
            and column.last_year is None
            and (column.name != "Num_Acc" or part is RequestPart.ACCIDENT)
        }
        listed = {one["name"]: one for one in content["parts"][part]}
        assert list(listed) == list(expected)
        for name, column in expected.items():
            one = listed[name]
            letters = {code: letter for letter, code in column.letter_codes.items()}
            assert one["codes"] == {str(letters.get(code, code)): words for code, words in column.codes.items()}
            assert (one["meaning"], one["known"]) == (column.meaning, column.availability.label)
            assert (one["minimum"], one["maximum"], one["unit"]) == (column.minimum, column.maximum, column.unit)
            assert one["kind"] == ("key" if column.kind is ColumnKind.ID else column.kind.name.lower())


def test_used_inputs_are_those_reported_as_missing(api: ApiClient) -> None:
    """Besides `secu2`, which is seldom there to be recorded, and what the level of the model leaves out."""
    parts = api.get("/v1/input-features").json()["parts"]
    used = {f"{part}.{one['name']}" for part, listed in parts.items() for one in listed if one["used"]}
    missing = set(parse_request({"vehicles": [{}], "people": [{"catu": 3}]}).missing) - {"people.catu"}
    availability = {
        f"{part}.{name}": column.availability for part in RequestPart for name, column in COLUMNS[part].items()
    }
    assert {name for name in missing if availability[name] <= Availability.CALL} <= used | {"people.secu2"}
    assert "accident.lum" in used
    assert "people.secu1" not in used


def test_health_and_readiness(api: ApiClient) -> None:
    assert api.get("/health", None).json() == {"status": "alive"}
    ready = api.get("/ready", None)
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert api.get("/metrics").headers["content-type"] == CONTENT_TYPE


def test_without_a_model_the_service_is_alive_and_not_ready(tmp_path: Path) -> None:
    application = create_app(settings_for(tmp_path, anonymous=True), tmp_path / "model.json")
    with run_server(application) as url:
        assert requests.get(f"{url}/health", timeout=10).status_code == 200
        assert requests.get(f"{url}/docs", timeout=10).status_code == 200
        for answer in (
            requests.get(f"{url}/ready", timeout=10),
            requests.get(f"{url}/v1/model", timeout=10),
            requests.post(f"{url}/v1/predict", json=ACCIDENT, timeout=10),
            requests.post(f"{url}/v1/predict/batch", json={"accidents": [ACCIDENT]}, timeout=10),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_model")
            assert answer.headers["retry-after"] == "1"


def test_every_response_has_a_request_id(api: ApiClient) -> None:
    given = [api.get("/health", None, headers={"X-Request-ID": text}) for text in ("a-1_b.C", "x" * 64)]
    assert [answer.headers["x-request-id"] for answer in given] == ["a-1_b.C", "x" * 64]
    unusual = ("x" * 65, "", "a b", 'a"b', "<script>", "é", "a\tb", "../x")
    new = [
        api.get("/health", None, headers={"X-Request-ID": text.encode("latin-1")}).headers["x-request-id"]
        for text in unusual
    ]
    assert all(re.fullmatch(r"[0-9a-f]{32}", text) for text in new)
    assert len(set(new)) == len(unusual)
    for path in ("/nothing", "/v1/predict", "/health"):
        answer = api.post(path, {}, headers={"X-Request-ID": "mine"})
        assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine"


@pytest.mark.parametrize("path", [*GET, "/page/style.css", "/swagger/swagger-ui.css", "/nothing"])
def test_head_equals_get_without_body(api: ApiClient, path: str) -> None:
    changing = {"date", "x-request-id", "content-length" if path in {"/metrics", "/nothing"} else ""}
    get, head = api.get(path), api.request("HEAD", path)
    assert head.status_code == get.status_code == (404 if path == "/nothing" else 200)
    assert head.content == b""
    assert {name: value for name, value in head.headers.items() if name.lower() not in changing} == {
        name: value for name, value in get.headers.items() if name.lower() not in changing
    }
    assert api.get("/health", None).status_code == 200


def test_every_response_has_security_headers(api: ApiClient) -> None:
    all_responses = [
        *(api.get(path) for path in [*GET, "/nothing", "/page/none", "/page/style.css", "/favicon.ico"]),
        api.get("/v1/model", None),
        api.request("PUT", "/v1/predict"),
        api.post("/v1/predict", ACCIDENT),
        api.post("/v1/predict", {}),
        api.post("/v1/evaluate", {}),
        api.post("/v1/predict", {}, headers={"Content-Type": "text/plain"}),
        api.get("/health", None, headers={"Host": "elsewhere.example"}),
    ]
    assert {answer.status_code for answer in all_responses} >= {200, 400, 401, 403, 404, 405, 415, 422}
    for answer in all_responses:
        assert answer.headers.items() >= GIVEN.items(), answer.url
        assert "default-src" in answer.headers["content-security-policy"]
        assert "cache-control" in answer.headers
        assert not {"server", "access-control-allow-origin", "set-cookie"} & {name.lower() for name in answer.headers}
        assert answer.raw.headers.getlist("x-request-id") == [answer.headers["x-request-id"]]


class _Loaded(HTMLParser):
    """Addresses that a page loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [str(given[name]) for name in ("src", "href") if name in given and tag != "a"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_other_hosts(api: ApiClient, path: str) -> None:
    page = api.get(path, None)
    loaded = _Loaded(page.text).found
    assert len(loaded) > 1
    for address in loaded:
        assert urlsplit(address).netloc == urlsplit(address).scheme == "", address
        assert api.get(urljoin(path, address), None).status_code == 200, address
    policy = page.headers["content-security-policy"]
    assert not re.search(r"https?:|\*|unsafe-eval|script-src[^;]*unsafe", policy)
    assert "openapi.json" in page.text or path == "/"


def test_openapi_schema_has_every_endpoint_with_role_and_columns(api: ApiClient) -> None:
    schema = api.get("/openapi.json", None).json()
    roles = {
        f"{method} {path}": operation.get("x-role")
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }
    assert roles == {
        "post /v1/predict": Role.PREDICT,
        "post /v1/predict/batch": Role.PREDICT,
        "post /v1/explain": Role.PREDICT,
        "post /v1/geocode": Role.PREDICT,
        "post /v1/feedback": Role.PREDICT,
        "get /v1/model": Role.PREDICT,
        "get /v1/input-features": Role.PREDICT,
        "get /v1/whoami": Role.PREDICT,
        "post /v1/evaluate": Role.EVALUATE,
        "post /v1/admin/reload": Role.ADMIN,
        "get /metrics": Role.PREDICT,
        "get /health": None,
        "get /ready": None,
    }
    schemas = schema["components"]["schemas"]
    for part, name in (("accident", "AccidentFacts"), ("road", "Road"), ("vehicles", "Vehicle"), ("people", "Person")):
        listed = {one["name"] for one in api.get("/v1/input-features").json()["parts"][part]}
        assert set(schemas[name]["properties"]) == listed
    light = schemas["AccidentFacts"]["properties"]["lum"]
    assert "1 daylight" in light["description"]
    body = schema["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert {name: one["value"] for name, one in body["examples"].items()} == EXAMPLES
