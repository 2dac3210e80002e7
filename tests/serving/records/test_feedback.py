"""Outcomes of predictions: stored with history, the last one counts."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, select

from accidents.configuration.serving import RecordSettings
from serving.records.database import RecordsError
from serving.records.feedback import StoredOutcome, UnknownPredictionError, store_outcome
from serving.records.prediction_log import PredictionLog, PredictionRecord
from serving.records.tables import feedback
from tests.serving.conftest import DatabaseAway
from tests.serving.records.prediction_records import prediction_record

NOW = datetime(2024, 5, 14, 8, 45, tzinfo=timezone(timedelta(hours=2)))


def logged(engine: Engine, *given: PredictionRecord) -> None:
    """Predictions that are in the database."""
    log = PredictionLog(engine, RecordSettings())
    log.add(given)
    assert log.close(60)


def history(engine: Engine) -> list[tuple[Any, ...]]:
    columns = (feedback.c.prediction_id, feedback.c.outcome, feedback.c.at, feedback.c.caller)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(feedback.c.id))]


def test_outcome_is_stored_with_time_and_caller(engine: Engine) -> None:
    one = prediction_record()
    logged(engine, one)
    assert store_outcome(engine, one.id, 1, at=NOW, caller="0123abcd") == StoredOutcome(False, one.probability)
    assert history(engine) == [(one.id, 1, NOW.astimezone(UTC), "0123abcd")]


def test_second_outcome_replaces_the_first_and_both_stay(engine: Engine) -> None:
    one, other = prediction_record(), prediction_record()
    logged(engine, one, other)
    replaced = [store_outcome(engine, one.id, outcome, at=NOW, caller="x").replaced for outcome in (1, 0, 0)]
    assert replaced == [False, True, True]
    assert store_outcome(engine, other.id, 1, at=NOW, caller="x").replaced is False
    assert [row[1] for row in history(engine)] == [1, 0, 0, 1]


@pytest.mark.parametrize(
    "unknown", ["01a21000-0000-7000-8000-000000000000", "", "x", "\x00", "\ud800", "a" * 10_000, "' OR 1=1 --"]
)
def test_unknown_prediction_id_is_refused(engine: Engine, unknown: str) -> None:
    logged(engine, prediction_record())
    with pytest.raises(UnknownPredictionError, match="no prediction has this id"):
        store_outcome(engine, unknown, 1, at=NOW, caller="x")
    assert history(engine) == []


def test_invalid_outcome_is_refused(engine: Engine) -> None:
    one = prediction_record()
    logged(engine, one)
    with pytest.raises(ValueError, match="must be 0 or 1"):
        store_outcome(engine, one.id, 2, at=NOW, caller="x")


def test_unreachable_database_raises(engine: Engine, unreachable: DatabaseAway) -> None:
    one = prediction_record()
    logged(engine, one)
    with unreachable(), pytest.raises(RecordsError) as failure:
        store_outcome(engine, one.id, 1, at=NOW, caller="x")
    assert not isinstance(failure.value, UnknownPredictionError)
    assert store_outcome(engine, one.id, 1, at=NOW, caller="x").replaced is False
