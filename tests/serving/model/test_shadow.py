"""The shadow model scores what was answered, never delays or changes an answer, and is compared with the answers."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from accidents.configuration.evaluation import EvaluationSettings
from accidents.features.arrays import concatenate
from accidents.promotion.live_comparison import compare_live
from accidents.requests import parse_batch, parse_request
from serving.model.shadow import Shadow
from serving.records.shadow_answers import read_answer_pairs
from serving.records.tables import predictions, shadow_predictions
from tests.serving.in_process import EXAMPLES, NDJSON_HEADERS, ApiClient, in_process_service, synthetic_accidents
from tests.serving.service_process import save_small_model, small_bundle

pytestmark = [pytest.mark.slow, pytest.mark.traced]

SETTINGS = EvaluationSettings(resamples=200)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("shadow")
    model, shadow = save_small_model(folder), save_small_model(folder, "xgboost")
    with in_process_service(folder, model, shadow=shadow, classic_interface=True) as client:
        yield client


def shadow_rows(api: ApiClient, ids: set[str]) -> dict[str, Any]:
    """Rows of the shadow model by prediction, once they and the predictions, written by another thread, are there."""
    query = select(shadow_predictions).where(shadow_predictions.c.prediction_id == predictions.c.id)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with api.state.engine.connect() as connection:
            rows = connection.execute(query).all()
        found = {row.prediction_id: row for row in rows if row.prediction_id in ids}
        if found.keys() == ids:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{len(ids)} answers are not written")


def test_every_route_is_scored_with_the_derived_facts(api: ApiClient) -> None:
    accidents = [json.loads(json.dumps(content)) for content in synthetic_accidents()[:12]]
    for content in accidents:
        content["accident"].pop("lum", None)
    answers = [api.post("/v1/predict", accidents[0]).json(), api.post("/v1/explain", accidents[1]).json()]
    answers += api.post("/v1/predict/batch", {"accidents": accidents[2:6]}).json()["results"]
    lines = "\n".join(map(json.dumps, accidents[6:]))
    answer = api.request("POST", "/v1/predict/batch", data=lines.encode(), headers=NDJSON_HEADERS)
    answers += map(json.loads, answer.text.splitlines())
    rows = shadow_rows(api, {one["prediction_id"] for one in answers})
    expected = [float(small_bundle("xgboost").predict(parse_request(one, derive=True).arrays)[0]) for one in accidents]
    assert [rows[one["prediction_id"]].probability for one in answers] == pytest.approx(expected, abs=1e-9)
    metrics = api.metrics()
    assert metrics['accidents_shadow_answers_total{state="written"}'] >= 12
    assert sum(value for name, value in metrics.items() if name.startswith("accidents_shadow_difference_count")) >= 12
    assert any(name.startswith("accidents_shadow_model_info") and 'type="xgboost"' in name for name in metrics)


def test_answers_are_those_of_the_model(api: ApiClient) -> None:
    content = synthetic_accidents()[20]
    answer = api.post("/v1/predict", content).json()
    assert answer["model"]["type"] == "lightgbm"
    expected = float(small_bundle("lightgbm").predict(parse_request(content, derive=True).arrays)[0])
    assert answer["probability"] == pytest.approx(expected, abs=1e-12)


def test_full_queue_and_failing_model_cost_no_answer(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = api.state.shadow
    assert shadow is not None
    hold = threading.Event()
    score = shadow._score

    def slow(*arguments: Any) -> None:
        hold.wait(30)
        raise ValueError("corrupt")

    monkeypatch.setattr(shadow, "_score", slow)
    monkeypatch.setattr(shadow, "_capacity", 5)
    before = api.metrics()
    statuses = [api.post("/v1/predict", content).status_code for content in synthetic_accidents()[:30]]
    assert statuses == [200] * 30
    dropped = 'accidents_shadow_answers_total{state="dropped"}'
    assert api.metrics()[dropped] - before.get(dropped, 0) >= 20
    hold.set()
    end = time.monotonic() + 20
    while not api.metrics().get('accidents_shadow_answers_total{state="failed"}') and time.monotonic() < end:
        time.sleep(0.05)
    assert api.metrics()['accidents_shadow_answers_total{state="failed"}'] >= 1
    monkeypatch.setattr(shadow, "_score", score)
    monkeypatch.setattr(shadow, "_capacity", 2000)
    answer = api.post("/v1/predict", synthetic_accidents()[0]).json()
    assert shadow_rows(api, {answer["prediction_id"]})


def test_what_the_classic_interface_refuses_is_not_scored(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[int] = []
    monkeypatch.setattr(api.state.shadow, "add", lambda records, _: added.append(len(records)))
    flat = EXAMPLES["classic_flat"]
    for rows, status in (([flat, flat | {"catv": 999}], 422), ([flat, flat], 200)):
        assert api.post("/api/v1/predict/batch", {"features_list": rows}).status_code == status
    assert added == [2]


def test_pairs_with_outcomes(api: ApiClient) -> None:
    answers = [api.post("/v1/predict", content).json() for content in synthetic_accidents()[40:46]]
    answers.sort(key=lambda one: one["prediction_id"])  # those of one millisecond are in any order
    shadow_rows(api, {one["prediction_id"] for one in answers})
    assert api.post("/v1/feedback", {"prediction_id": answers[0]["prediction_id"], "priority": 1}).ok
    pairs = list(read_answer_pairs(api.state.engine))
    last = pairs[-6:]
    assert [pair.outcome for pair in last] == [1, None, None, None, None, None]
    assert [pair.probabilities[0] for pair in last] == [one["probability"] for one in answers]
    assert {(pair.answering.split()[0], pair.shadow.split()[0]) for pair in last} == {
        ("lightgbm_model", "xgboost_model")
    }


def test_a_shadow_that_does_not_load_is_no_reason_to_stop(tmp_path: Path) -> None:
    model, shadow = save_small_model(tmp_path), save_small_model(tmp_path, "xgboost")
    whole = shadow.read_bytes()
    with in_process_service(tmp_path, model, shadow=shadow) as api:
        assert api.post("/v1/predict", synthetic_accidents()[0]).ok
        assert isinstance(api.state.shadow, Shadow)
        shadow.write_bytes(whole[: len(whole) // 2])
        assert api.post("/v1/predict", synthetic_accidents()[0]).ok


def test_concatenated_arrays_are_those_of_the_batch() -> None:
    contents = synthetic_accidents()[:7]
    whole = parse_batch(contents).arrays
    joined = concatenate(
        [parse_request(contents[0]).arrays, parse_batch(contents[1:5]).arrays, parse_batch(contents[5:]).arrays]
    )
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(getattr(joined, name), values, err_msg=name)


def answered(size: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    truth = rng.beta(1, 2, size)
    return rng, truth, (rng.random(size) < truth).astype(float)


def test_live_comparison_finds_the_better_model() -> None:
    rng, truth, outcomes = answered(3000)
    noisy = np.clip(truth + rng.normal(0, 0.2, len(truth)), 0, 1)
    thresholds = np.full(len(truth), 0.4), np.full(len(truth), 0.4)
    better = compare_live(noisy, truth, thresholds, outcomes, SETTINGS)
    assert better.better == "shadow"
    assert "shadow model was better" in better.conclusion()
    assert compare_live(truth, noisy, thresholds, outcomes, SETTINGS).better == "answer"
    same = compare_live(truth, truth, thresholds, outcomes, SETTINGS)
    assert (same.better, same.agreement, same.shift) == ("neither", 1.0, 0.0)
    interval = better.agreement_interval
    assert interval is not None
    assert interval[0] < better.agreement < interval[1] < 1
    assert better.only_shadow + better.only_answer == pytest.approx(1 - better.agreement)


def test_live_comparison_needs_outcomes() -> None:
    rng, truth, outcomes = answered(400)
    outcomes[30:] = np.nan
    thresholds = np.full(len(truth), 0.4), np.full(len(truth), 0.5)
    few = compare_live(truth, np.clip(truth + 0.1, 0, 1), thresholds, outcomes, SETTINGS)
    assert (few.better, few.outcomes) == ("unknown", 30)
    assert few.shift == pytest.approx(0.1, abs=0.02)
    none = compare_live(truth, truth, thresholds, np.full(len(truth), np.nan), SETTINGS)
    assert (none.outcomes, none.differences, none.better) == (0, {}, "unknown")
    del rng
