"""What the columns of the published files usually hold: classes of values, and the share of each class.

The shares are counted from real files; `scripts/build_cleaning_references.py` counts them anew.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from accidents.columns import TABLES, Column, ColumnKind, Table
from accidents.reading.layout import Layout

REFERENCE = Path(__file__).with_name("usual_contents.json")

# A value stands for itself up to this number, for "large" above it, and for its length where it is no number.
_LARGE = 250
_LONGEST = 9
MISSING_CLASS = _LARGE + 1 + _LONGEST + 1
"""The class of cells that are missing, the last one."""

_UNSEEN = 1e-4  # share of a value that the reference does not have


def count_value_classes(frame: pd.DataFrame, table: Table) -> dict[str, np.ndarray]:
    """Cells by class of value, for each column whose contents could pass for another's.

    Returns:
        int64 arrays; the last class is "not recorded".
    """
    return {
        column.name: np.bincount(value_classes(frame[column.name], column), minlength=MISSING_CLASS + 1)
        for column in TABLES[table].values()
        if has_reference(column)
    }


def has_reference(column: Column) -> bool:
    """Codes, small numbers and short texts; the rest breaks a rule wherever it does not belong."""
    if column.kind is ColumnKind.TEXT:
        return not column.pattern and column.last_year is None and column.name != "adr"
    small = column.minimum is not None and column.minimum < _LARGE
    return column.kind is ColumnKind.CODE or (
        column.kind in {ColumnKind.INTEGER, ColumnKind.NUMBER} and small and column.unit != "degrees"
    )


def value_classes(values: pd.Series, column: Column) -> np.ndarray:
    """The class of every typed value of a comparable column (int64)."""
    if column.kind is ColumnKind.TEXT:
        codes, distinct = pd.factorize(values)
        return np.array([*(_class(text) for text in distinct.tolist()), MISSING_CLASS], dtype=np.int64)[codes]
    numbers = values.to_numpy()
    recorded = numbers >= 0  # NaN and -1 are not
    rounded = np.minimum(np.round(np.where(recorded, numbers, 0)), _LARGE).astype(np.int64)
    return np.where(recorded, rounded, MISSING_CLASS)


def _class(text: str) -> int:
    try:
        return min(max(round(float(text.replace(",", "."))), 0), _LARGE)
    except (ValueError, OverflowError):
        return _LARGE + 1 + min(len(text), _LONGEST)


@cache
def reference_shares(table: Table, layout: Layout) -> Mapping[str, np.ndarray]:
    """Usual shares of the classes of each column, the last one "not recorded"."""
    contents = json.loads(REFERENCE.read_text(encoding="utf-8"))["shares"]
    shares = contents[layout.name].get(table.value) or contents[Layout.NEW.name][table.value]
    usual = {}
    for name, parts in shares.items():
        usual[name] = np.zeros(MISSING_CLASS + 1)
        usual[name][[int(place) for place in parts]] = list(parts.values())
    return usual


def log_probabilities(usual: np.ndarray) -> np.ndarray:
    """Logarithms of the shares of classes; one never seen gets a small share."""
    shares = usual / max(usual.sum(), _UNSEEN) + _UNSEEN
    return np.log(shares / shares.sum())
