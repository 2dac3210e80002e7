"""The adapter below `/api/v1/`: its shapes, errors, authentication, prediction log, and that it is off by default."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from accidents.requests.flat import FLAT_FIELDS
from serving.auth.roles import Role
from serving.records.tables import predictions
from serving.schemas import responses
from tests.serving.in_process import ACCIDENT, EXAMPLES, ApiClient, in_process_service
from tests.serving.service_process import save_small_model

FEATURES: dict[str, Any] = EXAMPLES["classic_flat"]
ORIGIN = "https://example.org"
PREDICT, BATCH = "/api/v1/predict/", "/api/v1/predict/batch"


@pytest.fixture(scope="module")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    """A service with the classic interface that pages of one other origin may call."""
    folder = tmp_path_factory.mktemp("classic")
    options: dict[str, Any] = {"classic_interface": True, "cors_origins": [ORIGIN], "request": {"batch": 3}}
    with in_process_service(folder, save_small_model(folder), **options) as client:
        yield client


@pytest.mark.parametrize("path", [PREDICT, PREDICT.rstrip("/")])
def test_one_accident(classic: ApiClient, path: str) -> None:
    response = classic.post(path, {"features": FEATURES}, allow_redirects=False)
    assert response.status_code == 200
    expected = classic.post("/v1/predict", FEATURES).json()
    assert response.json() == {
        "prediction": expected["prediction"],
        "probability": expected["probability"],
        "model_type": expected["model"]["type"],
    }
    responses.ClassicPrediction.model_validate(response.json())


@pytest.mark.parametrize("path", [BATCH, f"{BATCH}/", PREDICT])
def test_several_accidents(classic: ApiClient, path: str) -> None:
    other = FEATURES | {"catv": 33, "catr": 1, "vma": 130}
    content = classic.post(path, {"features_list": [FEATURES, other]}).json()
    responses.ClassicPredictions.model_validate(content)
    assert list(content) == ["predictions", "probabilities", "count", "model_type"]
    single = [classic.post(PREDICT, {"features": one}).json() for one in (FEATURES, other)]
    assert content["predictions"] == [one["prediction"] for one in single]
    assert content["probabilities"] == pytest.approx([one["probability"] for one in single], abs=1e-12)
    assert (content["count"], content["model_type"]) == (2, "lightgbm")


def test_predictions_are_logged(classic: ApiClient) -> None:
    response = classic.post(BATCH, {"features_list": [FEATURES, FEATURES]})
    classic.state.prediction_log.flush(10)
    with classic.state.engine.connect() as connection:
        query = select(predictions).where(predictions.c.request_id == response.headers["x-request-id"])
        rows = connection.execute(query).all()
    assert [row.route for row in rows] == [BATCH] * 2
    assert [row.probability for row in rows] == response.json()["probabilities"]


@pytest.mark.parametrize(
    ("content", "location"),
    [
        ({"features": FEATURES | {"catv": 999}}, ["body", "features", "catv"]),
        ({"features": {}}, None),
        ({"features": [FEATURES]}, ["body", "features"]),
        ({"features": FEATURES, "features_list": []}, ["body", "request"]),
        (FEATURES, ["body", "request"]),
        ([], ["body", "request"]),
        ({"features_list": []}, ["body", "features_list"]),
        ({"features_list": [FEATURES] * 4}, ["body", "features_list"]),
        ({"features_list": [FEATURES, 1]}, ["body", "features_list", 1]),
        ({"features_list": [FEATURES, FEATURES | {"wings": 2}]}, ["body", "features_list", 1, "wings"]),
    ],
)
def test_invalid_content_is_refused_as_a_whole(classic: ApiClient, content: Any, location: list[Any] | None) -> None:
    response = classic.post(PREDICT, content)
    assert response.status_code == 422, response.text
    (first, *_) = response.json()["detail"]
    assert {*first} == {"type", "loc", "msg", "input"}
    assert location in (None, first["loc"])
    assert response.json()["error"]["message"]
    assert int(response.headers["content-length"]) == len(response.content)


def test_errors_have_the_classic_detail(classic: ApiClient) -> None:
    refused = classic.post(PREDICT, {"features": FEATURES}, role=None)
    assert (refused.status_code, refused.json()["detail"]) == (401, refused.json()["error"]["message"])
    no_json = classic.request("POST", PREDICT, data=b"{", headers={"Content-Type": "application/json"})
    assert (no_json.status_code, "invalid JSON" in no_json.json()["detail"]) == (400, True)
    assert classic.get("/api/v1/data/jobs").json()["detail"] == "nothing exists at this path"
    assert "detail" not in classic.post("/v1/predict", [], role=None).json()


def test_evaluation_has_the_metrics_of_the_other_route(classic: ApiClient) -> None:
    rows = [FEATURES | {"catv": catv, "grav": label} for catv, label in ((2, 1), (7, 0), (33, 1))]
    content = classic.post("/api/v1/predict/evaluate", {"eval_data": rows}, role=Role.EVALUATE).json()
    responses.ClassicEvaluation.model_validate(content)
    body = {"accidents": [FEATURES | {"catv": catv} for catv in (2, 7, 33)], "priority": [1, 0, 1]}
    expected = classic.post("/v1/evaluate", body, role=Role.EVALUATE).json()["metrics"]
    assert content["metrics"] == {
        name: expected["f1" if name == "f1_score" else name]
        for name in ("accuracy", "precision", "recall", "f1_score", "roc_auc")
    }
    assert classic.post("/api/v1/predict/evaluate", {"eval_data": rows}).status_code == 403
    for wrong in ([FEATURES], [FEATURES | {"grav": 2}], [FEATURES | {"catv": 999, "grav": 1}], [1], [], "rows"):
        response = classic.post("/api/v1/predict/evaluate", {"eval_data": wrong}, role=Role.EVALUATE)
        assert (response.status_code, bool(response.json()["detail"])) == (422, True), wrong


def test_evaluation_with_reference_data_has_the_drift_share(classic: ApiClient) -> None:
    rows = [FEATURES | {"grav": number % 2} for number in range(200)]
    other = [row | {"catv": 33} for row in rows]
    shares = []
    for reference in ({}, {"ref_data": None}, {"ref_data": rows}, {"ref_data": other}):
        response = classic.post("/api/v1/predict/evaluate", {"eval_data": rows} | reference, role=Role.EVALUATE)
        responses.ClassicEvaluation.model_validate(response.json())
        shares.append(response.json()["col_drift_share"])
    assert shares[:3] == [None, None, 0]
    assert 0 < shares[3] < 0.2
    for wrong in ([], [1], "rows", [FEATURES | {"catv": 999}]):
        content = {"eval_data": rows, "ref_data": wrong}
        assert classic.post("/api/v1/predict/evaluate", content, role=Role.EVALUATE).status_code == 422, wrong


def test_health_needs_no_key(classic: ApiClient, api: ApiClient) -> None:
    health = classic.get("/api/v1/predict/health", role=None)
    assert (health.status_code, health.json()["status"], health.json()["service"]) == (200, "healthy", "predict")
    assert api.get("/api/v1/predict/health", role=None).status_code == 404


def test_model_and_caller(classic: ApiClient) -> None:
    info = classic.get("/v1/model").json()
    models = classic.get("/api/v1/predict/models").json()
    assert models == {"loaded_model_type": info["type"], "source": f"{info['name']} {info['version']}"}
    assert classic.get("/api/v1/predict/input-features/").json()["input_features"] == sorted(FLAT_FIELDS)
    for role, shown in ((Role.PREDICT, "user"), (Role.EVALUATE, "user"), (Role.ADMIN, "admin")):
        caller = classic.get("/v1/whoami", role=role).json()
        responses.CallerInfo.model_validate(caller)
        assert (caller["name"], caller["role"]) == (f"test {role}", role)
        assert classic.keys[role].split("_")[1] == caller["id"]
        user = classic.get("/api/v1/auth/me", role=role).json()
        assert user == {
            "id": caller["id"],
            "username": caller["name"],
            "email": None,
            "full_name": None,
            "role": shown,
            "is_active": True,
        }


def test_pages_of_allowed_origins_may_call(classic: ApiClient, api: ApiClient) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = classic.request("OPTIONS", PREDICT, role=None, headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
    refused = classic.post(PREDICT, {"features": FEATURES}, role=None, headers={"Origin": ORIGIN})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)
    for client, origin in ((classic, "https://evil.example"), (api, ORIGIN)):
        response = client.post("/v1/predict", ACCIDENT, headers={"Origin": origin})
        assert (response.status_code, "access-control-allow-origin" in response.headers) == (200, False)
        for path in ("/v1/predict", PREDICT):
            preflight = client.request("OPTIONS", path, role=None, headers=asked | {"Origin": origin})
            assert preflight.status_code in {400, 401}


def test_is_off_by_default(api: ApiClient) -> None:
    response = api.post(PREDICT, {"features": FEATURES})
    assert (response.status_code, "detail" in response.json()) == (404, False)
    assert not any(path.startswith("/api/v1") for path in api.get("/openapi.json").json()["paths"])


def test_openapi_describes_the_paths_once(classic: ApiClient) -> None:
    paths = classic.get("/openapi.json").json()["paths"]
    assert {path for path in paths if path.startswith("/api/v1")} == {
        "/api/v1/predict",
        "/api/v1/predict/batch",
        "/api/v1/predict/evaluate",
        "/api/v1/predict/health",
        "/api/v1/predict/models",
        "/api/v1/predict/input-features",
        "/api/v1/auth/me",
    }
    assert "FlatAccident" in json.dumps(paths["/api/v1/predict"])


def test_origins_are_checked(tmp_path: Path) -> None:
    from accidents.configuration.serving import ServingSettings

    assert ServingSettings(cors_origins=("*",)).cors_origins == ("*",)
    for origins in (("*", ORIGIN), ("example.org",), (f"{ORIGIN}/page",), ("https://*.example.org",)):
        with pytest.raises(ValueError, match="cors_origins"):
            ServingSettings(cors_origins=origins)
