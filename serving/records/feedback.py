"""Outcomes of predictions (feedback). The last outcome of a prediction counts; earlier ones stay in the history."""

from datetime import datetime

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from serving.records.database import RecordsError, database_errors, write_transaction
from serving.records.tables import feedback, predictions


class UnknownPredictionError(RecordsError):
    """No prediction in the database has this id."""


def store_outcome(engine: Engine, prediction_id: str, outcome: int, *, at: datetime, caller: str) -> bool:
    """Store the outcome of a prediction.

    Args:
        engine: the database.
        prediction_id: id of the prediction.
        outcome: 1 for priority, 0 for not.
        at: time of the feedback, with a time zone.
        caller: id of the API key, or `ANONYMOUS`.

    Returns:
        Whether it replaces an earlier outcome.

    Raises:
        ValueError: the outcome is neither 0 nor 1.
        UnknownPredictionError: there is no such prediction, or it was deleted.
        RecordsError: the database does not answer.
    """
    if outcome not in {0, 1}:
        raise ValueError(f"outcome {outcome!r}: must be 0 or 1")
    if not _exists(engine, prediction_id):
        raise _unknown_prediction()
    with database_errors(engine):
        try:
            with write_transaction(engine) as connection:
                earlier = select(func.count()).where(feedback.c.prediction_id == prediction_id)
                replaced = connection.execute(earlier).scalar_one() > 0
                row = {"prediction_id": prediction_id, "outcome": outcome, "at": at, "caller": caller}
                connection.execute(insert(feedback), row)
        except IntegrityError:  # deleted between the check and the insert
            raise _unknown_prediction() from None
    return replaced


def _exists(engine: Engine, prediction_id: str) -> bool:
    if not prediction_id.isprintable():  # PostgreSQL refuses some control characters
        return False
    query = select(predictions.c.id).where(predictions.c.id == prediction_id)
    with database_errors(engine), engine.connect() as connection:
        return connection.execute(query).first() is not None


def _unknown_prediction() -> UnknownPredictionError:
    return UnknownPredictionError("no prediction has this id: it never existed, or it was deleted")
