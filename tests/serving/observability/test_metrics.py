"""Prometheus metrics, compared with the requests that were sent."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from serving.application import create_app
from serving.auth.roles import Role
from serving.observability.metrics import STEPS
from serving.process.supervisor import model_file_resolver
from tests.serving.in_process import (
    ACCIDENT,
    EXAMPLES,
    NDJSON_HEADERS,
    ApiClient,
    in_process_service,
    parse_metrics,
    run_server,
    settings_for,
)
from tests.serving.load_generator import wait_until
from tests.serving.service_process import save_small_model
from tests.trained import small_models

WRONG: dict[str, Any] = ACCIDENT | {"accident": {"lum": 9}}


@contextmanager
def growth(api: ApiClient) -> Iterator[dict[str, float]]:
    """What has grown in the block, by how much; filled in at its end."""
    before, values = api.metrics(), dict[str, float]()
    yield values
    after = api.metrics()
    values |= {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}


def requests_in(figures: dict[str, float]) -> dict[tuple[str, str, str], float]:
    """Requests by route, method and status, but for those to /metrics."""
    values = {}
    for family in text_string_to_metric_families("".join(f"{name} {value}\n" for name, value in figures.items())):
        for sample in family.samples:
            if sample.name == "accidents_requests_total" and sample.labels["route"] != "/metrics":
                labels = sample.labels
                values[labels["route"], labels["method"], labels["status"]] = sample.value
    return values


def test_metrics_have_the_text_format_of_prometheus(api: ApiClient) -> None:
    api.post("/v1/predict", ACCIDENT)
    families = {family.name: family for family in text_string_to_metric_families(api.get("/metrics").text)}
    assert all(family.documentation for family in families.values())
    assert {f"accidents_{name}" for name in ("requests", "request_seconds", "step_seconds", "model_info")} <= set(
        families
    )
    (drift,) = families["accidents_drift_share"].samples
    assert drift.value != drift.value  # not a number until it is measured


def test_requests_are_counted_by_route_method_and_status(api: ApiClient) -> None:
    """Also those that never reach their route."""
    with growth(api) as values:
        for _ in range(3):
            api.post("/v1/predict", ACCIDENT)
        api.post("/v1/predict?reasons=3", WRONG)
        api.post("/v1/predict", ACCIDENT, None)
        api.post("/v1/evaluate", {})
        api.request("POST", "/v1/predict", data=b"{", headers={"Content-Type": "application/json"})
        api.request("POST", "/v1/predict", data=b"{}", headers={"Content-Type": "text/plain"})
        api.request("POST", "/v1/predict", data=b" " * 10_000_001, headers={"Content-Type": "application/json"})
        api.get("/v1/predict")
        api.request("PROPFIND", "/v1/model")
        api.request("HEAD", "/v1/model")
        api.get("/v1/model", headers={"Host": "evil.example"})
        for number in range(20):
            api.get(f"/made/up/{number}")
            api.get(f"/made/up/{number}", None)
        api.get("/page/style.css", None)
        api.get("/page/made-up", None)
        api.get("/docs", None)
        api.request("POST", "/v1/predict/batch", data=b"", headers=NDJSON_HEADERS)
    assert requests_in(values) == {
        ("/v1/predict", "POST", "200"): 3,
        ("/v1/predict", "POST", "422"): 1,
        ("/v1/predict", "POST", "401"): 1,
        ("/v1/predict", "POST", "400"): 1,
        ("/v1/predict", "POST", "415"): 1,
        ("/v1/predict", "POST", "413"): 1,
        ("/v1/predict", "GET", "405"): 1,
        ("/v1/evaluate", "POST", "403"): 1,
        ("/v1/model", "OTHER", "405"): 1,
        ("/v1/model", "HEAD", "200"): 1,
        ("/v1/model", "GET", "400"): 1,
        ("(none)", "GET", "404"): 20,
        ("(none)", "GET", "401"): 20,
        ("/page/", "GET", "200"): 1,
        ("/page/", "GET", "404"): 1,
        ("/docs", "GET", "200"): 1,
        ("/v1/predict/batch", "POST", "200"): 1,
    }
    assert values['accidents_request_seconds_count{route="/v1/predict"}'] == 9
    assert values['accidents_refused_total{reason="key_missing"}'] == 21


def test_disconnected_client_is_counted_as_499(api: ApiClient) -> None:
    host, _, port = api.url.removeprefix("http://").partition(":")
    with growth(api) as values:
        with socket.create_connection((host, int(port))) as connection:
            key = api.keys[Role.PREDICT]
            head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Length: 9\r\n"
            connection.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        name = 'accidents_requests_total{method="POST",route="/v1/predict",status="499"}'
        wait_until(lambda: name in api.metrics())
    assert values[name] == 1


def test_exception_is_counted_as_500(tmp_path: Path) -> None:
    pointer = tmp_path / "model.json"
    model_file_resolver(save_small_model(tmp_path))().write(pointer)
    application = create_app(settings_for(tmp_path, anonymous=True), pointer)

    async def fault() -> None:
        raise RuntimeError

    application.get("/fault", openapi_extra={"x-role": "predict"})(fault)
    with run_server(application) as url:
        assert requests.get(f"{url}/fault", timeout=10).status_code == 500
        values = parse_metrics(requests.get(f"{url}/metrics", timeout=10).text)
    assert values['accidents_requests_total{method="GET",route="/fault",status="500"}'] == 1


def test_predictions_steps_and_missing_inputs_are_counted(api: ApiClient) -> None:
    some = [*EXAMPLES.values(), {"vehicles": [{}], "people": [{}]}]
    with growth(api) as values:
        predictions = [api.post("/v1/predict", content).json() for content in some]
        predictions += api.post("/v1/predict/batch", {"accidents": [*some, WRONG, None]}).json()["results"][:-2]
        predictions.append(api.post("/v1/explain", ACCIDENT).json())
        api.post("/v1/predict", WRONG)
    for number in (0, 1):
        expected = sum(one["prediction"] == number for one in predictions)
        assert values.get(f'accidents_predictions_total{{prediction="{number}"}}', 0) == expected
    assert values["accidents_probability_count"] == len(predictions)
    assert values["accidents_probability_sum"] == pytest.approx(sum(one["probability"] for one in predictions))
    for bound in (0.1, 0.5, 0.9):
        below = sum(one["probability"] <= bound for one in predictions)
        assert values.get(f'accidents_probability_bucket{{le="{bound}"}}', 0) == below
    for step in STEPS:
        assert values[f'accidents_step_seconds_count{{step="{step}"}}'] == len(some) + 2
        assert values[f'accidents_step_seconds_sum{{step="{step}"}}'] > 0
    for field in {name for one in predictions for name in one["missing"]}:
        absent = sum(field in one["missing"] for one in predictions)
        assert values[f'accidents_missing_inputs_total{{field="{field}"}}'] == absent
    assert values["accidents_invalid_accidents_total"] == 3
    wait_until(lambda: api.metrics()['accidents_log_entries{state="waiting"}'] == 0)
    assert api.metrics()['accidents_log_entries{state="written"}'] >= len(predictions)


def test_evaluation_sets_its_metrics(api: ApiClient) -> None:
    labelled = {"accidents": [*EXAMPLES.values()], "priority": [1, 0, 1]}
    evaluation = api.post("/v1/evaluate", labelled, Role.EVALUATE).json()
    values = api.metrics()
    for name, value in evaluation["metrics"].items():
        assert values[f'accidents_evaluation_metric{{metric="{name}"}}'] == pytest.approx(value, nan_ok=True)


def test_model_info_follows_a_reload(tmp_path: Path) -> None:
    model = save_small_model(tmp_path)
    with in_process_service(tmp_path, model) as api:
        before = model_labels(api)
        assert before == {(model.stem, model_file_resolver(model)().version, "lightgbm", "call"): 1}
        loaded = api.metrics()["accidents_model_loaded_timestamp_seconds"]
        checked = api.metrics()["accidents_model_checked_timestamp_seconds"]
        assert api.post("/v1/admin/reload", {}, Role.ADMIN).json()["changed"] is False
        assert api.metrics()["accidents_model_checked_timestamp_seconds"] > checked
        assert api.metrics()["accidents_model_loaded_timestamp_seconds"] == loaded
        bundle = small_models()["xgboost"].trained.bundle
        bundle.save(model)
        assert api.post("/v1/admin/reload", {}, Role.ADMIN).status_code == 200
        values = api.metrics()
        assert model_labels(api) == {
            **dict.fromkeys(before, 0),
            (model.stem, model_file_resolver(model)().version, "xgboost", "call"): 1,
        }
        assert values["accidents_model_loaded_timestamp_seconds"] > loaded
        assert values["accidents_model_checked_timestamp_seconds"] > loaded
        for name, value in bundle.metrics["test"].items():
            assert values[f'accidents_model_metric{{metric="{name}"}}'] == value


def model_labels(api: ApiClient) -> dict[tuple[str, str, str, str], float]:
    """Models by name, version, type and level: 1 for the one that answers."""
    families = text_string_to_metric_families(api.get("/metrics").text)
    return {
        (labels["name"], labels["version"], labels["type"], labels["level"]): sample.value
        for family in families
        for sample in family.samples
        for labels in [sample.labels]
        if sample.name == "accidents_model_info"
    }


def test_full_log_drops_records_and_still_answers(tmp_path: Path) -> None:
    records = {"queue": 3, "flush_seconds": 60}
    with in_process_service(tmp_path, save_small_model(tmp_path), records=records) as api:
        assert {api.post("/v1/predict", ACCIDENT).status_code for _ in range(10)} == {200}
        values = api.metrics()
        assert values['accidents_log_entries{state="waiting"}'] == 3
        assert values['accidents_log_entries{state="dropped"}'] == 7
        assert api.state.prediction_log.flush(10)
        assert api.metrics()['accidents_log_entries{state="written"}'] == 3
