"""Address and weather from services: what they are asked, how answers are read, and what a failure does."""

import time
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from accidents.configuration.serving import LookupSettings
from accidents.requests.derived_facts import LookupFailedError
from serving.lookups.services import RequestLookups
from serving.lookups.services import Services as LookupServices
from tests.serving.in_process import ACCIDENT, ApiClient, in_process_service
from tests.serving.lookups.services import PLACES, Handler, Services, running_services
from tests.serving.service_process import save_small_model

pytestmark = [pytest.mark.slow, pytest.mark.traced]

NOON = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
ADDRESS = "8 bd du port"
SILENT_SECONDS = 2


@pytest.fixture(scope="module")
def running() -> Iterator[Services]:
    with running_services() as services:
        yield services


@pytest.fixture
def services(running: Services) -> Services:
    running.reset()
    running.places = deepcopy(PLACES["features"])  # type: ignore[arg-type]
    running.places[0]["properties"]["score"] = 0.9
    return running


def lookups(services: Services, **changes: Any) -> RequestLookups:
    return LookupServices(LookupSettings.model_validate(services.settings(**changes))).for_request()


def test_an_address_becomes_coordinates_and_commune(services: Services) -> None:
    place = lookups(services).place(ADDRESS, "80021")
    assert place
    assert (place.latitude, place.longitude, place.commune) == (49.897443, 2.290084, "80021")
    ((path, parameters, headers),) = services.requests
    assert (path, parameters) == ("/search/", {"q": ADDRESS, "limit": "5", "citycode": "80021"})
    assert "Authorization" not in headers


def test_no_proxy_sees_what_is_not_encrypted(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert lookups(services).place(ADDRESS, None)


@pytest.mark.parametrize("commune", ["80021", None])
def test_a_doubtful_or_unknown_address_is_not_taken(services: Services, commune: str | None) -> None:
    services.places = PLACES["features"]  # type: ignore[assignment]  # of score .49
    with pytest.raises(LookupFailedError, match="knows no such address"):
        lookups(services).place(ADDRESS, commune)
    with pytest.raises(LookupFailedError, match="knows no such address"):
        lookups(services).place(ADDRESS, "59350")


@pytest.mark.parametrize(
    ("codes", "wind", "atm"),
    [
        ((0, 1), 10, 1),
        ((2, 3), 50, 8),
        ((45, 48), 10, 5),
        ((51, 53, 56, 57, 61, 63), 10, 2),
        ((65, 66, 67, 80, 81, 82), 10, 3),
        ((71, 73, 75, 77, 85, 86), 10, 4),
        ((55, 95, 96, 99), 10, 9),
        ((0, 61, 95), 50.1, 6),
        ((0, 61), None, None),
    ],
)
def test_codes_of_the_wmo_become_codes_of_baac(
    services: Services, codes: tuple[int, ...], wind: float | None, atm: int | None
) -> None:
    for code in codes:
        services.weather_codes = [None] * 24
        services.weather_codes[12], services.winds = code, [wind] * 24
        expected = {0: 1, 61: 2}[code] if atm is None else atm
        assert lookups(services).weather(50.63, 3.06, NOON) == expected
    services.weather_codes = [None] * 24
    assert lookups(services).weather(50.63, 3.06, NOON) == (6 if (wind or 0) > 50 else None)


def test_weather_is_asked_for_the_hour_in_utc_and_roughly_for_the_place(services: Services) -> None:
    summer = datetime.fromisoformat("2024-06-02T00:30:00+02:00")
    services.weather_codes[22] = 61
    assert lookups(services).weather(50.63659, 3.06351, summer) == 2
    yesterday = datetime.now(UTC) - timedelta(days=1)
    lookups(services).weather(50.63, 3.06, yesterday)
    assert [path for path, _, _ in services.requests] == ["/archive", "/forecast"]
    asked = services.requests[0][1]
    assert (asked["latitude"], asked["longitude"], asked["start_date"]) == ("50.64", "3.06", "2024-06-01")
    assert lookups(services, weather_archive=None).weather(50.63, 3.06, NOON) is None


def test_answers_are_cached_and_failures_are_not(services: Services) -> None:
    shared = LookupServices(LookupSettings.model_validate(services.settings()))
    services.answer = lambda handler: handler.send_json(503, {})
    with pytest.raises(LookupFailedError, match="status 503"):
        shared.for_request().place(ADDRESS, None)
    services.answer = None
    for hour in (12, 13):
        assert shared.for_request().place(ADDRESS, None)
        assert shared.for_request().weather(50.63, 3.06, NOON.replace(hour=hour)) == 1
    assert [path for path, _, _ in services.requests] == ["/search/", "/search/", "/archive"]


def test_a_refused_question_does_not_pause_the_service(services: Services) -> None:
    shared = LookupServices(LookupSettings.model_validate(services.settings(pause_seconds=60)))
    with pytest.raises(LookupFailedError, match="refused with status 400"):
        shared.for_request().place("?", None)
    assert shared.for_request().place(ADDRESS, None)


def redirect(handler: Handler) -> None:
    handler.send_json(302, {}, Location="/search/?q=elsewhere")


def endless(handler: Handler) -> None:
    handler.send_json(200, b" " * 600_000)


def no_json(handler: Handler) -> None:
    handler.send_json(200, b"<html>")


def deep(handler: Handler) -> None:
    handler.send_json(200, b"[" * 100_000)


def other_json(handler: Handler) -> None:
    handler.send_json(200, {"hourly": {"time": ["x"], "weather_code": [True], "wind_speed_10m": [1]}})


def silent(handler: Handler) -> None:
    time.sleep(SILENT_SECONDS)


def dripping(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    with suppress(OSError):
        for _ in range(30):
            handler.wfile.write(b" ")
            time.sleep(0.05)


def closed(handler: Handler) -> None:
    handler.connection.close()


FAULTS = [redirect, endless, no_json, deep, other_json, silent, dripping, closed]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_that_fails_costs_no_more_than_the_timeout(services: Services, fault: Any) -> None:
    services.answer = fault
    start = time.monotonic()
    failing = lookups(services, timeout_seconds=0.3, pause_seconds=60)
    with pytest.raises(LookupFailedError, match="the geocoder failed"):
        failing.place(ADDRESS, None)
    with pytest.raises(LookupFailedError, match="the weather service"):
        failing.weather(50.63, 3.06, NOON)
    assert time.monotonic() - start < SILENT_SECONDS
    with pytest.raises(LookupFailedError, match="is asked again in"):
        failing.place(ADDRESS, None)
    assert len(services.requests) <= 2


def test_a_slow_geocoder_does_not_pause_the_weather_service(services: Services) -> None:
    services.answer = silent
    configured = LookupServices(LookupSettings.model_validate(services.settings(timeout_seconds=0.3, pause_seconds=60)))
    slow = configured.for_request()
    with pytest.raises(LookupFailedError, match="the geocoder failed"):
        slow.place(ADDRESS, None)
    with pytest.raises(LookupFailedError, match="other services left the weather service"):
        slow.weather(50.63, 3.06, NOON)
    services.answer = None
    next_request = configured.for_request()
    with pytest.raises(LookupFailedError, match="the geocoder has failed and is asked again in"):
        next_request.place(ADDRESS, None)
    assert next_request.weather(50.63, 3.06, NOON) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/search/",
        "http://127.0.0.1.example.org/",
        "ftp://127.0.0.1/",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org/?q=",
        "file:///etc/passwd",
    ],
)
def test_a_place_goes_out_encrypted_or_not_at_all(url: str) -> None:
    for name in ("geocoder", "weather", "weather_archive"):
        with pytest.raises(ValidationError, match="has to be https"):
            LookupSettings.model_validate({name: url})
    assert not LookupSettings().configured


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, running: Services) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("lookups")
    with in_process_service(folder, save_small_model(folder), lookups=running.settings()) as found:
        yield found


