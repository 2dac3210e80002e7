"""Metrics of outcomes, of the age of the model and of resources, compared with what they stand for."""

import os
import shutil
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from tests.serving.in_process import ACCIDENT, ApiClient

COUNT, SUM = "accidents_outcome_probability_count", "accidents_outcome_probability_sum"


def test_first_outcome_counts_with_the_probability_that_was_predicted(api: ApiClient) -> None:
    before = api.metrics()
    prediction = api.post("/v1/predict", ACCIDENT).json()
    for outcome in (1, 0, 1):
        answer = api.post("/v1/feedback", {"prediction_id": prediction["prediction_id"], "priority": outcome})
        assert answer.ok, answer.text
    assert api.post("/v1/feedback", {"prediction_id": "0" * 32, "priority": 0}).status_code == 404
    after = api.metrics()
    growth = {name: after[name] - before[name] for name in after if name.startswith((COUNT, SUM))}
    assert growth == {
        f'{COUNT}{{outcome="0"}}': 0,
        f'{COUNT}{{outcome="1"}}': 1,
        f'{SUM}{{outcome="0"}}': 0,
        f'{SUM}{{outcome="1"}}': pytest.approx(prediction["probability"]),
    }


def test_age_of_the_model_follows_from_its_training(api: ApiClient) -> None:
    trained_at = api.get("/v1/model").json()["trained_at"]
    expected = datetime.fromisoformat(trained_at).timestamp()
    assert api.metrics()["accidents_model_trained_timestamp_seconds"] == expected


def test_resources_are_those_of_the_process_and_its_disks(api: ApiClient) -> None:
    before, values = api.metrics(), api.metrics()
    process = psutil.Process(os.getpid())
    assert values["accidents_workers"] == 1
    assert values["accidents_resident_memory_bytes"] == pytest.approx(process.memory_info().rss, rel=0.2)
    assert values["accidents_open_files"] == pytest.approx(process.num_fds(), abs=20)
    times = process.cpu_times()
    name = "accidents_cpu_seconds_total"
    assert before[name] <= values[name] <= times.user + times.system
    database = Path(str(api.state.engine.url.database)).parent
    disk = shutil.disk_usage(database)
    assert values['accidents_disk_size_bytes{folder="database"}'] == disk.total
    assert values['accidents_disk_free_bytes{folder="database"}'] == pytest.approx(disk.free, rel=0.05)
    assert 'accidents_disk_free_bytes{folder="temporary"}' in values
