"""Detects rows whose cells are shifted by one column, as where a field was lost or inserted.

Single cells of such a row may be allowed in the column where they are. A shift is detected by a run of adjacent cells
that fit the columns to their left, or to their right, far better than their own.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter

import numpy as np
import pandas as pd
import pyarrow as pa

from accidents.cleaning.value_distribution import has_reference, log_probabilities, reference_shares, value_classes
from accidents.columns import TABLES, Column, ColumnKind
from accidents.reading.cell_values import normalise_texts, parse_values
from accidents.reading.layout import Layout
from accidents.reading.spellings import NO_BREAK_SPACES
from accidents.reading.typed_table import ParsedFile

_MIN_EVIDENCE = 18.0
"""Nats by which a run of cells must fit the adjacent columns better. In the official files no row reaches 17."""

_MAX_CELL_EVIDENCE = 9.0  # about the cost of a value that was never seen: one odd cell alone is no evidence
_RULE_EVIDENCE = 5.0  # of a cell that breaks its rule, where a column has no reference distribution
_LEFT, _RIGHT = -1, 1


def find_shifted_rows(file: ParsedFile) -> tuple[np.ndarray, str]:
    """Find shifted rows; there are none where cells break their rule in fewer than two columns.

    The evidence of a cell is log p(adjacent column) - log p(own column), with p the reference share of its class of
    value; a value that breaks the rule of a column counts as never seen there. A row is shifted where the evidence of
    a run of columns sums to `_MIN_EVIDENCE`.

    Returns:
        Shifted rows, bool, one element a row; and the column where the shift of the first one begins.
    """
    mask = np.zeros(len(file.rows), dtype=bool)
    names = list(file.texts)
    first = (len(mask), "")
    for side in (_LEFT, _RIGHT):
        evidence, starts = _best_run(_cell_evidence(file, names, side), len(mask))
        shifted = evidence >= _MIN_EVIDENCE
        if shifted.any():
            row = int(np.argmax(shifted))
            first = min(first, (row, names[starts[row]]), key=itemgetter(0))
            mask |= shifted
    return mask, first[1]


def _cell_evidence(file: ParsedFile, names: Sequence[str], side: int) -> list[np.ndarray | None]:
    """For each column the evidence of each of its cells; None where the two columns cannot be compared."""
    evidence: list[np.ndarray | None] = []
    reference = reference_shares(file.table, file.layout)
    for index, name in enumerate(names):
        adjacent = index + side
        columns = [TABLES[file.table][names[i]] for i in (index, adjacent) if 0 <= i < len(names)]
        if len(columns) < 2 or any(column.kind is ColumnKind.ID for column in columns):
            evidence.append(None)
            continue
        cells = file.texts[name]
        own, other = (
            _log_likelihood(normalise_texts(cells.dictionary, column, NO_BREAK_SPACES), column, file.layout, reference)
            for column in columns
        )
        evidence.append(_difference(own, other)[cells.indices.to_numpy()])
    return evidence


def _log_likelihood(texts: pa.Array, column: Column, layout: Layout, reference: Mapping[str, np.ndarray]) -> np.ndarray:
    """Log share of each text in a column: NaN without a reference, -inf where it is invalid."""
    parsed = parse_values(texts, column, layout)
    result = np.full(len(texts), np.nan)
    if has_reference(column) and column.name in reference:
        result = log_probabilities(reference[column.name])[value_classes(pd.Series(parsed.array), column)]
    return np.where(parsed.invalid, -np.inf, result)


def _difference(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        difference = np.where(np.isinf(own) & np.isinf(other), 0.0, other - own)
    unknown = np.isnan(own) | np.isnan(other)
    by_rule = _RULE_EVIDENCE * (np.isinf(own).astype(float) - np.isinf(other))
    return np.clip(np.where(unknown, by_rule, difference), -_MAX_CELL_EVIDENCE, _MAX_CELL_EVIDENCE)


def _best_run(evidence: Sequence[np.ndarray | None], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Maximum subarray of each row (Kadane's algorithm): its sum (float64) and its first column (int64)."""
    best, running = np.zeros(rows), np.zeros(rows)
    best_start, start = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for index, cells in enumerate(evidence):
        if cells is None:
            running[:] = 0
            continue
        start[running == 0] = index
        running = np.maximum(running + cells, 0)
        better = running > best
        best[better], best_start[better] = running[better], start[better]
    return best, best_start
