"""Predictions are counted, deleted with their outcomes, and exported to files."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, func, select

from accidents.configuration.serving import RecordSettings
from accidents.errors import ConfigurationError
from serving.records import feedback, retention
from serving.records.database import RecordsError
from serving.records.export import export_predictions
from serving.records.prediction_log import PredictionLog
from serving.records.retention import PredictionSummary, count_before, prune, summarise_predictions
from serving.records.tables import feedback as outcomes
from tests.serving.conftest import DatabaseAway
from tests.serving.records.prediction_records import ACCIDENT, count, prediction_record, stored

START = datetime(2024, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def predictions(engine: Engine) -> list[str]:
    """Ids of ten predictions, one a day; of the first and the third an outcome is known, of the third two."""
    records = [prediction_record(number, at=START + number * DAY) for number in range(10)]
    log = PredictionLog(engine, RecordSettings(inputs="full"))
    log.add(records)
    assert log.close(60)
    for number, outcome in ((0, 1), (2, 1), (2, 0)):
        feedback.store_outcome(engine, records[number].id, outcome, at=START + 20 * DAY, caller="x")
    return [one.id for one in records]


def test_empty_database_is_counted(engine: Engine) -> None:
    assert summarise_predictions(engine) == PredictionSummary(0, None, None, 0)
    assert prune(engine, datetime.now(UTC)) == count_before(engine, datetime.now(UTC)) == 0


def test_predictions_and_outcomes_are_counted(engine: Engine, predictions: list[str]) -> None:
    assert summarise_predictions(engine) == PredictionSummary(len(predictions), START, START + 9 * DAY, 2)


def test_prune_deletes_old_predictions_with_outcomes(engine: Engine, predictions: list[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "_BATCH_SIZE", 2)
    before = START + 3 * DAY
    assert count_before(engine, before) == 3
    assert count(engine) == 10
    assert prune(engine, before) == 3
    assert [row.id for row in stored(engine)] == predictions[3:]
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(outcomes)).scalar_one() == 0
    assert prune(engine, before) == 0


def test_pruned_content_is_overwritten_in_the_files(engine: Engine, predictions: list[str]) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL frees what was deleted by itself")
    folder = Path(str(engine.url.database)).parent
    assert any(predictions[0].encode() in file.read_bytes() for file in folder.iterdir())
    prune(engine, START + 5 * DAY)
    for file in folder.iterdir():
        content = file.read_bytes()
        assert not any(rows.encode() in content for rows in predictions[:5]), file


def test_jsonl_export_has_all_columns(engine: Engine, predictions: list[str], tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    assert export_predictions(engine, target) == 10
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["id"] for row in rows] == predictions
    assert [row["outcome"] for row in rows] == [1, None, 0, *[None] * 7]
    assert datetime.fromisoformat(rows[2]["outcome_at"]) == START + 20 * DAY
    assert datetime.fromisoformat(rows[3]["at"]) == START + 3 * DAY
    assert rows[0]["inputs"] == ACCIDENT
    assert rows[0]["probability"] == 0.1 + 0.2
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_parquet_export_equals_jsonl(engine: Engine, predictions: list[str], tmp_path: Path) -> None:
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.parquet"
    assert export_predictions(engine, lines, START + DAY) == export_predictions(engine, table, START + DAY) == 9
    expected = [json.loads(line) for line in lines.read_text().splitlines()]
    rows = pq.read_table(table).to_pylist()
    for row in rows:
        row |= {name: json.loads(row[name]) for name in ("inputs", "derived")}
        for name in ("at", "outcome_at"):
            row[name] = row[name] and row[name].astimezone(UTC)
    for row in expected:
        for name in ("at", "outcome_at"):
            row[name] = row[name] and datetime.fromisoformat(row[name])
    assert rows == expected
    assert rows[0]["id"] == predictions[1]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_export_of_an_empty_database_is_an_empty_file(engine: Engine, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out.{suffix}"
    assert export_predictions(engine, target) == 0
    if suffix == "jsonl":
        assert target.read_bytes() == b""
    else:
        assert pq.read_table(target).num_rows == 0


def test_inputs_that_were_not_stored_are_exported_as_null(engine: Engine, tmp_path: Path) -> None:
    log = PredictionLog(engine, RecordSettings(inputs="none"))
    log.add([prediction_record()])
    assert log.close(60)
    export_predictions(engine, tmp_path / "out.jsonl")
    (row,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (row["kept"], row["inputs"]) == ("none", None)


def test_export_to_another_suffix_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"must end in \.jsonl or \.parquet"):
        export_predictions(engine, tmp_path / "out.csv")


def test_failed_export_keeps_the_existing_file(
    engine: Engine, predictions: list[str], tmp_path: Path, unreachable: DatabaseAway
) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("before")
    with unreachable(), pytest.raises(RecordsError):
        export_predictions(engine, target)
    assert target.read_text() == "before"
    with pytest.raises(RecordsError, match="cannot be written: File exists"):
        export_predictions(engine, target / "out.jsonl")
    assert {path.name for path in tmp_path.iterdir()} <= {"out.jsonl", "records"}
