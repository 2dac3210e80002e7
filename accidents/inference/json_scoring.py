"""Predictions for a frame of JSON texts: the interface of the MLflow pyfunc model."""

import json
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.errors import RequestError
from accidents.requests import InvalidRequestError, parse_batch
from accidents.tables import classify

NESTED_COLUMN = "accident"
FLAT_COLUMN = "accident_flat"
"""Columns of text: an accident in the nested form, or in the classic flat form. Either may be left out."""

_MAX_CHARACTERS = 10_000_000
_ALLOWED = f"needs an accident as JSON text in the column '{NESTED_COLUMN}' or '{FLAT_COLUMN}', and not in both"


def predict_json(bundle: Bundle, frame: pd.DataFrame) -> pd.DataFrame:
    """Predict one accident a row.

    Args:
        bundle: the model.
        frame: JSON texts in the columns `accident` or `accident_flat`, one in each row.

    Returns:
        `probability` (float64), `prediction` (int64) and `interpretation` (str), with the index of `frame`.

    Raises:
        RequestError: a row cannot be read; names row, field, value and what is allowed. Then no row is predicted.
    """
    requests = parse_batch(_parse_json(number, texts) for number, texts in enumerate(_texts(frame)))
    for number, result in enumerate(requests.results):
        if isinstance(result, InvalidRequestError):
            raise RequestError(f"row {number}: {result}")
    probabilities = bundle.predict(requests.arrays).tolist()
    return pd.DataFrame(
        [(probability, *classify(probability, bundle.threshold)) for probability in probabilities],
        columns=["probability", "prediction", "interpretation"],
        index=frame.index,
    )


def _texts(frame: pd.DataFrame) -> list[list[Any]]:
    """The non-empty texts of every row."""
    if not len(frame):
        raise RequestError("no accident: the input has no rows")
    names = [name for name in (NESTED_COLUMN, FLAT_COLUMN) if name in frame]
    if not names:
        raise RequestError(f"the input {_ALLOWED}; it has the columns {', '.join(map(str, frame.columns))}")
    columns = [frame[name].tolist() for name in names]
    return [[text for text in texts if isinstance(text, str) and text] for texts in zip(*columns, strict=True)]


def _parse_json(number: int, texts: list[Any]) -> Any:
    if len(texts) != 1:
        raise RequestError(f"row {number}: {_ALLOWED}")
    (text,) = texts
    if len(text) > _MAX_CHARACTERS:
        raise RequestError(f"row {number}: longer than {_MAX_CHARACTERS:,} characters, too long for one accident")
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise RequestError(f"row {number}: no JSON: {error}") from None
