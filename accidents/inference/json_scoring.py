"""Many accidents as JSON texts in a frame -> answers in a frame: how a model is asked through MLflow."""

import json
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.errors import RequestError
from accidents.requests import InvalidRequestError, parse_batch
from accidents.tables import INTERPRETATIONS

NESTED = "accident"
FLAT = "accident_flat"
"""Columns of text: an accident in the nested form, or in the classic flat form. Either may be left out."""

_LONGEST = 10_000_000
_ALLOWED = f"needs an accident as JSON text in the column '{NESTED}' or '{FLAT}', and not in both"


def predict_texts(bundle: Bundle, frame: pd.DataFrame) -> pd.DataFrame:
    """Predict one accident a row.

    Args:
        bundle: the model.
        frame: a column `accident` or `accident_flat`, or both, of JSON texts; each row holds one.

    Returns:
        `probability` (float64), `prediction` (int64) and `interpretation` (str), with the index of `frame`.

    Raises:
        RequestError: a row cannot be read; names row, field, value and what is allowed. Nothing is answered then.
    """
    requests = parse_batch(_content(number, texts) for number, texts in enumerate(_texts(frame)))
    for number, outcome in enumerate(requests.results):
        if isinstance(outcome, InvalidRequestError):
            raise RequestError(f"row {number}: {outcome}")
    probability = bundle.predict(requests.arrays)
    prediction = (probability >= bundle.threshold).astype("int64")
    return pd.DataFrame(
        {
            "probability": probability,
            "prediction": prediction,
            "interpretation": [INTERPRETATIONS[number] for number in prediction.tolist()],
        },
        index=frame.index,
    )


def _texts(frame: pd.DataFrame) -> list[list[Any]]:
    """The texts of every row, at best one."""
    if not len(frame):
        raise RequestError("no accident: the input has no rows")
    found = [name for name in (NESTED, FLAT) if name in frame]
    if not found:
        raise RequestError(f"the input {_ALLOWED}; it has the columns {', '.join(map(str, frame.columns))}")
    columns = [frame[name].tolist() for name in found]
    return [[text for text in texts if isinstance(text, str) and text] for texts in zip(*columns, strict=True)]


def _content(number: int, texts: list[Any]) -> Any:
    if len(texts) != 1:
        raise RequestError(f"row {number}: {_ALLOWED}")
    (text,) = texts
    if len(text) > _LONGEST:
        raise RequestError(f"row {number}: longer than {_LONGEST:,} characters, too long for one accident")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"row {number}: no JSON: {error}") from None
