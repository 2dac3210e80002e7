"""A typical FastAPI application: a pydantic model of the body, pandas frames, and the model on them.

It uses the column specification, the features and the bundle of the project, without API keys, metrics and logs.
"""

import os
from collections.abc import Sequence
from typing import Any

import pandas as pd
from fastapi import FastAPI

from accidents.bundle import Bundle
from accidents.columns import TABLES, ColumnKind, Table
from accidents.features import feature_frame
from accidents.requests.values import missing_value
from accidents.tables import Accidents
from benchmarks.serving.booster_app import BUNDLE
from serving.schemas.requests import accident_model

_ACCIDENT = {**TABLES[Table.CARACTERISTIQUES], **TABLES[Table.LIEUX]}


def create() -> FastAPI:
    """The application."""
    application = FastAPI()
    bundle = Bundle.load(os.environ[BUNDLE])
    accident = accident_model()

    @application.get("/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    async def predict(body: Any) -> dict[str, float]:
        return {"probability": predict_contents(bundle, [body.model_dump()])[0]}

    async def batch(body: Any) -> dict[str, list[float]]:
        return {"probabilities": predict_contents(bundle, [one.model_dump() for one in body])}

    predict.__annotations__["body"], batch.__annotations__["body"] = accident, list[accident]  # type: ignore[valid-type]
    application.post("/predict")(predict)
    application.post("/batch")(batch)
    return application


def predict_contents(bundle: Bundle, contents: Sequence[dict[str, Any]]) -> list[float]:
    """Probabilities of accidents in the nested form."""
    return bundle.predict(feature_frame(_frames(contents))).tolist()


def _frames(contents: Sequence[dict[str, Any]]) -> Accidents:
    """Frames of the domain; accidents are numbered."""
    numbered = list(enumerate(contents))
    return Accidents(
        _frame([{**one["accident"], **one["road"], "Num_Acc": number} for number, one in numbered], _ACCIDENT),
        _frame(
            [row | {"Num_Acc": number} for number, one in numbered for row in one["vehicles"]],
            TABLES[Table.VEHICULES],
        ),
        _frame([row | {"Num_Acc": number} for number, one in numbered for row in one["people"]], TABLES[Table.USAGERS]),
    )


def _frame(rows: Sequence[dict[str, Any]], columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*columns])
    if "hrmn" in frame:
        times = frame["hrmn"].str.split(":", expand=True).astype(float)
        frame["hrmn"] = times[0] * 60 + times[1]
    for name in frame:
        if letters := columns[name].letter_codes:
            frame[name] = frame[name].replace(dict(letters))
    numbers = [name for name in frame if columns[name].kind is not ColumnKind.TEXT]
    return frame.fillna({name: missing_value(columns[name]) for name in numbers}).infer_objects()
