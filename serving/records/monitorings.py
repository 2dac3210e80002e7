"""Results of monitoring, by which the service knows its drift share; and the logged predictions to monitor."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from serving.records.database import database_errors, write_transaction
from serving.records.tables import feedback, monitorings, predictions


@dataclass(frozen=True)
class StoredMonitoring:
    """A stored result: its time, the training time of its model, drift share, alarm, and the whole of it."""

    at: datetime
    trained_at: str
    drift_share: float
    alarm: bool
    result: Mapping[str, Any]


@dataclass(frozen=True)
class LoggedPrediction:
    """A logged prediction; `outcome` is None where it is not known, `content`, the accident, where it was not kept."""

    at: datetime
    probability: float
    threshold: float
    outcome: int | None
    content: Any


def store_monitoring(engine: Engine, at: datetime, trained_at: str, result: Mapping[str, Any]) -> None:
    """Store a result with `drift_share` and `alarm`.

    Raises:
        RecordsError: the database does not answer.
    """
    row = {"at": at, "trained_at": trained_at, "drift_share": result["drift_share"], "alarm": int(result["alarm"])}
    with database_errors(engine), write_transaction(engine) as connection:
        connection.execute(insert(monitorings), row | {"result": json.dumps(result)})


def latest_monitoring(engine: Engine, trained_at: str | None = None) -> StoredMonitoring | None:
    """The latest result, of the model of this training time where one is given; None without any.

    Raises:
        RecordsError: the database does not answer.
    """
    query = select(monitorings).order_by(monitorings.c.id.desc()).limit(1)
    if trained_at is not None:
        query = query.where(monitorings.c.trained_at == trained_at)
    with database_errors(engine), engine.connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return StoredMonitoring(row.at, row.trained_at, row.drift_share, bool(row.alarm), json.loads(row.result))


def read_predictions(engine: Engine, since: datetime, limit: int) -> list[LoggedPrediction]:
    """Logged predictions since a time, the latest `limit` of them, oldest first, each with its last outcome.

    Raises:
        RecordsError: the database does not answer.
    """
    own = feedback.c.prediction_id == predictions.c.id
    outcome = select(feedback.c.outcome).where(own).order_by(feedback.c.id.desc()).limit(1).scalar_subquery()
    columns = (predictions.c.at, predictions.c.probability, predictions.c.threshold, predictions.c.inputs)
    query = select(*columns, outcome.label("outcome")).where(predictions.c.at >= since)
    query = query.order_by(predictions.c.at.desc(), predictions.c.id.desc()).limit(limit)
    with database_errors(engine), engine.connect() as connection:
        rows = connection.execute(query).all()
    return [
        LoggedPrediction(
            row.at, row.probability, row.threshold, row.outcome, None if row.inputs is None else json.loads(row.inputs)
        )
        for row in reversed(rows)
    ]


def daily_predictions(engine: Engine, before: datetime, limit: int) -> list[datetime]:
    """Times of the latest `limit` predictions before a time.

    Raises:
        RecordsError: the database does not answer.
    """
    query = select(predictions.c.at).where(predictions.c.at < before).order_by(predictions.c.at.desc()).limit(limit)
    with database_errors(engine), engine.connect() as connection:
        return [at for (at,) in connection.execute(query)]
