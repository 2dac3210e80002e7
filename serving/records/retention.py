"""How many predictions there are, and the deletion of old ones with what was told of them."""

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, select

from serving.records.database import told, writing
from serving.records.database_url import SQLITE
from serving.records.tables import feedback, predictions

_AT_A_TIME = 5_000
_BREATH = 0.05  # seconds in which others may write


@dataclass(frozen=True)
class Summary:
    """What there is: predictions, the moments of the first and the last, and how many outcomes are known."""

    predictions: int
    first: datetime | None
    last: datetime | None
    outcomes: int


def summary(engine: Engine) -> Summary:
    """Count predictions and known outcomes.

    Raises:
        RecordsError: the database does not answer.
    """
    at = predictions.c.at
    with told(engine), engine.connect() as connection:
        number, first, last = connection.execute(select(func.count(), func.min(at), func.max(at))).one()
        outcomes = connection.execute(select(func.count(feedback.c.prediction_id.distinct()))).scalar_one()
    return Summary(number, first, last, outcomes)


def older(engine: Engine, before: datetime) -> int:
    """How many predictions were made before a moment.

    Raises:
        RecordsError: the database does not answer.
    """
    with told(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).where(predictions.c.at < before)).scalar_one()


def prune(engine: Engine, before: datetime) -> int:
    """Delete predictions that were made before a moment, with their outcomes; others can write meanwhile.

    A SQLite file does not shrink: what is free is overwritten, and used for later predictions.

    Returns:
        How many were deleted.

    Raises:
        RecordsError: the database does not answer; what was deleted until then stays deleted.
    """
    some = select(predictions.c.id).where(predictions.c.at < before).limit(_AT_A_TIME)
    deleted = 0
    with told(engine):
        while True:
            with writing(engine) as connection:
                count = connection.execute(delete(predictions).where(predictions.c.id.in_(some))).rowcount
            deleted += count
            if count < _AT_A_TIME:
                break
            time.sleep(_BREATH)
        if engine.dialect.name == SQLITE:
            _empty_log(engine)
    return deleted


def _empty_log(engine: Engine) -> None:
    """Carry what was deleted into the file itself: the write-ahead log still holds it."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
