"""A newer model is loaded completely, or the present one stays."""

import hashlib
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from accidents.bundle import Bundle
from accidents.bundle.archive import write_archive
from accidents.errors import ModelError
from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request
from serving.auth.roles import Role
from serving.model.model_loader import LoadedModel
from serving.model.pointer import ModelPointer
from serving.process.supervisor import model_file_resolver
from tests.serving.in_process import ACCIDENT, ApiClient, in_process_service
from tests.serving.load_generator import LoadGenerator, Result, expected_probability, wait_until
from tests.serving.service_process import (
    create_admin_key,
    save_small_model,
    service_url,
    small_bundle,
    start_service,
)

TYPES = ("lightgbm", "xgboost", "logistic_regression")


def unsound(fault: str) -> Bundle:
    """A model of valid form that answers with NaN, or fails when it predicts."""
    bundle = bundle_of("logistic_regression")
    model: Any = bundle.model
    if fault == "nan":
        return replace(bundle, model=replace(model, weights=np.full_like(model.weights, np.nan)))
    return replace(bundle, model=replace(model, design=replace(model.design, coded=model.design.coded + 10_000)))


def put(model: Path, bundle: Bundle) -> tuple[str, float]:
    """Put a model into a file, as `save` does at once; returns its version and what it says of the example."""
    bundle.save(model)
    return model_file_resolver(model)().version, expected_probability(model)


def bundle_of(name: str) -> Bundle:
    return small_bundle(name)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_single_row_prediction_is_warmed_up_before_the_first_request(tmp_path: Path, name: str) -> None:
    """Also where the accidents that were stored with the model are asked for all at once."""
    model = save_small_model(tmp_path, name)
    response = predict_accident(bundle_of(name), parse_request(ACCIDENT), reasons=0).probability
    stored = tmp_path / "stored.json"
    stored.write_text(json.dumps([{"accident": json.dumps(ACCIDENT), "probability": response}] * 50))
    served = LoadedModel.load(replace(model_file_resolver(model)(), expected_predictions=str(stored)))
    assert "_trees" in vars(served.bundle.model)


def broken(fault: str) -> bytes:
    """The content of a bundle file that cannot be served."""
    good = bundle_of("xgboost").to_bytes()
    return {
        "no bundle": b"nothing",
        "cut": good[:-100],
        "damaged": good[:-100] + bytes(100),
        "empty": b"",
        "other format": write_archive({"format_version": 94, "sections": {}}, {}),
        "other features": replace(bundle_of("xgboost"), columns=("colour",)).to_bytes({"colour": "0" * 64}),
    }.get(fault) or unsound(fault).to_bytes()


def test_replaced_model_file_is_loaded_on_reload(tmp_path: Path) -> None:
    model = save_small_model(tmp_path)
    with in_process_service(tmp_path, model) as api:
        before = api.get("/v1/model").json()
        unchanged = api.post("/v1/admin/reload", {}, Role.ADMIN).json()
        assert unchanged["changed"] is False
        for name in TYPES[1:]:
            version, expected = put(model, bundle_of(name))
            result = api.post("/v1/admin/reload", {}, Role.ADMIN).json()
            assert result == {"model": {"name": model.stem, "version": version, "type": name}, "changed": True}
            prediction = api.post("/v1/predict", ACCIDENT).json()
            assert (prediction["model"], prediction["probability"]) == (result["model"], expected)
        put(model, bundle_of("lightgbm"))
        assert api.post("/v1/admin/reload", {}, Role.ADMIN).json()["changed"] is True
        assert api.get("/v1/model").json() == before


@pytest.mark.parametrize(
    "fault", ["no bundle", "cut", "damaged", "empty", "other format", "other features", "nan", "raises"]
)
def test_model_that_does_not_predict_is_rejected(api: ApiClient, fault: str) -> None:
    """Also where it fails in a way that nobody has foreseen."""
    pointer, good = ModelPointer.read(api.pointer_file), Path(api.state.require_model().pointer.file)
    prediction = api.post("/v1/predict", ACCIDENT).json()
    failures = api.metrics().get("accidents_model_reload_failures_total", 0)
    assert api.metrics()["accidents_model_reload_failed"] == 0
    bad = good.with_name("bad.zip")
    bad.write_bytes(broken(fault))
    replace(pointer, file=str(bad), version="bad", digest="").write(api.pointer_file)
    assert api.state.model_loader.check()
    assert api.metrics()["accidents_model_reload_failed"] == 1
    assert api.metrics()["accidents_model_reload_failures_total"] == failures + 1
    again = api.post("/v1/predict", ACCIDENT).json()
    assert (again["model"], again["probability"]) == (prediction["model"], prediction["probability"])
    assert api.get("/ready", None).status_code == 200
    pointer.write(api.pointer_file)
    assert api.state.model_loader.check() == ""
    assert api.metrics()["accidents_model_reload_failed"] == 0


