"""Outcomes that are told afterwards, by the id of the prediction."""

from datetime import datetime

from sqlalchemy import Engine


def store(engine: Engine, prediction: str, outcome: int, *, at: datetime, caller: str, patience: float = 0) -> bool:
    """Store an outcome; a later one replaces it, and it stays in the history.

    Args:
        engine: the database.
        prediction: id of the prediction.
        outcome: 1 for priority, 0 for not.
        at: when it was told, with its time zone.
        caller: id of the key, or `ANONYMOUS`.
        patience: seconds to look for a prediction made just now, which another process may not have written yet.

    Returns:
        Whether it replaces an earlier one.

    Raises:
        UnknownPredictionError: there is no such prediction, or it was deleted.
        RecordsError: the database does not answer.
    """
    raise NotImplementedError
