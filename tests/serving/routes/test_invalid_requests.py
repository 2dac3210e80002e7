"""Invalid requests are refused with field, value and allowed values, and the service keeps working."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from accidents.columns import Availability
from accidents.requests.rows import COLUMNS, RequestPart
from serving.auth.roles import Role
from tests.serving.in_process import ACCIDENT, EXAMPLES, NDJSON_HEADERS, ApiClient

VALID = json.dumps(ACCIDENT).encode()
JSON = {"Content-Type": "application/json"}
ROUTES = ("/v1/predict", "/v1/explain", "/v1/predict/batch", "/v1/evaluate", "/v1/feedback")
LONG = "x" * 9_900_000
FLAT = EXAMPLES["classic_flat"]


@pytest.fixture(autouse=True)
def service_still_works(api: ApiClient) -> Iterator[None]:
    """After every test the service answers as before."""
    yield
    assert api.post("/v1/predict", ACCIDENT).status_code == 200


def changed(part: str, **values: Any) -> dict[str, Any]:
    """The example with other values in a part, in the first vehicle or person."""
    content = json.loads(VALID)
    target = content[part] if isinstance(content[part], dict) else content[part][0]
    target.update(values)
    return dict(content)


def post_bytes(api: ApiClient, path: str, body: bytes) -> requests.Response:
    return api.request("POST", path, Role.ADMIN, data=body, headers=JSON)


def problems(response: requests.Response) -> list[dict[str, str]]:
    """The problems of a refusal; each names field, value and what is allowed."""
    assert response.status_code == 422, response.text[:500]
    result: list[dict[str, str]] = response.json()["error"]["problems"]
    assert result
    for one in result:
        assert one["field"]
        assert one["value"]
        assert one["reason"]
        assert len(one["field"]) + len(one["value"]) < 200
    return result


NOT_JSON = {
    "empty": b"",
    "spaces": b" \n",
    "cut": VALID[:-1],
    "two": VALID + VALID,
    "NaN": b'{"accident": {"lat": NaN}}',
    "Infinity": b'{"accident": {"lat": Infinity}}',
    "-Infinity": b"-Infinity",
    "1e400": b'{"accident": {"lat": 1e400}}',
    "huge integer": b'{"accident": {"lum": ' + b"9" * 400 + b"}}",
    "invalid UTF-8": b'{"accident": {"voie": "\xff\xfe"}}',
    "UTF-16": VALID.decode().encode("utf-16"),
    "two byte order marks": b"\xef\xbb\xbf" * 2 + VALID,
    "half a pair": b'{"accident": {"voie": "\\ud800"}}',
    "single quotes": b"{'accident': 1}",
    "comment": b"{} // none",
    "comma": b'{"accident": {},}',
    "deep lists": b"[" * 100_000,
    "deep lists that end": b"[" * 5_000 + b"]" * 5_000,
    "deep objects": b'{"accident":' * 50_000 + b"1" + b"}" * 50_000,
    "null bytes": b"\0" * 1000,
    "control character": b'{"accident": {"voie": "a\nb"}}',
}


@pytest.mark.parametrize("name", NOT_JSON)
@pytest.mark.parametrize("path", ROUTES)
def test_invalid_json_is_refused(api: ApiClient, path: str, name: str) -> None:
    response = post_bytes(api, path, NOT_JSON[name])
    assert (response.status_code, response.json()["error"]["code"]) == (400, "no_json")
    assert len(response.content) < 1000


@pytest.mark.parametrize("path", ROUTES)
def test_a_byte_order_mark_before_the_body_is_ignored(api: ApiClient, path: str) -> None:
    marked, plain = post_bytes(api, path, b"\xef\xbb\xbf" + VALID), post_bytes(api, path, VALID)
    assert marked.status_code == plain.status_code
    assert "no_json" not in marked.text


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "body", [b"null", b"true", b"1", b'"text"', b"[]", b"[1]", b"{}", b"1e300", b"-0", b'{"": {}}']
)
def test_json_of_another_type_is_refused(api: ApiClient, path: str, body: bytes) -> None:
    assert problems(post_bytes(api, path, body))


VALUES: dict[str, tuple[Any, str]] = {
    "unknown code": (9, "9"),
    "unknown text": ("night", "'night'"),
    "fraction": (1.5, "1.5"),
    "truth": (True, "True"),
    "list": ([1], "[1]"),
    "object": ({"code": 1}, "{'code': 1}"),
    "huge": (2**63, str(2**63)),
    "beyond 64 bits": (2.0**70, "1.1805916207174113e+21"),
    "minus": (-2, "-2"),
    "tiny": (5e-324, "5e-324"),
    "long text": (LONG, "'x"),
    "zero byte": ("\0", "'\\x00'"),
    "digits of another script": ("\u0661\u0662", "'\u0661\u0662'"),
    "emoji": ("\U0001f697", "'\U0001f697'"),
    "deep": (json.loads("[" * 900 + "]" * 900), "[["),
}


@pytest.mark.parametrize("name", VALUES)
def test_invalid_value_is_reported_with_allowed_values(api: ApiClient, name: str) -> None:
    value, shown = VALUES[name]
    for content, field in ((changed("accident", lum=value), "accident.lum"), (FLAT | {"lum": value}, "lum")):
        for path in ("/v1/predict", "/v1/explain"):
            (problem,) = problems(api.post(path, content))
            assert problem["field"] == field
            assert problem["value"].startswith(shown) or "too long" in problem["value"]
            assert "1 daylight" in problem["reason"]


UNFIT: tuple[Any, ...] = ([], {}, True, 1e300, -(2**62), "\ufffd" * 501)


@pytest.mark.parametrize("part", RequestPart)
def test_every_column_refuses_invalid_values(api: ApiClient, part: RequestPart) -> None:
    for name, column in COLUMNS[part].items():
        if column.availability is Availability.AFTER:
            continue
        for value in UNFIT:
            reported = problems(api.post("/v1/predict", changed(part, **{name: value})))
            number = "[0]" if part in {RequestPart.VEHICLES, RequestPart.PEOPLE} else ""
            assert f"{part}{number}.{name}" in {one["field"] for one in reported}, (name, value)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"vehicles": [{}]}, "people"),
        ({"people": [{}]}, "vehicles"),
        ({"accident": {}}, "vehicles"),
        (ACCIDENT | {"vehicles": []}, "vehicles"),
        (ACCIDENT | {"people": []}, "people"),
        (ACCIDENT | {"people": {}}, "people"),
        (ACCIDENT | {"vehicles": None}, "vehicles"),
        (ACCIDENT | {"accident": []}, "accident"),
        (ACCIDENT | {"road": "D936"}, "road"),
        (ACCIDENT | {"vehicles": [1]}, "vehicles[0]"),
        (ACCIDENT | {"weather": {}}, "weather"),
        (changed("accident", colour=1), "accident.colour"),
        (FLAT | {"colour": 1}, "colour"),
        (FLAT | {"road": {}}, "vehicles"),
        (changed("accident", jour=31, mois=2), "jour, mois, an"),
        (changed("people", an_nais=2025), "people[0].an_nais"),
        (FLAT | {"year_acc": 1999}, "year_acc"),
        (FLAT | {"nb_vehicules": 1001}, "nb_vehicules"),
        (ACCIDENT | {"vehicles": [{"num_veh": "A01"}] * 2}, "vehicles[1].num_veh"),
        (ACCIDENT | {"vehicles": [{"id_vehicule": 7}] * 2}, "vehicles[1].id_vehicule"),
        (ACCIDENT | {"people": [{"num_veh": "Z99"}]}, "people[0].num_veh"),
        ({"vehicles": [{"num_veh": "A01"}, {"num_veh": "B01"}], "people": [{}]}, "people[0].num_veh"),
    ],
)
def test_missing_and_contradictory_parts_are_reported(api: ApiClient, content: dict[str, Any], field: str) -> None:
    assert field in {one["field"] for one in problems(api.post("/v1/predict", content))}
    (alone,) = api.post("/v1/predict/batch", {"accidents": [content]}).json()["results"]
    assert field in {one["field"] for one in alone["error"]["problems"]}


def test_thousand_vehicles_and_people_are_the_maximum(api: ApiClient) -> None:
    for many, taken in ((1000, True), (1001, False)):
        vehicles = [{"num_veh": f"V{number}" if number < 1000 else "W0", "catv": 7} for number in range(many)]
        people = [{"num_veh": one["num_veh"], "catu": 1} for one in vehicles]
        for path in ("/v1/predict?reasons=3", "/v1/explain"):
            response = api.post(path, ACCIDENT | {"vehicles": vehicles, "people": people})
            if taken:
                assert response.status_code == 200, response.text
                assert 0 <= response.json()["probability"] <= 1
            else:
                assert [one["field"] for one in problems(response)] == ["vehicles", "people"]
                assert "1 to 1,000" in problems(response)[0]["reason"]
        flat = FLAT | {"nb_vehicules": many, "nb_victim": many}
        assert api.post("/v1/predict", flat).status_code == (200 if taken else 422)


@pytest.mark.slow
@pytest.mark.parametrize("size", [100, 100_000])
def test_number_of_reported_problems_is_limited(api: ApiClient, size: int) -> None:
    """The first of them are listed, and how many there are."""
    fields = ",".join(f'"x{number}":1' for number in range(size)).encode()
    for body in (b"{" + fields + b"}", b'{"accident":{' + fields[: 9 * 10**6].rpartition(b",")[0] + b"}}"):
        response = post_bytes(api, "/v1/predict", body)
        assert len(problems(response)) == 50
        assert len(response.content) < 40_000
        assert "the first 50 faults" in response.json()["error"]["message"]
        assert response.json()["error"]["problem_count"] >= size
    in_batch = post_bytes(api, "/v1/predict/batch", b'{"accidents":[{' + fields + b"},{" + fields + b"},{}]}")
    assert len(in_batch.content) < 40_000
    errors = [one["error"] for one in in_batch.json()["results"]]
    assert [(len(one["problems"]), one["problem_count"]) for one in errors] == [(50, size), (0, size), (0, 1)]
    evaluated = post_bytes(api, "/v1/evaluate", b'{"accidents":[{' + fields + b'}, {"lum": 9}],"priority":[1,0]}')
    assert len(problems(evaluated)) == 50
    assert evaluated.json()["error"]["problem_count"] == size + 1
    assert problems(post_bytes(api, "/v1/evaluate", b'{"accidents":[{},{}],"priority":[1,7]}'))


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/explain", "/v1/predict/batch", "/v1/evaluate", "/v1/feedback"])
def test_too_many_values_in_one_object_are_refused(api: ApiClient, path: str) -> None:
    """Before they are parsed, which would take many times their memory."""
    accident = b"{" + ",".join(f'"x{number}":1' for number in range(200_000)).encode() + b"}"
    many = b'{"accidents":[%s],"priority":[1]}' % accident if path in ROUTES[2:4] else accident
    body = many.replace(b',"priority":[1]', b"") if path == "/v1/predict/batch" else many
    response = post_bytes(api, path, body)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    assert "150,000 values" in response.json()["error"]["message"]


def test_warnings_are_limited(api: ApiClient) -> None:
    named = {"lum": 1} | {f"Unnamed: {number}": 1 for number in range(5_000)} | {"Unnamed: " + "x" * 10_000: 1}
    response = api.post("/v1/predict", named)
    assert response.status_code == 200
    assert len(response.json()["warnings"]) == 20
    long = api.post("/v1/predict", {"lum": 1, "Unnamed: " + "x" * 10_000: 1})
    assert len(long.content) < 3_000


def test_outcome_is_ignored_only_as_a_single_value(api: ApiClient) -> None:
    assert api.post("/v1/predict", changed("people", grav=4)).status_code == 200
    (problem,) = problems(api.post("/v1/predict", changed("people", grav=[4])))
    assert problem["field"] == "people[0].grav"


@pytest.mark.slow
def test_long_names_are_truncated_in_errors(api: ApiClient) -> None:
    for content in ({LONG: 1}, {"accident": {LONG: 1}}, {"vehicles": [{LONG: LONG[:9]}], "people": [{}]}):
        for path in ("/v1/predict", "/v1/predict/batch", "/v1/feedback", "/v1/evaluate"):
            response = api.post(path, content, Role.ADMIN)
            assert response.status_code == 422
            assert len(response.content) < 3000


def test_last_of_duplicate_json_fields_counts(api: ApiClient) -> None:
    """As where a request is read from a file."""
    twice = VALID.replace(b'"lum":', b'"lum": 77, "lum":')
    assert twice.count(b'"lum"') == 2
    assert (
        post_bytes(api, "/v1/predict", twice).json()["probability"]
        == api.post("/v1/predict", ACCIDENT).json()["probability"]
    )


def test_empty_accident_is_predicted(api: ApiClient) -> None:
    response = api.post("/v1/predict?reasons=20", {"vehicles": [{}], "people": [{}]})
    assert response.status_code == 200
    assert len(response.json()["missing"]) > 20
    assert response.json() | {"reasons": None} == json.loads(response.text) | {"reasons": None}


def test_unusual_spellings_are_accepted(api: ApiClient) -> None:
    expected = api.post("/v1/predict", ACCIDENT).json()["probability"]
    text = {name: f" {value}" for name, value in ACCIDENT["accident"].items()}
    comma = text | {name: str(ACCIDENT["accident"][name]).replace(".", ",") for name in ("lat", "long")}
    for content in (changed("accident", **text), changed("accident", **comma), changed("road", voie=None, v1="")):
        assert api.post("/v1/predict", content).json()["probability"] == expected


def test_unsupported_content_types_are_refused(api: ApiClient) -> None:
    for path in ROUTES:
        for kind in (
            "text/json",
            "application/xml",
            "application/json5",
            "",
            "x" * 5000,
            NDJSON_HEADERS["Content-Type"],
        ):
            if path == "/v1/predict/batch" and kind == NDJSON_HEADERS["Content-Type"]:
                continue
            response = api.request("POST", path, Role.ADMIN, data=VALID, headers={"Content-Type": kind})
            assert (response.status_code, response.json()["error"]["code"]) == (415, "content_type")
            assert len(response.content) < 400
