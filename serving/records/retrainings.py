"""Events that a model is trained again for, and how each of them ended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, Row, insert, select, update

from serving.records.database import database_errors, write_transaction
from serving.records.tables import retrainings

TRAINING, WAITING, REJECTED, FAILED = "training", "waiting", "rejected", "failed"
"""States besides those of stages, `Staging` and `Production`."""

UNFINISHED = (TRAINING, FAILED)
"""States of events that a later command goes on with."""


@dataclass(frozen=True)
class Retraining:
    """One event.

    Attributes:
        event: its id.
        model: registered name.
        state: `TRAINING`, `WAITING`, `REJECTED`, `FAILED`, or the stage that the candidate took.
        started_at: time of its beginning.
        changed_at: time of its last change.
        version: number of the candidate; None before it is registered.
        explanation: why, and how it ended.
    """

    event: str
    model: str
    state: str
    started_at: datetime
    changed_at: datetime
    version: str | None
    explanation: tuple[str, ...]


def find_retraining(engine: Engine, event: str) -> Retraining | None:
    """An event by its id.

    Raises:
        RecordsError: the database does not answer.
    """
    with database_errors(engine), engine.connect() as connection:
        row = connection.execute(select(retrainings).where(retrainings.c.event == event)).first()
    return None if row is None else _retraining(row)


def list_retrainings(engine: Engine, model: str | None = None) -> list[Retraining]:
    """Events of a model, or of all, latest first.

    Raises:
        RecordsError: the database does not answer.
    """
    query = select(retrainings).order_by(retrainings.c.started_at.desc())
    if model is not None:
        query = query.where(retrainings.c.model == model)
    with database_errors(engine), engine.connect() as connection:
        return [_retraining(row) for row in connection.execute(query)]


def start_retraining(engine: Engine, event: str, model: str, reasons: Sequence[str]) -> None:
    """Record that an event is being worked on, for the first time or again. Call it with the lease of the model.

    Raises:
        RecordsError: the database does not answer.
    """
    now = datetime.now(UTC)
    with database_errors(engine), write_transaction(engine) as connection:
        known = retrainings.c.event == event
        values = {"state": TRAINING, "changed_at": now, "explanation": json.dumps([*reasons])}
        if not connection.execute(update(retrainings).where(known).values(**values)).rowcount:
            connection.execute(insert(retrainings), {"event": event, "model": model, "started_at": now, **values})


def set_state(
    engine: Engine, event: str, state: str, reasons: Sequence[str], *, version: str | None, expected: str = TRAINING
) -> bool:
    """Record how an event went on; False, and nothing is changed, where its state is not the expected one.

    Raises:
        RecordsError: the database does not answer.
    """
    with database_errors(engine), write_transaction(engine) as connection:
        row = connection.execute(select(retrainings).where(retrainings.c.event == event)).one()
        explanation = json.dumps([*json.loads(row.explanation), *reasons])
        change = update(retrainings).where(retrainings.c.event == event, retrainings.c.state == expected)
        values = {"state": state, "changed_at": datetime.now(UTC), "version": version, "explanation": explanation}
        return bool(connection.execute(change.values(**values)).rowcount)


def end_promoted(engine: Engine, model: str, version: str, stage: str) -> None:
    """End the event whose candidate holds a stage: its command was killed after the promotion.

    Raises:
        RecordsError: the database does not answer.
    """
    for one in list_retrainings(engine, model):
        if one.state == TRAINING and one.version == version:
            set_state(engine, one.event, stage, [f"version {version} is in {stage} already"], version=version)


def _retraining(row: Row[tuple[object, ...]]) -> Retraining:
    values = row._mapping
    return Retraining(**{**values, "explanation": tuple(json.loads(str(values["explanation"])))})
