"""Reference distributions of the columns of published files: classes of values, and the share of each class.

The shares are counted from real files by `scripts/build_cleaning_references.py`.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from accidents.columns import TABLES, Column, ColumnKind, Table
from accidents.reading.layout import Layout

REFERENCE = Path(__file__).with_name("reference_distributions.json")

# Classes: each number up to the limit, "larger", then text that is no number by its length, then "missing".
_LARGE = 250
_LONGEST_TEXT = 9
MISSING_CLASS = _LARGE + 1 + _LONGEST_TEXT + 1
"""The class of missing cells, the last one."""

_UNSEEN = 1e-4  # share of a class that the reference does not have


def count_value_classes(frame: pd.DataFrame, table: Table) -> dict[str, np.ndarray]:
    """Count the cells of each class, for each column that has a reference distribution.

    Args:
        frame: typed rows of the table.
        table: which of the four tables it is.

    Returns:
        int64 (`MISSING_CLASS` + 1) by column.
    """
    return {
        column.name: np.bincount(value_classes(frame[column.name], column), minlength=MISSING_CLASS + 1)
        for column in TABLES[table].values()
        if has_reference(column)
    }


def has_reference(column: Column) -> bool:
    """Whether the distribution of a column is compared: codes, small numbers and short text.

    Values of other columns break a rule wherever they do not belong.
    """
    if column.kind is ColumnKind.TEXT:
        return not column.pattern and column.last_year is None and column.name != "adr"
    small = column.minimum is not None and column.minimum < _LARGE
    return column.kind is ColumnKind.CODE or (
        column.kind in {ColumnKind.INTEGER, ColumnKind.NUMBER} and small and column.unit != "degrees"
    )


def value_classes(values: pd.Series, column: Column) -> np.ndarray:
    """Class of every typed value of a column (int64)."""
    if column.kind is ColumnKind.TEXT:
        codes, distinct = pd.factorize(values)
        return np.array([*(_text_class(text) for text in distinct.tolist()), MISSING_CLASS], dtype=np.int64)[codes]
    numbers = values.to_numpy()
    recorded = numbers >= 0  # NaN and -1 are not
    rounded = np.minimum(np.round(np.where(recorded, numbers, 0)), _LARGE).astype(np.int64)
    return np.where(recorded, rounded, MISSING_CLASS)


def _text_class(text: str) -> int:
    try:
        return min(max(round(float(text.replace(",", "."))), 0), _LARGE)
    except (ValueError, OverflowError):
        return _LARGE + 1 + min(len(text), _LONGEST_TEXT)


@cache
def reference_shares(table: Table, layout: Layout) -> Mapping[str, np.ndarray]:
    """Reference distribution of each column: shares of the classes, float64 (`MISSING_CLASS` + 1)."""
    by_layout = json.loads(REFERENCE.read_text(encoding="utf-8"))["shares"]
    columns = by_layout[layout.name].get(table.value) or by_layout[Layout.SINCE_2019.name][table.value]
    reference = {}
    for name, shares in columns.items():
        reference[name] = np.zeros(MISSING_CLASS + 1)
        reference[name][[int(value_class) for value_class in shares]] = list(shares.values())
    return reference


def log_probabilities(shares: np.ndarray) -> np.ndarray:
    """Logarithms of the shares of classes, smoothed so that classes without a share are finite."""
    smoothed = shares / max(shares.sum(), _UNSEEN) + _UNSEEN
    return np.log(smoothed / smoothed.sum())
