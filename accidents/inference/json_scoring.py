"""Predictions for a frame of JSON texts or flat rows: the interface of the MLflow pyfunc model."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.errors import RequestError
from accidents.requests import InvalidRequestError, parse_batch
from accidents.requests.flat import FLAT_FIELDS
from accidents.tables import classify

NESTED_COLUMN = "accident"
FLAT_COLUMN = "accident_flat"
"""Columns of text: an accident in the nested form, or in the classic flat form. Either may be left out."""

FIELD_KINDS = {
    name: "text or number" if name in {"actp", "com", "dep"} else "text" if name == "hrmn" else "number"
    for name in sorted(FLAT_FIELDS)
}
"""What each field of the flat form holds where it is a column of its own: A and B are codes of actp, 2A is a dep."""

_MAX_CHARACTERS = 10_000_000
_ALLOWED = (
    f"needs an accident as JSON text in the column '{NESTED_COLUMN}' or '{FLAT_COLUMN}', or its fields in columns of "
    "their own, such as catv and lum, and only one of these"
)


def predict_json(bundle: Bundle, frame: pd.DataFrame) -> pd.DataFrame:
    """Predict one accident a row.

    Args:
        bundle: the model.
        frame: in each row either a JSON text, in the column `accident` or `accident_flat`, or fields of the flat form
            in columns of their own; missing values are left out.

    Returns:
        `probability` (float64), `prediction` (int64) and `interpretation` (str), with the index of `frame`.

    Raises:
        RequestError: a row cannot be read; names row, field, value and what is allowed. Then no row is predicted.
    """
    requests = parse_batch(_contents(frame))
    for number, result in enumerate(requests.results):
        if isinstance(result, InvalidRequestError):
            raise RequestError(f"row {number}: {result}")
    probabilities = bundle.predict(requests.arrays).tolist()
    return pd.DataFrame(
        [(probability, *classify(probability, bundle.threshold)) for probability in probabilities],
        columns=["probability", "prediction", "interpretation"],
        index=frame.index,
    )


def _contents(frame: pd.DataFrame) -> Iterator[Any]:
    """The JSON content of every row."""
    text_columns = [name for name in (NESTED_COLUMN, FLAT_COLUMN) if name in frame]
    fields = [name for name in FIELD_KINDS if name in frame]
    if not text_columns and not fields:
        others = ", ".join(map(str, frame.columns)) or "none of these"  # MLflow leaves out what it does not know
        raise RequestError(f"the input {_ALLOWED}; it has {others}")
    if not len(frame):
        raise RequestError("no accident: the input has no rows")
    texts = [frame[name].tolist() for name in text_columns]
    values = [frame[name].tolist() for name in fields]
    for number in range(len(frame)):
        given = [column[number] for column in texts if isinstance(column[number], str) and column[number]]
        row = {name: _plain(column[number]) for name, column in zip(fields, values, strict=True)}
        flat = {name: value for name, value in row.items() if value is not None}
        if len(given) + bool(flat) != 1:
            raise RequestError(f"row {number}: {_ALLOWED}")
        yield flat or _parse_json(number, given[0])


def _plain(value: Any) -> Any:
    """A cell as JSON holds it: None where it is missing, and whole numbers without the `.0` of a numeric column."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124  # NaN
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _parse_json(number: int, text: str) -> Any:
    if len(text) > _MAX_CHARACTERS:
        raise RequestError(f"row {number}: longer than {_MAX_CHARACTERS:,} characters, too long for one accident")
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise RequestError(f"row {number}: no JSON: {error}") from None
