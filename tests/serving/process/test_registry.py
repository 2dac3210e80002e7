"""Promotions and rollbacks in an MLflow registry reach a running service; an unreachable registry does no harm."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import requests

from accidents.bundle import Bundle
from accidents.configuration.stages import PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from accidents.inference.json_scoring import NESTED_COLUMN
from accidents.inference.prediction import predict_accident
from accidents.inference.smoke_test import sample_accidents
from accidents.requests import parse_request
from tests.serving.in_process import ACCIDENT
from tests.serving.load_generator import LoadGenerator, Result, wait_until
from tests.serving.service_process import ServiceProcess, create_admin_key, start_service
from tests.tracking.helpers import NAME, transition_to
from tests.trained import small_models, small_year
from tracking import zenml_sync
from tracking.connection import Connection, connect
from tracking.mlflow_model import log_model
from tracking.registry import RegisteredVersion, Registry
from tracking.stages import rollback
from tracking.tracking_uri import embedded_target

pytestmark = pytest.mark.slow
SHIFTS = (0.0, 0.5)


def bundle_of(shift: float) -> Bundle:
    """The same model with probabilities moved up or down, and so another one."""
    bundle = small_models()["lightgbm"].trained.bundle
    return replace(bundle, calibration=replace(bundle.calibration, intercept=bundle.calibration.intercept + shift))


def stored_of(bundle: Bundle, shift: float = 0) -> pd.DataFrame:
    """Accidents that a model has to answer as it did; with `shift` it does not."""
    year, _ = small_year()
    drawn = sample_accidents(small_models()["lightgbm"].trained.predictions, year, 10)
    probabilities = [
        predict_accident(bundle, parse_request(json.loads(text)), reasons=0).probability + shift
        for text in drawn[NESTED_COLUMN]
    ]
    return drawn.assign(probability=probabilities)


def register(connection: Connection, bundle: Bundle, stored: pd.DataFrame) -> RegisteredVersion:
    """Register a model, with accidents that it has to answer as it did."""
    import mlflow

    if NAME not in {model.name for model in connection.client.search_registered_models()}:
        connection.client.create_registered_model(NAME)
    with mlflow.start_run(experiment_id=connection.experiment_id):
        uri, digests = log_model(bundle, stored)
    tags = {"stage": "None", "f1": "0.7", **digests}
    made = connection.client.create_model_version(NAME, source=uri, model_id=uri.rpartition("/")[2], tags=tags)
    zenml_sync.add_version(NAME, str(made.version), uri)
    return Registry(connection).version(NAME, str(made.version))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def connection(folder: Path) -> Iterator[Connection]:
    """Two versions of one model, the first in Production, and a third that does not answer as it did."""
    settings = TrackingSettings(folder=folder / "mlruns")
    with connect(settings, embedded_target(settings)) as connection:
        zenml_sync.delete_model(NAME)
        versions = [register(connection, bundle_of(shift), stored_of(bundle_of(shift))) for shift in SHIFTS]
        register(connection, bundle_of(0.2), stored_of(bundle_of(0.2), shift=0.01))
        transition_to(Registry(connection), versions[0], PRODUCTION)
        yield connection


@pytest.fixture(scope="module")
def key(folder: Path) -> dict[str, str]:
    return {"X-API-Key": create_admin_key(folder)}


@pytest.fixture(scope="module")
def service(folder: Path, connection: Connection, key: dict[str, str]) -> Iterator[ServiceProcess]:
    """The Production model of the registry, which is looked at when it is asked for, and seldom else."""
    for name, text in (("tracking", f"folder: {folder}/mlruns"), ("training", f"models_folder: {folder}/models")):
        (folder / f"{name}.yaml").write_text(f"pipeline: {name}\n{text}\n")
    configured = [word for name in ("tracking", "training") for word in ("--config", str(folder / f"{name}.yaml"))]
    with pytest.MonkeyPatch.context() as changed:
        changed.delenv("MLFLOW_TRACKING_URI", raising=False)
        with start_service(folder, *configured, "--model-name", "lightgbm", poll_seconds=600) as process:
            yield process


def reload(service: ServiceProcess, key: dict[str, str]) -> requests.Response:
    return requests.post(f"{service.url}/v1/admin/reload", headers=key, timeout=60)


def figure(service: ServiceProcess, key: dict[str, str], name: str) -> float:
    text = requests.get(f"{service.url}/metrics", headers=key, timeout=30).text
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[-1])


@pytest.mark.long
def test_promotion_and_rollback_reach_the_service_without_failed_or_mixed_requests(
    service: ServiceProcess, connection: Connection, key: dict[str, str]
) -> None:
    registry = Registry(connection)
    expected = {
        Result(
            NAME,
            str(number),
            "lightgbm",
            predict_accident(bundle_of(shift), parse_request(ACCIDENT), reasons=0).probability,
        )
        for number, shift in enumerate(SHIFTS, start=1)
    }
    with LoadGenerator(service.url, key) as load:
        load.wait_for_version("1")
        for change, way in (("2", "request"), ("rollback", "signal")):
            if change == "rollback":
                version = rollback(registry, NAME).version
            else:
                version = change
                transition_to(registry, registry.version(NAME, change), PRODUCTION)
            before = load.results.total()
            if way == "request":
                result = reload(service, key).json()
                assert (result["model"]["version"], result["changed"]) == (version, True)
            else:
                os.kill(service.process.pid, signal.SIGHUP)
            load.wait_for_version(version)
            load.wait_for_responses()
            assert load.results.total() > before
    assert load.errors == []
    assert {*load.results} == expected
    assert registry.holder(NAME, PRODUCTION).version == "1"  # type: ignore[union-attr]


@pytest.mark.long
def test_version_with_other_predictions_is_rejected(
    service: ServiceProcess, connection: Connection, key: dict[str, str]
) -> None:
    registry = Registry(connection)
    with LoadGenerator(service.url, key) as load:
        load.wait_for_version("1")
        transition_to(registry, registry.version(NAME, "3"), PRODUCTION)
        refused = reload(service, key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_taken")
        assert figure(service, key, "accidents_model_reload_failed") == 1
        load.wait_for_responses()
        rollback(registry, NAME)
        assert reload(service, key).json() == {
            "model": {"name": NAME, "version": "1", "type": "lightgbm"},
            "changed": False,
        }
        wait_until(lambda: figure(service, key, "accidents_model_reload_failed") == 0)
    assert load.errors == []
    assert load.versions() == {"1"}
    assert "stored accidents get another probability" in service.log


@pytest.mark.long
def test_unreachable_registry_keeps_the_model(service: ServiceProcess, folder: Path, key: dict[str, str]) -> None:
    database = folder / "mlruns" / "mlflow.db"
    assert database.is_file()
    content = database.read_bytes()
    with LoadGenerator(service.url, key) as load:
        database.write_bytes(b"no database" * 1000)
        try:
            assert reload(service, key).status_code == 503
            assert figure(service, key, "accidents_model_reload_failed") == 1
            load.wait_for_responses()
        finally:
            database.write_bytes(content)
        assert reload(service, key).status_code == 200
        wait_until(lambda: figure(service, key, "accidents_model_reload_failed") == 0)
    assert load.errors == []
    assert service.stop() == 0