def without(*names: str) -> dict[str, Any]:
    accident = {name: value for name, value in ACCIDENT["accident"].items() if name not in names}
    return deepcopy(ACCIDENT) | {"accident": accident}


def test_answers_have_derived_facts_and_warnings(services: Services, client: ApiClient) -> None:
    content = without("lat", "long", "com", "dep", "lum", "atm")
    content["accident"]["adr"] = ADDRESS
    answer = client.post("/v1/predict", content).json()
    facts = {fact["field"].removeprefix("accident."): fact["value"] for fact in answer["derived"]}
    assert facts.keys() == {"lat", "long", "com", "dep", "lum", "atm"}
    assert facts["dep"] == "80"
    whole = deepcopy(content)
    whole["accident"] |= facts
    del whole["accident"]["adr"]
    given = client.post("/v1/predict", whole).json()
    assert (given["derived"], given["probability"]) == ([], answer["probability"])
    plain = client.post("/v1/predict?derive=false", content).json()
    assert plain["derived"] == []
    assert {"accident.lum", "accident.lat", "accident.dep"} <= {*plain["missing"]}
    services.answer = lambda handler: handler.send_json(500, {})
    content["accident"]["adr"] = "another address"
    for path in ("/v1/predict", "/v1/explain"):
        failed = client.post(path, content)
        assert failed.status_code == 200
        assert any("no coordinates from the address: the geocoder failed" in text for text in failed.json()["warnings"])


def test_an_unfinished_lookup_holds_no_answer_up(
    services: Services, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.answer = silent
    hasty = LookupServices(LookupSettings.model_validate(services.settings(timeout_seconds=0.5)))
    monkeypatch.setattr(client.state, "services", hasty)
    start = time.monotonic()
    answer = client.post("/v1/predict", without("atm"))
    assert answer.status_code == 200
    assert time.monotonic() - start < SILENT_SECONDS
    assert "no answer within 0.5 s" in str(answer.json()["warnings"])


def test_batches_derive_and_ask_no_service(services: Services, client: ApiClient) -> None:
    content = without("dep", "lum", "atm")
    (answer,) = client.post("/v1/predict/batch", {"accidents": [content]}).json()["results"]
    assert {fact["field"] for fact in answer["derived"]} == {"accident.dep", "accident.lum"}
    (plain,) = client.post("/v1/predict/batch?derive=false", {"accidents": [content]}).json()["results"]
    assert plain["derived"] == []
    assert services.requests == []


def test_places_of_an_address_for_the_page(services: Services, client: ApiClient, api: ApiClient) -> None:
    assert client.get("/v1/input-features").json()["lookups"] == {"address": True, "weather": True}
    (place,) = client.post("/v1/geocode", {"address": ADDRESS}).json()["places"]
    assert (place["department"], place["commune"], place["latitude"]) == ("80", "80021", 49.897443)
    assert client.post("/v1/geocode", {"address": "x"}).status_code == 422
    assert client.post("/v1/geocode", {"address": ADDRESS}, role=None).status_code == 401
    services.answer = lambda handler: handler.send_json(500, {})
    failed = client.post("/v1/geocode", {"address": "elsewhere"})
    assert (failed.status_code, failed.json()["error"]["code"]) == (503, "lookup_failed")
    assert api.get("/v1/input-features").json()["lookups"] == {"address": False, "weather": False}
    assert api.post("/v1/geocode", {"address": ADDRESS}).json()["error"]["code"] == "no_geocoder"
