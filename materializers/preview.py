"""Preview page of a frame: schema with missing values, and the first rows."""

import pandas as pd

from accidents.columns import MISSING, TABLES
from accidents.tables import LABEL
from materializers.page import render_page

_PREVIEW_ROWS = 20
_MISSING_CODE_COLUMNS = {name for columns in TABLES.values() for name in columns} | {LABEL}


def _missing(name: str, cells: pd.Series) -> int:
    """Number of missing values: NaN, or the code for missing in a column of codes."""
    coded = name in _MISSING_CODE_COLUMNS and pd.api.types.is_integer_dtype(cells)
    return int((cells == MISSING).sum()) if coded else int(cells.isna().sum())


def preview(data: pd.DataFrame) -> str:
    """A small self-contained HTML page: schema with missing values, and the first rows.

    A frame whose rows are all shown is a table to read, and comes first; of a large one the schema comes first.
    """
    missing = [_missing(str(name), data.iloc[:, place]) for place, name in enumerate(data.columns)]
    schema = pd.DataFrame(
        {
            "column": [str(name) for name in data.columns],
            "dtype": data.dtypes.astype(str).to_numpy(),
            "missing": missing,
            "missing %": [round(100 * number / max(len(data), 1), 2) for number in missing],
        }
    )
    size = f"{len(data):,} rows, {data.shape[1]} columns"
    if 0 < len(data) <= _PREVIEW_ROWS:
        return render_page([(size, data), ("Schema", schema)])
    first_rows = [("First rows", data.head(_PREVIEW_ROWS))] if len(data) else []
    return render_page([(size, schema), *first_rows], side_by_side=True)
