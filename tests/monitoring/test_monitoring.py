"""Monitoring of the prediction log of a real service: what is read, reported, and handed back to its metrics."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.loading import load_configuration
from accidents.configuration.serving import RecordSettings
from accidents.errors import ModelError
from accidents.monitoring.windows import window_of_accidents
from accidents.simulation import LabelledRequest, labelled_requests
from serving.environment import DATABASE_URL_ENV
from serving.records.database import RecordsError
from serving.records.monitorings import latest_monitoring, read_predictions, store_monitoring
from steps.monitoring.comparison import compare_window
from steps.monitoring.monitor_predictions import monitor_predictions
from steps.monitoring.publish_monitoring import publish_monitoring
from tests.monitoring.monitored import monitored_model
from tests.serving.in_process import ApiClient, in_process_service
from tests.trained import small_models, small_year

pytestmark = [pytest.mark.slow, pytest.mark.traced]

CONFIGURED = load_configuration().monitoring.model_copy(update={"pictures": 0})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiClient]:
    model = tmp_path / "lightgbm_model.zip"
    monitored_model().save(model)
    with in_process_service(tmp_path, model) as client:
        yield client


def send(api: ApiClient, requests: list[LabelledRequest]) -> None:
    """Predict accidents and store their outcomes; wait until the log has written them."""
    response = api.post("/v1/predict/batch", {"accidents": [one.content for one in requests]})
    assert response.status_code == 200, response.text
    engine, end = api.state.engine, time.monotonic() + 20
    while time.monotonic() < end and len(read_predictions(engine, EPOCH, 10_000)) < len(requests):
        time.sleep(0.05)
    for answer, one in list(zip(response.json()["results"], requests, strict=True))[:30]:
        api.post("/v1/feedback", {"prediction_id": answer["prediction_id"], "priority": one.priority})


def requests_with(drift: str, count: int) -> list[LabelledRequest]:
    generator = labelled_requests(small_year()[0], drift, np.random.default_rng(0))
    return [next(generator) for _ in range(count)]


def records_of(api: ApiClient) -> RecordSettings:
    return api.state.settings.records


@pytest.mark.parametrize(("drift", "alarm"), [("none", False), ("callers", True)])
def test_the_log_is_compared_and_the_service_publishes_the_share(api: ApiClient, drift: str, alarm: bool) -> None:
    send(api, requests_with(drift, 400))
    records = records_of(api)
    result, report, _ = monitor_predictions.entrypoint(monitored_model(), CONFIGURED, records, IngestionSettings())
    assert result["accidents"] == 400
    assert result["alarm"] is alarm, result["findings"]
    assert ("not known to callers" in report) is alarm
    publish_monitoring.entrypoint(result, report, records, load_configuration().tracking, None)
    end = time.monotonic() + 20
    while time.monotonic() < end and np.isnan(api.metrics()["accidents_drift_share"]):
        time.sleep(0.2)
    metrics = api.metrics()
    assert metrics["accidents_drift_share"] == result["drift_share"]
    assert metrics["accidents_drift_alarm"] == alarm
    assert metrics["accidents_monitored_timestamp_seconds"] == pytest.approx(time.time(), abs=120)


def test_results_of_another_model_are_not_those_of_the_loaded_one(api: ApiClient) -> None:
    engine: Engine = api.state.engine
    store_monitoring(engine, datetime.now(UTC), "2001-01-01T00:00:00+00:00", {"drift_share": 0.5, "alarm": True})
    assert latest_monitoring(engine, monitored_model().trained_at) is None
    found = latest_monitoring(engine)
    assert found is not None
    assert found.drift_share == 0.5
    assert found.alarm
    assert np.isnan(api.metrics()["accidents_drift_share"])


def test_a_model_without_a_reference_says_what_to_do() -> None:
    bundle = small_models()["lightgbm"].trained.bundle
    window = window_of_accidents(small_year()[0], bundle)
    with pytest.raises(ModelError, match=r"has no reference to compare with.*train it again"):
        compare_window(bundle, window, "sample", CONFIGURED, IngestionSettings(), synthetic=True)


def test_accidents_that_the_model_has_learned_from_count_as_inputs_alone() -> None:
    window = window_of_accidents(small_year()[0], monitored_model())
    learned = sum(monitored_model().rows[subset] for subset in ("training", "validation"))
    labelled = (small_year()[0].accidents["priority"] >= 0).sum()
    assert np.isfinite(window.labels).sum() == labelled - learned
    assert len(window.days) == 1500


def test_a_log_that_does_not_exist_is_named_and_not_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "other.db"
    monkeypatch.setenv(DATABASE_URL_ENV, f"sqlite:///{file}")
    with pytest.raises(RecordsError, match=r"other\.db: there is no such database"):
        monitor_predictions.entrypoint(monitored_model(), CONFIGURED, RecordSettings(), IngestionSettings())
    assert not file.exists()
