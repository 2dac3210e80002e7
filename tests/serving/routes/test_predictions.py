"""Predictions, explanations, batches, evaluation and feedback."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.monitoring import MonitoringSettings, SeasonSettings
from accidents.evaluation.evaluate import evaluate
from accidents.evaluation.metrics import METRICS
from accidents.inference.prediction import predict_accident
from accidents.monitoring.columns import monitored_columns
from accidents.monitoring.counts import bin_accidents
from accidents.monitoring.drift import compare_inputs
from accidents.monitoring.reference import count_reference
from accidents.requests import parse_batch, parse_request
from serving.auth.roles import Role
from serving.records.prediction_record import new_prediction_id
from serving.records.tables import feedback, predictions
from serving.schemas import responses
from tests.serving.in_process import ACCIDENT, EXAMPLES, ApiClient, synthetic_accidents

INVALID: dict[str, Any] = ACCIDENT | {"accident": ACCIDENT["accident"] | {"lum": 9}}


@pytest.mark.parametrize("name", EXAMPLES)
def test_prediction_has_all_fields(api: ApiClient, name: str) -> None:
    """Nested and flat examples."""
    bundle = api.state.require_model().bundle
    expected = predict_accident(bundle, parse_request(EXAMPLES[name]), reasons=0)
    response = api.post("/v1/predict", EXAMPLES[name])
    assert response.status_code == 200
    responses.PredictionResponse.model_validate_json(response.content, strict=False)
    result = response.json()
    assert result["probability"] == expected.probability
    assert result["prediction"] == int(result["probability"] >= result["threshold"])
    assert result["interpretation"] == ("Non-Priority", "Priority")[result["prediction"]]
    assert (result["missing"], result["warnings"]) == (list(expected.missing), list(expected.warnings))
    assert result["model"] == api.get("/ready", None).json()["model"]
    assert result["model"]["type"] == bundle.model_type
    assert (result["level"], result["threshold"]) == (bundle.level, bundle.threshold)
    assert not {"reasons", "unit"} & result.keys()


def test_contradictory_place_gives_a_warning(api: ApiClient) -> None:
    place = {"dep": "75", "com": "77317", "lat": 43.3, "long": 5.4}
    result = api.post("/v1/predict", ACCIDENT | {"accident": ACCIDENT["accident"] | place}).json()
    assert len(result["warnings"]) == 2
    assert "commune 77317 is not in department 75" in result["warnings"]
    assert "coordinates 43.3, 5.4 are outside department 75" in result["warnings"]


def test_columns_known_after_the_outcome_are_ignored_with_a_warning(api: ApiClient) -> None:
    people = [person | {"grav": 2} for person in ACCIDENT["people"]]
    result = api.post("/v1/predict", ACCIDENT | {"people": people}).json()
    assert result["warnings"] == ["grav is the outcome and was ignored"]
    assert result["probability"] == api.post("/v1/predict", ACCIDENT).json()["probability"]


@pytest.mark.parametrize("count", [1, 3, 20])
def test_top_reasons_on_request(api: ApiClient, count: int) -> None:
    expected = predict_accident(api.state.require_model().bundle, parse_request(ACCIDENT), reasons=count)
    result = api.post(f"/v1/predict?reasons={count}", ACCIDENT).json()
    assert result["unit"] == expected.unit == "log-odds"
    assert [(one["topic"], one["text"]) for one in result["reasons"]] == [
        (one.topic, one.text) for one in expected.reasons
    ]
    sizes = [abs(one["contribution"]) for one in result["reasons"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == min(count, len(expected.reasons))


@pytest.mark.parametrize("name", ["reasons", "ask"])
@pytest.mark.parametrize("count", ["21", "-1", "many", "1.5", "", "9" * 400])
def test_invalid_number_of_reasons_or_questions_is_refused(api: ApiClient, name: str, count: str) -> None:
    response = api.post(f"/v1/predict?{name}={count}", ACCIDENT)
    assert response.status_code == 422
    (problem,) = response.json()["error"]["problems"]
    assert problem["field"] == f"query.{name}"
    assert problem["value"].strip("'…") == count[:60].strip("'")[: len(problem["value"].strip("'…"))]
    assert problem["reason"]


@pytest.mark.parametrize("accident", [{"vehicles": [{"catv": 7}], "people": [{"catu": 1}]}, {"dep": "59", "catv": 7}])
def test_questions_on_request(api: ApiClient, accident: dict[str, Any]) -> None:
    plain = api.post("/v1/predict", accident).json()
    assert "ask" not in plain
    response = api.post("/v1/predict?ask=3", accident)
    responses.PredictionResponse.model_validate_json(response.content, strict=False)
    result = response.json()
    expected = predict_accident(api.state.require_model().bundle, parse_request(accident), reasons=0, ask=3)
    assert expected.questions
    assert result["ask"] == [{"field": one.field, "text": one.text, "gain": one.gain} for one in expected.questions]
    assert len(result["ask"]) == 3
    assert result["probability"] == plain["probability"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_explanation_adds_up_to_the_raw_score(api: ApiClient, name: str) -> None:
    result = api.post("/v1/explain", EXAMPLES[name]).json()
    responses.ExplanationResponse.model_validate(result)
    total = result["base_value"] + sum(one["contribution"] for one in result["reasons"])
    assert total == pytest.approx(result["raw_score"], abs=1e-6)
    calibrated = api.state.require_model().bundle.calibration(np.array([result["raw_score"]]))
    assert calibrated[0] == pytest.approx(result["probability"], abs=1e-6)
    assert len({one["topic"] for one in result["reasons"]}) == len(result["reasons"]) > 5
    assert result["probability"] == api.post("/v1/predict", EXAMPLES[name]).json()["probability"]


def test_old_names_of_explanations_are_returned_and_deprecated(api: ApiClient) -> None:
    result = api.post("/v1/explain", ACCIDENT).json()
    assert (result["average"], result["said"]) == (result["base_value"], result["raw_score"])
    fields = api.get("/openapi.json", None).json()["components"]["schemas"]["ExplanationResponse"]["properties"]
    assert {name for name, field in fields.items() if field.get("deprecated")} == {"average", "said"}


def test_batch_has_a_prediction_or_an_error_for_each_accident(api: ApiClient) -> None:
    contents: list[Any] = [ACCIDENT, INVALID, EXAMPLES["classic_flat"], None, {}, EXAMPLES["low_risk"], "text"]
    response = api.post("/v1/predict/batch", {"accidents": contents})
    assert response.status_code == 200
    responses.Predictions.model_validate(response.json())
    results = response.json()["results"]
    assert [place for place, one in enumerate(results) if "error" not in one] == [0, 2, 5]
    for content, result in zip(contents, results, strict=True):
        alone = api.post("/v1/predict", content)
        if alone.status_code == 200:
            assert _without_id(result) == _without_id(alone.json())
        else:
            assert result["error"] == alone.json()["error"]
    ids = [one["prediction_id"] for one in results if "error" not in one]
    assert len(set(ids)) == 3


def test_batch_of_invalid_accidents_has_only_errors(api: ApiClient) -> None:
    response = api.post("/v1/predict/batch", {"accidents": [INVALID] * 20})
    assert response.status_code == 200
    assert {one["error"]["problems"][0]["field"] for one in response.json()["results"]} == {"accident.lum"}


@pytest.mark.parametrize(
    ("content", "field", "value"),
    [
        ({"accidents": [ACCIDENT] * 1001}, "accidents", "'a list of 1,001'"),
        ({"accidents": []}, "accidents", "[]"),
        ({"accidents": {}}, "accidents", "{}"),
        ({}, "accidents", "None"),
        ([1], "accidents", "[1]"),
        ({"accidents": [ACCIDENT], "colour": 3}, "colour", "3"),
    ],
)
def test_invalid_batch_is_refused(api: ApiClient, content: Any, field: str, value: str) -> None:
    response = api.post("/v1/predict/batch", content)
    assert response.status_code == 422
    (problem,) = response.json()["error"]["problems"]
    assert (problem["field"], problem["value"]) == (field, value)
    assert "1,000" in problem["reason"] or "accidents" in problem["reason"]


def test_evaluation_equals_the_domain_and_logs_nothing(api: ApiClient) -> None:
    some = synthetic_accidents(200)
    labels = [number % 3 == 0 for number in range(len(some))]
    assert api.state.prediction_log.flush(30)
    before = api.state.prediction_log.counts()
    response = api.post("/v1/evaluate", {"accidents": some, "priority": [int(one) for one in labels]}, Role.EVALUATE)
    assert response.status_code == 200
    evaluation = responses.EvaluationResponse.model_validate(response.json())
    bundle = api.state.require_model().bundle
    probabilities = np.array([predict_accident(bundle, parse_request(one), reasons=0).probability for one in some])
    expected = evaluate(
        np.array(labels, np.int8),
        probabilities,
        bundle.threshold,
        groups=None,
        settings=EvaluationSettings(resamples=200),
    )
    assert evaluation.metrics == {name: getattr(expected, name) for name in METRICS}
    assert evaluation.intervals == {name: expected.intervals[name] for name in METRICS}
    assert evaluation.confusion == expected.confusion.model_dump()
    assert (evaluation.n, evaluation.threshold, evaluation.confidence) == (200, bundle.threshold, 0.95)
    assert api.state.prediction_log.counts() == before


def test_drift_share_is_that_of_monitoring(api: ApiClient) -> None:
    accidents, level = synthetic_accidents(600), api.state.require_model().bundle.level
    half, other = accidents[::2], accidents[1::2]
    spoilt = [one | {"vehicles": [row | {"catv": 60} for row in one["vehicles"]]} for one in half]
    columns = monitored_columns(level)
    days = np.full(300, -1)
    none = np.full(300, np.nan)
    reference = count_reference(parse_batch(other, derive=True).arrays, none, none, level, days)
    settings = MonitoringSettings(season=SeasonSettings(accidents_of_month_at_least=1))
    shares = []
    for content in (half, spoilt):
        body = {"accidents": content, "priority": [0, 1] * 150, "reference": other}
        shares.append(api.post("/v1/evaluate", body, Role.EVALUATE).json()["drift_share"])
        counts = bin_accidents(parse_batch(content, derive=True).arrays, columns, None).count()
        names = [column.name for column in columns]
        assert shares[-1] == compare_inputs(counts, names, reference, settings).drift_share
        assert api.metrics()['accidents_evaluation_metric{metric="drift_share"}'] == shares[-1]
    assert shares == [0, 1 / len(columns)]
    body = {"accidents": half, "priority": [0, 1] * 150, "reference": None}
    assert api.post("/v1/evaluate", body, Role.EVALUATE).json()["drift_share"] is None
    assert np.isnan(api.metrics()['accidents_evaluation_metric{metric="drift_share"}'])


def test_undefined_metrics_are_null(api: ApiClient) -> None:
    for count, label in ((1, 0), (1, 1), (30, 0), (30, 1)):
        content = {"accidents": synthetic_accidents(count), "priority": [label] * count}
        response = api.post("/v1/evaluate", content, Role.EVALUATE)
        assert response.status_code == 200
        assert responses.EvaluationResponse.model_validate(response.json()).metrics["roc_auc"] is None


@pytest.mark.parametrize(
    ("accidents", "labels", "field"),
    [
        ([ACCIDENT], [1, 0], "priority"),
        ([ACCIDENT], [2], "priority[0]"),
        ([ACCIDENT], [True], "priority[0]"),
        ([ACCIDENT], [None], "priority[0]"),
        ([ACCIDENT] * 3, [0, 1, "1"], "priority[2]"),
        ([ACCIDENT], [], "priority"),
        ([ACCIDENT, INVALID], [0, 1], "accidents[1].accident.lum"),
    ],
)
def test_invalid_evaluation_is_refused(api: ApiClient, accidents: list[Any], labels: list[Any], field: str) -> None:
    response = api.post("/v1/evaluate", {"accidents": accidents, "priority": labels}, Role.EVALUATE)
    assert response.status_code == 422
    assert [one["field"] for one in response.json()["error"]["problems"]] == [field]


@pytest.mark.parametrize(
    ("reference", "field"),
    [
        ([], "reference"),
        ("x", "reference"),
        ([ACCIDENT, INVALID], "reference[1].accident.lum"),
        ([5], "reference[0].request"),
    ],
)
def test_invalid_reference_is_refused(api: ApiClient, reference: Any, field: str) -> None:
    body = {"accidents": [ACCIDENT], "priority": [1], "reference": reference}
    response = api.post("/v1/evaluate", body, Role.EVALUATE)
    assert response.status_code == 422
    assert [one["field"] for one in response.json()["error"]["problems"]] == [field]


def test_feedback_is_stored_by_prediction_id(api: ApiClient) -> None:
    """Directly after the prediction, and again: the later outcome counts."""
    batch = api.post("/v1/predict/batch", {"accidents": [ACCIDENT, INVALID]}).json()["results"]
    for result in (api.post("/v1/predict", ACCIDENT).json(), api.post("/v1/explain", ACCIDENT).json(), batch[0]):
        identifier = result["prediction_id"]
        for outcome, replaced in ((1, False), (0, True)):
            response = api.post("/v1/feedback", {"prediction_id": identifier, "priority": outcome})
            assert response.status_code == 200
            assert response.json() == {"prediction_id": identifier, "priority": outcome, "replaced": replaced}
        with api.state.engine.connect() as connection:
            rows = connection.execute(select(feedback.c.outcome).where(feedback.c.prediction_id == identifier)).all()
        assert [row.outcome for row in rows] == [1, 0]


@pytest.mark.parametrize("identifier", ["new", "x", "", "\x00", "é" * 64, "01a21028-5e4e-741b-94d3-382f055979d0"])
def test_feedback_without_prediction_is_refused(api: ApiClient, identifier: str) -> None:
    content = {"prediction_id": new_prediction_id() if identifier == "new" else identifier, "priority": 1}
    response = api.post("/v1/feedback", content)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "no_prediction")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"prediction_id": new_prediction_id(), "priority": 2}, "priority"),
        ({"prediction_id": new_prediction_id(), "priority": "1"}, "priority"),
        ({"prediction_id": new_prediction_id(), "priority": True}, "priority"),
        ({"prediction_id": new_prediction_id()}, "priority"),
        ({"prediction_id": 7, "priority": 1}, "prediction_id"),
        ({"prediction_id": "x" * 65, "priority": 1}, "prediction_id"),
        ({"prediction_id": new_prediction_id(), "priority": 1, "why": ""}, "why"),
        ([], "request"),
    ],
)
def test_invalid_outcome_is_refused(api: ApiClient, content: Any, field: str) -> None:
    response = api.post("/v1/feedback", content)
    assert response.status_code == 422
    assert [one["field"] for one in response.json()["error"]["problems"]] == [field]


def test_every_prediction_is_logged(api: ApiClient) -> None:
    result = api.post("/v1/predict", ACCIDENT, headers={"X-Request-ID": "for-the-log"}).json()
    assert api.state.prediction_log.flush(10)
    with api.state.engine.connect() as connection:
        row = connection.execute(select(predictions).where(predictions.c.id == result["prediction_id"])).one()
    assert (row.request_id, row.route, row.probability) == ("for-the-log", "/v1/predict", result["probability"])
    assert (row.model, row.version, row.type) == tuple(result["model"].values())
    assert row.caller == api.keys[Role.PREDICT].split("_")[1]
    assert row.missing == len(result["missing"])


def _without_id(result: dict[str, Any]) -> dict[str, Any]:
    """Fields that are the same in another response for the same accident."""
    return {name: value for name, value in result.items() if name != "prediction_id"}
