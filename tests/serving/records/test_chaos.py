"""Chaos of the database under load: no answered prediction is lost unseen, and no request waits for the database."""

import random
import time
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select

from serving.auth import api_keys
from serving.auth.roles import Role
from serving.environment import DATABASE_URL_ENV
from serving.records.tables import predictions
from tests.serving.in_process import parse_metrics
from tests.serving.records.chaos import PostgresqlChaos, SqliteChaos, Traffic
from tests.serving.records.databases import migrated_database
from tests.serving.records.waiting import eventually
from tests.serving.service_process import save_small_model, start_service

pytestmark = pytest.mark.long

SECONDS = 30.0
STATES = ("written", "lost", "dropped", "failed")
RECORDS = {"flush_seconds": 0.1, "refresh_seconds": 0.5, "key_grace_seconds": 60}


@pytest.mark.parametrize("seed", [0, 1])
def test_no_answered_prediction_is_lost_unseen(
    database_url: str, tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    engine, _ = migrated_database(database_url)
    key = api_keys.create_key(engine, "traffic", Role.PREDICT).text
    rng = random.Random(seed)  # noqa: S311
    chaos: SqliteChaos | PostgresqlChaos
    if engine.dialect.name == "sqlite":
        chaos = SqliteChaos(Path(str(engine.url.database)), rng)
    else:
        chaos = PostgresqlChaos(database_url, request.getfixturevalue("postgresql_url"), rng)
    model = save_small_model(tmp_path)
    with start_service(
        tmp_path, "--model-path", str(model), environment={DATABASE_URL_ENV: database_url}, workers=2, records=RECORDS
    ) as service:

        def metrics() -> dict[str, float]:
            headers = {"X-API-Key": key}
            return parse_metrics(requests.get(f"{service.url}/metrics", headers=headers, timeout=60).text)

        traffic = Traffic(service.url, key)
        with traffic.running():
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                actions = chaos.actions()
                rng.shuffle(actions)
                for action in actions:
                    action()
                    time.sleep(rng.uniform(0, 0.5))
        assert eventually(
            lambda: (
                metrics().get("accidents_database_available") == 1
                and metrics()['accidents_log_entries{state="waiting"}'] == 0
            )
        ), service.log[-3000:]
        counts = {state: metrics()[f'accidents_log_entries{{state="{state}"}}'] for state in STATES}
        print(len(traffic.answered), counts, traffic.statuses)  # shown by pytest -s
        assert traffic.errors == []
        assert {status for path, status in traffic.statuses if path != "/v1/feedback"} == {200}
        assert {status for path, status in traffic.statuses if path == "/v1/feedback"} <= {200, 404, 503}
        assert counts["dropped"] == counts["failed"] == 0
        assert set(traffic.answered) <= chaos.held()
        with engine.connect() as connection:
            present = connection.execute(select(func.count()).select_from(predictions)).scalar_one()
        assert (counts["written"], counts["lost"]) == (present, len(traffic.answered) - present), counts
