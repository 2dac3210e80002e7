"""The service while its database is locked, deleted or replaced: what needs no database does not wait for one."""

import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from serving.auth import api_keys
from serving.auth.roles import Role
from tests.serving.in_process import ACCIDENT, in_process_service
from tests.serving.records.databases import migrated_database
from tests.serving.records.waiting import PATIENCE, eventually
from tests.serving.service_process import save_small_model, service_url

pytestmark = [pytest.mark.slow, pytest.mark.traced]

FEEDBACKS = 60
"""More than FastAPI has threads."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file."""
    return save_small_model(tmp_path_factory.mktemp("model"))


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """While another process may neither read nor write."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def error_code(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_locked_database_delays_feedback_alone(tmp_path: Path, model: Path) -> None:
    with in_process_service(tmp_path, model) as api:
        identifier = api.post("/v1/predict", ACCIDENT).json()["prediction_id"]
        assert api.state.prediction_log.flush(PATIENCE)
        done: list[requests.Response] = []

        def feedback(_: int) -> None:
            headers = {"Authorization": f"Bearer {api.keys[Role.PREDICT]}"}
            content = {"prediction_id": identifier, "priority": 1}
            done.append(requests.post(f"{api.url}/v1/feedback", json=content, headers=headers, timeout=60))

        with locked(tmp_path / "serving.db"), ThreadPoolExecutor(FEEDBACKS) as pool:
            pool.map(feedback, range(FEEDBACKS))
            assert eventually(lambda: api.state._database_threads._work_queue.qsize() > 0)
            for path in ("/v1/predict?reasons=3", "/v1/explain", "/v1/predict", "/v1/predict/batch"):
                content = {"accidents": [ACCIDENT] * 20} if path.endswith("batch") else ACCIDENT
                for _ in range(5):
                    assert api.post(path, content).status_code == 200
            assert api.get("/metrics").status_code == api.get("/ready", None).status_code == 200
            assert not done, "every prediction was answered while feedback waited for the lock"
        assert {error_code(response) for response in done} == {(503, "database")}
        assert all(int(response.headers["Retry-After"]) > 0 for response in done)
        content = {"prediction_id": identifier, "priority": 1}
        assert eventually(lambda: api.post("/v1/feedback", content).status_code == 200)


def test_feedback_on_a_waiting_prediction_is_asked_for_again(tmp_path: Path, model: Path) -> None:
    with in_process_service(tmp_path, model, records={"flush_seconds": 60}) as api:
        content = {"prediction_id": api.post("/v1/predict", ACCIDENT).json()["prediction_id"], "priority": 1}
        response = api.post("/v1/feedback", content)
        assert error_code(response) == (503, "prediction_waiting")
        assert response.headers["Retry-After"] == "60"
        assert api.metrics()["accidents_log_oldest_waiting_timestamp_seconds"] > 1e9
        unknown = {"prediction_id": "01931406-0000-7000-8000-000000000000", "priority": 1}
        assert error_code(api.post("/v1/feedback", unknown)) == (404, "no_prediction")
        assert api.state.prediction_log.flush(PATIENCE)
        assert api.post("/v1/feedback", content).status_code == 200
        assert api.metrics()["accidents_log_oldest_waiting_timestamp_seconds"] == float("inf")


@pytest.mark.long
def test_feedback_through_another_worker_is_asked_for_again(tmp_path: Path, model: Path) -> None:
    records = {"flush_seconds": 4}
    with service_url(tmp_path, model, "--anonymous", workers=2, records=records) as url:
        made: list[str] = []

        def report(identifier: str) -> int:
            # Each request has a connection of its own, which any worker may accept.
            content = {"prediction_id": identifier, "priority": 1}
            return requests.post(f"{url}/v1/feedback", json=content, timeout=60).status_code

        def predict_and_report(_: int) -> int:
            response = requests.post(f"{url}/v1/predict", json=ACCIDENT, timeout=60)
            made.append(response.json()["prediction_id"])
            return report(made[-1])

        with ThreadPoolExecutor(4) as pool:
            statuses = set(pool.map(predict_and_report, range(12)))
        assert {503} <= statuses <= {200, 503}
        assert eventually(lambda: all(report(identifier) == 200 for identifier in made))


def test_deleted_database_is_reported_and_predictions_wait(tmp_path: Path, model: Path) -> None:
    with in_process_service(tmp_path, model) as api:
        identifier = api.post("/v1/predict", ACCIDENT).json()["prediction_id"]
        assert api.state.prediction_log.flush(PATIENCE)
        assert api.get("/ready", None).json()["database"] == "available"
        file = tmp_path / "serving.db"
        away = file.rename(tmp_path / "away.db")
        assert eventually(lambda: api.get("/ready", None).json()["database"] == "unavailable")
        assert api.metrics()["accidents_database_available"] == 0
        for _ in range(3):
            assert api.post("/v1/predict", ACCIDENT).status_code == 200
        assert api.metrics()['accidents_log_entries{state="waiting"}'] == 3
        content = {"prediction_id": identifier, "priority": 1}
        assert error_code(api.post("/v1/feedback", content)) == (503, "database")
        away.rename(file)
        assert eventually(lambda: api.get("/ready", None).json()["database"] == "available")
        assert api.state.prediction_log.flush(PATIENCE)
        metrics = api.metrics()
        assert metrics["accidents_database_available"] == 1
        assert [metrics[f'accidents_log_entries{{state="{state}"}}'] for state in ("written", "lost")] == [4, 0]
        assert api.post("/v1/feedback", content).status_code == 200


def test_keys_are_refused_once_the_database_is_away_for_too_long(tmp_path: Path, model: Path) -> None:
    with in_process_service(tmp_path, model, records={"key_grace_seconds": 0.3}) as api:
        file = tmp_path / "serving.db"
        away = file.rename(tmp_path / "away.db")
        assert eventually(lambda: api.get("/v1/model").status_code == 503)
        assert error_code(api.get("/v1/model")) == (503, "keys_unavailable")
        assert error_code(api.get("/v1/model", None)) == (401, "key_missing")
        assert error_code(api.get("/ready", None)) == (503, "keys_unavailable")
        assert api.get("/health", None).status_code == 200
        away.rename(file)
        assert eventually(lambda: api.get("/v1/model").status_code == 200)


def test_keys_are_those_of_the_database_that_replaces_the_present_one(tmp_path: Path, model: Path) -> None:
    with in_process_service(tmp_path, model) as api:
        file, backup = tmp_path / "serving.db", Path(shutil.copy(tmp_path / "serving.db", tmp_path / "backup.db"))
        key_id = {role: key.split("_")[1] for role, key in api.keys.items()}
        engine, _ = migrated_database(f"sqlite:///{backup}")
        api_keys.revoke_key(engine, key_id[Role.PREDICT])
        late = api_keys.create_key(engine, "late", Role.PREDICT)
        api_keys.revoke_key(api.state.engine, key_id[Role.EVALUATE])
        assert eventually(lambda: api.get("/v1/model", Role.EVALUATE).status_code == 401)
        backup.replace(file)
        assert eventually(lambda: api.get("/v1/model").status_code == 401)
        assert error_code(api.get("/v1/model")) == (401, "key_revoked")
        assert error_code(api.get("/v1/model", Role.EVALUATE)) == (401, "key_revoked"), "revoked in the old one"
        assert api.get("/v1/model", Role.ADMIN).status_code == 200
        assert api.get("/v1/model", None, headers={"X-API-Key": late.text}).status_code == 200
        assert eventually(lambda: sum(key.revoked is None for key in api_keys.list_keys(api.state.engine)) == 2)
