"""Retention: count predictions, and delete old ones with their outcomes."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, select

from serving.records.database import database_errors, write_transaction
from serving.records.tables import feedback, log_writers, predictions

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
    """Delete predictions made before a time, with their outcomes; others can write meanwhile.

    A SQLite file does not shrink: free pages are overwritten, and used for later predictions.

    Returns:
        The number of deleted predictions.

    Raises:
        RecordsError: the database does not answer; what was deleted until then stays deleted.
    """
    batch = select(predictions.c.id).where(predictions.c.at < before).limit(_BATCH_SIZE)
    deleted = 0
    with database_errors(engine):
        while True:
            with write_transaction(engine) as connection:
                count = connection.execute(delete(predictions).where(predictions.c.id.in_(batch))).rowcount
            deleted += count
            if count < _BATCH_SIZE:
                break
            time.sleep(_PAUSE)
        with write_transaction(engine) as connection:
            connection.execute(delete(log_writers).where(log_writers.c.at < before - _WRITER_AGE))
    return deleted
