"""Rows whose cells stand one column beside their own, as where a field was lost or put in.

Single cells of such a row may be allowed where they stand; what gives the row away is that a run of neighbouring cells
fits the columns to their left, or to their right, far better than their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from accidents.cleaning.value_distribution import has_reference, log_probabilities, reference_shares, value_classes
from accidents.columns import TABLES, Column, ColumnKind
from accidents.reading.cell_values import NO_BREAK_SPACES, normalise_spaces, parse_values
from accidents.reading.layout import Layout
from accidents.reading.typed_table import ParsedFile

_EVIDENCE = 18.0
"""Nats by which a run of cells must fit the neighbouring columns better. In the official files no row reaches 17."""

_MOST_OF_A_CELL = 9.0  # about what a value that was never seen costs: one odd cell alone proves nothing
_OF_A_RULE = 5.0  # where a column has no usual contents, a cell that breaks its rule tells this much
_LEFT, _RIGHT = -1, 1


@dataclass(frozen=True)
class ShiftedRows:
    """Rows that are displaced (bool mask), and the column in which the first of them begins to be."""

    mask: np.ndarray
    column: str


def find_shifted_rows(file: ParsedFile) -> ShiftedRows:
    """Find displaced rows; none where the file has cells that break their rule in fewer than two columns.

    A cell gains log p(neighbour) - log p(own), with p the usual share of its class of value in a column; one that
    breaks the rule of a column counts as never seen there. A row is displaced where the gains of some run of columns
    amount to `_EVIDENCE`.
    """
    mask = np.zeros(len(file.rows), dtype=bool)
    names = list(file.texts)
    first: tuple[int, str] | None = None
    for side in (_LEFT, _RIGHT):
        most, begins = _best_run(_gains(file, names, side), len(mask))
        found = most >= _EVIDENCE
        if found.any():
            row = int(np.argmax(found))
            if first is None or row < first[0]:
                first = (row, names[begins[row]])
            mask |= found
    return ShiftedRows(mask, first[1] if first else "")


def _gains(file: ParsedFile, names: Sequence[str], side: int) -> list[np.ndarray | None]:
    """For each column what each of its cells gains from being read as the neighbour; None where nothing compares."""
    gains: list[np.ndarray | None] = []
    usual = reference_shares(file.table, file.layout)
    for place, name in enumerate(names):
        other = place + side
        columns = [TABLES[file.table][names[one]] for one in (place, other) if 0 <= one < len(names)]
        if len(columns) < 2 or any(column.kind is ColumnKind.ID for column in columns):
            gains.append(None)
            continue
        cells = file.texts[name]
        texts = normalise_spaces(cells.dictionary, NO_BREAK_SPACES)
        own, there = (_fit(texts, column, file.layout, usual) for column in columns)
        gains.append(_gain(own, there)[cells.indices.to_numpy()])
    return gains


def _fit(texts: pa.Array, column: Column, layout: Layout, usual: Mapping[str, np.ndarray]) -> np.ndarray:
    """How usual each text is in a column: the log of its share, NaN where this is not known, -inf where it is bad."""
    parsed = parse_values(texts, column, layout)
    fit = np.full(len(texts), np.nan)
    if has_reference(column) and column.name in usual:
        fit = log_probabilities(usual[column.name])[value_classes(pd.Series(parsed.distinct), column)]
    return np.where(parsed.bad, -np.inf, fit)


def _gain(own: np.ndarray, there: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        gain = np.where(np.isinf(own) & np.isinf(there), 0.0, there - own)
    unknown = np.isnan(own) | np.isnan(there)
    rule = _OF_A_RULE * (np.isinf(own).astype(float) - np.isinf(there))
    return np.clip(np.where(unknown, rule, gain), -_MOST_OF_A_CELL, _MOST_OF_A_CELL)


def _best_run(gains: Sequence[np.ndarray | None], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest sum of neighbouring gains of each row (float64), and the column where it begins (int64)."""
    most, running = np.zeros(rows), np.zeros(rows)
    begins, started = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for place, gain in enumerate(gains):
        if gain is None:
            running[:] = 0
            continue
        started[running == 0] = place
        running = np.maximum(running + gain, 0)
        better = running > most
        most[better], begins[better] = running[better], started[better]
    return most, begins
