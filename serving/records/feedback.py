"""Outcomes of predictions (feedback). The last outcome of a prediction counts; earlier ones stay in the history."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from serving.records.database import RecordsError, database_errors, write_transaction
from serving.records.tables import feedback, predictions


@dataclass(frozen=True)
class StoredOutcome:
    """An outcome that was stored.

    Attributes:
        replaced: whether it replaces an earlier one.
        probability: the probability that was predicted.
    """

    replaced: bool
    probability: float


class UnknownPredictionError(RecordsError):
    """No prediction in the database has this id."""


def store_outcome(engine: Engine, prediction_id: str, outcome: int, *, at: datetime, caller: str) -> StoredOutcome:
    """Store the outcome of a prediction.

    Args:
        engine: the database.
        prediction_id: id of the prediction.
        outcome: 1 for priority, 0 for not.
        at: time of the feedback, with a time zone.
        caller: id of the API key, or `ANONYMOUS`.

    Raises:
        ValueError: the outcome is neither 0 nor 1.
        UnknownPredictionError: there is no such prediction, or it was deleted.
        RecordsError: the database does not answer.
    """
    if outcome not in {0, 1}:
        raise ValueError(f"outcome {outcome!r}: must be 0 or 1")
    probability = _probability(engine, prediction_id)
    if probability is None:
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
    return StoredOutcome(replaced, probability)


def _probability(engine: Engine, prediction_id: str) -> float | None:
    """The probability of a prediction; None where there is no such prediction."""
    if not prediction_id.isprintable():  # PostgreSQL refuses some control characters
        return None
    query = select(predictions.c.probability).where(predictions.c.id == prediction_id)
    with database_errors(engine), engine.connect() as connection:
        return connection.execute(query).scalar_one_or_none()


def _unknown_prediction() -> UnknownPredictionError:
    return UnknownPredictionError("no prediction has this id: it never existed, or it was deleted")