@pytest.mark.slow
def test_reload_works_after_a_rejected_model(tmp_path: Path) -> None:
    with in_process_service(tmp_path, save_small_model(tmp_path)) as api:
        pointer, bad = ModelPointer.read(api.pointer_file), tmp_path / "bad.zip"
        for fault in ("damaged", "raises"):
            bad.write_bytes(broken(fault))
            replace(pointer, file=str(bad), version=fault, digest="").write(api.pointer_file)
            wait_until(lambda: api.metrics()["accidents_model_reload_failed"] == 1)
            pointer.write(api.pointer_file)
            wait_until(lambda: api.metrics()["accidents_model_reload_failed"] == 0)


def test_failing_reload_is_reported_every_time(tmp_path: Path) -> None:
    """Also where the watch for newer models was quicker to find out."""
    model = save_small_model(tmp_path)
    with in_process_service(tmp_path, model) as api:
        unsound("raises").save(model)
        for _ in range(3):
            response = api.post("/v1/admin/reload", {}, Role.ADMIN)
            assert (response.status_code, response.json()["error"]["code"]) == (503, "not_taken")
        put(model, bundle_of("xgboost"))
        assert api.post("/v1/admin/reload", {}, Role.ADMIN).json()["model"]["type"] == "xgboost"
        assert api.metrics()["accidents_model_reload_failed"] == 0


def test_expected_predictions_must_match(tmp_path: Path) -> None:
    model = save_small_model(tmp_path)
    stored = tmp_path / "stored.json"
    rows: list[dict[str, Any]] = [{"accident": json.dumps(ACCIDENT), "probability": expected_probability(model)}]
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    pointer = ModelPointer(str(model), "name", "7", digest, str(stored))
    stored.write_text(json.dumps(rows))
    assert LoadedModel.load(pointer).info == {"name": "name", "version": "7", "type": "lightgbm"}
    for change in (2e-9, -0.1, float("nan")):
        stored.write_text(json.dumps([rows[0] | {"probability": rows[0]["probability"] + change}]))
        with pytest.raises(ModelError, match="1 of 1 stored accidents"):
            LoadedModel.load(pointer)
    for text in ("", "{}", "[1]", '[{"accident": "{", "probability": 1}]', '[{"probability": 1}]'):
        stored.write_text(text)
        with pytest.raises(ModelError, match="stored"):
            LoadedModel.load(pointer)


def test_file_replaced_during_the_check_is_refused(tmp_path: Path) -> None:
    model = save_small_model(tmp_path)
    pointer = model_file_resolver(model)()
    assert pointer.digest == hashlib.sha256(model.read_bytes()).hexdigest()
    put(model, bundle_of("xgboost"))
    with pytest.raises(ModelError, match="it was replaced"):
        LoadedModel.load(pointer)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=pytest.mark.long)])
def test_reload_under_load_fails_no_request(tmp_path: Path, rounds: int) -> None:
    """Two workers, four callers, and a file that is replaced again and again, by signal and by request in turn."""
    model = save_small_model(tmp_path)
    key = {"X-API-Key": create_admin_key(tmp_path)}
    expected = {model_file_resolver(model)().version: ("lightgbm", expected_probability(model))}
    chosen = ("--model-path", str(model))
    with (
        start_service(tmp_path, *chosen, workers=2, poll_seconds=600) as service,
        LoadGenerator(service.url, key) as load,
    ):
        for number, name in enumerate([*TYPES[1:], TYPES[0]] * rounds):
            version, probability = put(model, bundle_of(name))
            expected[version] = (name, probability)
            if number % 2:
                os.kill(service.process.pid, signal.SIGHUP)
            else:
                requests.post(f"{service.url}/v1/admin/reload", headers=key, timeout=60).raise_for_status()
            load.wait_for_version(version)
            load.wait_for_responses()
    assert load.errors == []
    assert len(expected) == len(TYPES)
    assert {*load.results} == {
        Result(model.stem, version, name, probability) for version, (name, probability) in expected.items()
    }


@pytest.mark.long
def test_rejected_model_under_load_leaves_the_present_one(tmp_path: Path) -> None:
    model = save_small_model(tmp_path)
    with (
        service_url(tmp_path, model, "--anonymous", poll_seconds=0.2, open_metrics=True) as url,
        LoadGenerator(url) as load,
    ):

        def failed() -> bool:
            return "\naccidents_model_reload_failed 1.0" in requests.get(f"{url}/metrics", timeout=10).text

        for fault in ("cut", "raises", "other features"):
            load.wait_for_responses()
            model.write_bytes(broken(fault))
            wait_until(failed)
            load.wait_for_responses()
        version, _ = put(model, bundle_of("xgboost"))
        load.wait_for_version(version)
        wait_until(lambda: not failed())
    assert load.errors == []
    assert {result.type for result in load.results} == {"lightgbm", "xgboost"}
