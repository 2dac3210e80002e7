"""Answers of the shadow model: written beside the predictions, and read with them and their outcomes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from serving.records.database import database_errors, write_transaction
from serving.records.tables import feedback, predictions, shadow_predictions

_BATCH_SIZE = 200  # rows a call of the driver, which holds the interpreter meanwhile
_PAGE_ROWS = 5_000


@dataclass(frozen=True)
class AnswerPair:
    """A prediction and the answer of the shadow model for the same accident.

    Attributes:
        answering: name and version of the model that answered.
        shadow: name and version of the shadow model.
        probabilities: of the answer and of the shadow.
        thresholds: likewise.
        outcome: the last one; None where it is not known.
    """

    answering: str
    shadow: str
    probabilities: tuple[float, float]
    thresholds: tuple[float, float]
    outcome: int | None


def write_shadow_answers(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of `shadow_predictions` in one transaction; rows that are there already stay.

    Raises:
        SQLAlchemyError: the database cannot be written to now.
        RecordsError: it was replaced meanwhile.
    """
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(shadow_predictions).on_conflict_do_nothing()
    with write_transaction(engine) as connection:
        for start in range(0, len(rows), _BATCH_SIZE):
            connection.execute(statement, rows[start : start + _BATCH_SIZE])


def read_answer_pairs(engine: Engine, since: datetime | None = None) -> Iterator[AnswerPair]:
    """Predictions with an answer of a shadow model, oldest first.

    Args:
        engine: the database.
        since: time of the first prediction; None for all.

    Raises:
        RecordsError: the database does not answer.
    """
    last = ""
    with database_errors(engine):
        while True:
            # Ids begin with the time; each page is a query of its own, as a long one would keep SQLite from writing.
            query = _query(since).where(predictions.c.id > last)
            with engine.connect() as connection:
                page = connection.execute(query).all()
            for row in page:
                yield AnswerPair(
                    f"{row.model} {row.version}",
                    f"{row.shadow_model} {row.shadow_version}",
                    (row.probability, row.shadow_probability),
                    (row.threshold, row.shadow_threshold),
                    row.outcome,
                )
            if len(page) < _PAGE_ROWS:
                return
            last = page[-1].id


def _query(since: datetime | None) -> Any:
    outcomes = select(feedback.c.outcome).where(feedback.c.prediction_id == predictions.c.id)
    names = ("model", "version", "probability", "threshold")
    query = (
        select(
            predictions.c.id,
            *(predictions.c[name] for name in names),
            *(shadow_predictions.c[name].label(f"shadow_{name}") for name in names),
            outcomes.order_by(feedback.c.id.desc()).limit(1).scalar_subquery().label("outcome"),
        )
        .join(shadow_predictions, shadow_predictions.c.prediction_id == predictions.c.id)
        .order_by(predictions.c.id)
        .limit(_PAGE_ROWS)
    )
    return query if since is None else query.where(predictions.c.at >= since)
