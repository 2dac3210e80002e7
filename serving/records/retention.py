"""Retention: count predictions, and delete old ones with their outcomes."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Engine, delete, func, select

from serving.records.database import database_errors, write_transaction
from serving.records.tables import feedback, log_writers, predictions, shadow_predictions

_BATCH_SIZE = 5_000
_PAUSE = 0.05  # seconds between transactions, in which others can write
_WRITER_AGE = timedelta(days=365)
"""Time without a prediction after which the process of a prediction log has ended; its counts are deleted, too."""


@dataclass(frozen=True)
class PredictionSummary:
    """Number of predictions, time of the first and the last, and number of predictions with an outcome."""

    predictions: int
    first: datetime | None
    last: datetime | None
    outcomes: int


def summarise_predictions(engine: Engine) -> PredictionSummary:
    """Count predictions and outcomes.

    Raises:
        RecordsError: the database does not answer.
    """
    at = predictions.c.at
    with database_errors(engine), engine.connect() as connection:
        count, first, last = connection.execute(select(func.count(), func.min(at), func.max(at))).one()
        outcomes = connection.execute(select(func.count(feedback.c.prediction_id.distinct()))).scalar_one()
    return PredictionSummary(count, first, last, outcomes)


def count_before(engine: Engine, before: datetime) -> int:
    """Number of predictions made before a time.

    Raises:
        RecordsError: the database does not answer.
    """
    with database_errors(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).where(predictions.c.at < before)).scalar_one()


def prune(engine: Engine, before: datetime) -> int:
    """Delete predictions made before a time, with outcomes and shadow answers; others can write meanwhile.

    A SQLite file does not shrink: free pages are overwritten, and used for later predictions.

    Returns:
        The number of deleted predictions.

    Raises:
        RecordsError: the database does not answer; what was deleted until then stays deleted.
    """
    with database_errors(engine):
        _delete_before(engine, shadow_predictions.c.prediction_id, before)
        deleted = _delete_before(engine, predictions.c.id, before)
        with write_transaction(engine) as connection:
            connection.execute(delete(log_writers).where(log_writers.c.at < before - _WRITER_AGE))
    return deleted


def _delete_before(engine: Engine, key: Column[str], before: datetime) -> int:
    """Delete the old rows of the table of `key` in short transactions; returns their number."""
    batch = select(key).where(key.table.c.at < before).limit(_BATCH_SIZE)
    deleted = 0
    while True:
        with write_transaction(engine) as connection:
            count = connection.execute(delete(key.table).where(key.in_(batch))).rowcount
        deleted += count
        if count < _BATCH_SIZE:
            return deleted
        time.sleep(_PAUSE)
