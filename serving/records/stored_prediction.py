"""One prediction as it is stored, with its outcomes, the caller, and the answer of the shadow model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Engine, select

from serving.records.database import RecordsError, database_errors
from serving.records.tables import api_keys, feedback, predictions, shadow_predictions


@dataclass(frozen=True)
class StoredPrediction:
    """A stored prediction.

    Attributes:
        row: its columns by name; `inputs` and `derived` parsed, None where they were not stored.
        outcomes: its outcomes, oldest first: `outcome`, `at`, `caller`. The last one counts.
        caller: name of the API key that asked; its id where it has none.
        shadow: columns of the answer of the shadow model; None without one.
    """

    row: Mapping[str, Any]
    outcomes: tuple[Mapping[str, Any], ...]
    caller: str
    shadow: Mapping[str, Any] | None


def read_prediction(engine: Engine, prediction_id: str) -> StoredPrediction:
    """Read a prediction by its id.

    Raises:
        RecordsError: there is none, or the database does not answer.
    """
    outcomes = select(feedback.c.outcome, feedback.c.at, feedback.c.caller).order_by(feedback.c.id)
    with database_errors(engine), engine.connect() as connection:
        # PostgreSQL refuses some control characters.
        query = select(predictions).where(predictions.c.id == prediction_id)
        row = connection.execute(query).mappings().first() if prediction_id.isprintable() else None
        if row is None:
            raise RecordsError(
                f"{prediction_id!r}: no prediction has this id: it never existed, was not written, or was deleted"
            )
        given = connection.execute(outcomes.where(feedback.c.prediction_id == prediction_id)).mappings().all()
        name = connection.execute(select(api_keys.c.name).where(api_keys.c.id == row["caller"])).scalar_one_or_none()
        query = select(shadow_predictions).where(shadow_predictions.c.prediction_id == prediction_id)
        answer = connection.execute(query).mappings().first()
    parsed = {key: row[key] and orjson.loads(row[key]) for key in ("inputs", "derived")}
    return StoredPrediction(
        {**row, **parsed}, tuple(map(dict, given)), name or row["caller"], {**answer} if answer else None
    )
