"""Prediction records for tests, and the rows that are stored."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, func, select

from serving.records.prediction_record import PredictionRecord, new_prediction_id
from serving.records.tables import predictions

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
ACCIDENT = json.loads((EXAMPLES / "high_risk.json").read_text(encoding="utf-8"))


def prediction_record(number: int = 0, **changes: Any) -> PredictionRecord:
    """An entry whose `request_id` is a number."""
    values: dict[str, Any] = {
        "id": new_prediction_id(),
        "at": datetime.now(UTC),
        "request_id": str(number),
        "route": "/v1/predict",
        "caller": "0123abcd",
        "model": "Accident_Prediction_XGBoost",
        "version": "3",
        "model_sha256": "5" * 64,
        "type": "xgboost",
        "level": "call",
        "probability": 0.1 + 0.2,
        "threshold": 0.357,
        "prediction": 1,
        "latency_ms": 0.31,
        "missing": 2,
        "content": ACCIDENT,
    }
    return PredictionRecord(**(values | changes))


def prediction_records(numbers: range) -> list[PredictionRecord]:
    """One entry a number."""
    return [prediction_record(number) for number in numbers]


def stored(engine: Engine) -> Sequence[Row[Any]]:
    """All predictions of a database, in the order in which they were added."""
    with engine.connect() as connection:
        return connection.execute(select(predictions).order_by(predictions.c.at, predictions.c.id)).all()


def count(engine: Engine) -> int:
    """How many predictions a database holds."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(predictions)).scalar_one()
