"""A killed process loses what it added since the last write, and nothing else."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.serving.records.databases import migrated_database
from tests.serving.records.prediction_records import count, stored

pytestmark = pytest.mark.slow

INTERVAL = 0.5
GRACE = 3.0  # seconds that a busy machine may take to write what an interval holds
LIFETIME = 3 * (INTERVAL + GRACE)
ADD_SCRIPT = """
import json, sys, time
from tests.serving.records.databases import migrated_database
from tests.serving.records.prediction_records import prediction_record
from serving.records.prediction_log import PredictionLog
engine, settings = migrated_database(sys.argv[1], flush_seconds=float(sys.argv[2]))
log = PredictionLog(engine, settings)
number = 0
while True:
    log.add([prediction_record(number)])
    number += 1
    print(json.dumps([number, time.time(), log.counts().written]), flush=True)
    time.sleep(0.002)
"""


def test_killed_process_loses_at_most_one_interval(database_url: str, project: Path, tmp_path: Path) -> None:
    migrated_database(database_url)[0].dispose()
    output = tmp_path / "told.jsonl"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", ADD_SCRIPT, database_url, str(INTERVAL)], cwd=project, stdout=file
        )
    time.sleep(LIFETIME)
    killed = time.time()
    process.send_signal(signal.SIGKILL)
    process.wait()

    lines = output.read_text().splitlines(keepends=True)
    added = [json.loads(line) for line in lines if line.endswith("\n")]
    engine, _ = migrated_database(database_url)
    numbers = [int(row.request_id) for row in stored(engine)]
    assert numbers == list(range(len(numbers)))  # the oldest are there without a gap
    assert len(numbers) >= added[-1][2] > 0  # whatever counted as written is there
    lost = [when for number, when, _ in added if number > len(numbers)]
    assert killed - min(lost, default=killed) <= INTERVAL + GRACE
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert count(engine) == len(numbers)
