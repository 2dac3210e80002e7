"""Validation of a frame by its schema, with one error that names column, check, and how many rows fail it."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from accidents.errors import DataError

_MAX_FAILURES = 8


def validate_frame(frame: object, name: str, schema: Callable[[], Any]) -> None:
    """Check that a frame matches its schema.

    Args:
        frame: what should be such a frame.
        name: of the frame, for the message.
        schema: returns the pandera schema.

    Raises:
        DataError: it does not; the message has a table of the failures.
    """
    from pandera.errors import SchemaError, SchemaErrors

    try:
        schema().validate(frame, lazy=True, inplace=True)  # a copy is as large as the frame
    except (SchemaError, SchemaErrors) as error:
        raise DataError(f"the frame '{name}' breaks its schema:\n{_failures(error)}") from None


def _failures(error: Any) -> str:
    """Table of the failures by column and check, with number of rows and an example."""
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame):
        return str(error)
    table = (
        cases.groupby(["column", "check"], dropna=False)
        .agg(rows=("failure_case", "size"), first_value=("failure_case", "first"), first_row=("index", "first"))
        .reset_index()
    )
    more = f"\n… and {len(table) - _MAX_FAILURES} more" if len(table) > _MAX_FAILURES else ""
    return table.head(_MAX_FAILURES).to_string(index=False) + more
