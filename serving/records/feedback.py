"""Outcomes that are told afterwards, by the id of the prediction. The last one told holds; all of them stay."""

from datetime import datetime

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from serving.records.database import told, writing
from serving.records.errors import UnknownPredictionError
from serving.records.tables import feedback, predictions


def store(engine: Engine, prediction: str, outcome: int, *, at: datetime, caller: str) -> bool:
    """Store an outcome; a later one replaces it, and it stays in the history.

    Args:
        engine: the database.
        prediction: id of the prediction.
        outcome: 1 for priority, 0 for not.
        at: when it was told, with its time zone.
        caller: id of the key, or `ANONYMOUS`.

    Returns:
        Whether it replaces an earlier one.

    Raises:
        ValueError: the outcome is neither.
        UnknownPredictionError: there is no such prediction, or it was deleted.
        RecordsError: the database does not answer.
    """
    if outcome not in {0, 1}:
        raise ValueError(f"outcome {outcome!r}: must be 0 or 1")
    if not _is_there(engine, prediction):
        raise _unknown()
    with told(engine):
        try:
            with writing(engine) as connection:
                earlier = select(func.count()).where(feedback.c.prediction_id == prediction)
                replaces = connection.execute(earlier).scalar_one() > 0
                row = {"prediction_id": prediction, "outcome": outcome, "at": at, "caller": caller}
                connection.execute(insert(feedback), row)
        except IntegrityError:  # it was deleted in this moment
            raise _unknown() from None
    return replaces


def _is_there(engine: Engine, prediction: str) -> bool:
    if not prediction.isprintable():  # no database takes every character
        return False
    with told(engine), engine.connect() as connection:
        return connection.execute(select(predictions.c.id).where(predictions.c.id == prediction)).first() is not None


def _unknown() -> UnknownPredictionError:
    return UnknownPredictionError("no prediction has this id: none was made with it, or it was deleted since")
