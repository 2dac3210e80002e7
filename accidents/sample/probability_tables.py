"""Conditional probability tables: counting, storage and sampling.

Counts exist for every combination of the first 0, 1, 2 … conditions of a variable. Combinations with fewer than
`MIN_ROWS` rows and counts below `MIN_COUNT` are left out, so that no row can be recovered from them; they are sampled
from the next coarser combination.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MIN_ROWS = 30
MIN_COUNT = 5

_TOTAL = -1
_WEIGHT_OF_COARSER = 3.0
"""Weight of the coarser combination in the smoothing, in rows."""

FOLDER = Path(__file__).parent
COUNTS = FOLDER / "frequencies.parquet"
DOMAINS = FOLDER / "domains.json"
SCORES = FOLDER / "scores.parquet"


def combination_index(columns: list[NDArray], sizes: list[int], rows: int | None = None) -> NDArray[np.int64]:
    """Mixed-radix index of the combination of `columns`, each below its size; `rows` zeros without columns.

    >>> combination_index([np.array([1, 0]), np.array([2, 1])], [2, 3]).tolist()
    [5, 1]
    """
    result = np.zeros(len(columns[0]) if rows is None else rows, dtype=np.int64)
    for column, size in zip(columns, sizes, strict=True):
        result = result * size + column
    return result


def count_combinations(values: NDArray, width: int, conditions: list[NDArray], sizes: list[int]) -> pd.DataFrame:
    """Counts of `values` (codes below `width`) for every prefix of `conditions`, rare ones left out.

    Returns:
        Columns `depth`, `combination`, `value` and `count`; the value -1 stands for all rows of the combination.
    """
    parts = []
    for depth in range(len(conditions) + 1):
        combinations = combination_index(conditions[:depth], sizes[:depth], len(values))
        pairs, counts = np.unique(combinations * width + values, return_counts=True)
        cells = pd.DataFrame({"combination": pairs // width, "value": pairs % width, "count": counts})
        totals = cells.groupby("combination", as_index=False)["count"].sum()
        totals = totals[totals["count"] >= MIN_ROWS]
        cells = cells[(cells["count"] >= MIN_COUNT) & cells["combination"].isin(totals["combination"])]
        parts.append(pd.concat([totals.assign(value=_TOTAL), cells]).assign(depth=depth))
    return pd.concat(parts).sort_values(["depth", "combination", "value"], ignore_index=True)


@dataclass(frozen=True)
class ConditionalProbabilityTable:
    """The distribution of one variable given its conditions.

    Attributes:
        width: number of values of the variable.
        sizes: numbers of values of the conditions.
        row_of: int32, the row of each combination of conditions.
        steps: float64, the cumulative probabilities of all rows, each plus the number of its row, so that one binary
            search samples from any row.
    """

    width: int
    sizes: tuple[int, ...]
    row_of: NDArray[np.int32]
    steps: NDArray[np.float64]

    def sample(self, conditions: list[NDArray], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """Sample one value for each element of `uniform` (in [0, 1)) by inversion, given the conditions."""
        row = self.row_of[combination_index(conditions, list(self.sizes), len(uniform))]
        value = np.searchsorted(self.steps, row + uniform, side="right") - row * np.int64(self.width)
        return np.minimum(value, self.width - 1)

    def reweighted(self, weights: NDArray[np.float64]) -> "ConditionalProbabilityTable":
        """The table with the probabilities of each value multiplied by its weight, and every row normalised again."""
        cumulative = self.steps.reshape(-1, self.width) - np.arange(len(self.steps) // self.width)[:, None]
        return replace(self, steps=_steps(np.diff(cumulative, axis=1, prepend=0) * weights))

    def probability_of_one(self, conditions: list[NDArray]) -> NDArray[np.float64]:
        """Probability of the value 1 of a binary variable."""
        row = self.row_of[combination_index(conditions, list(self.sizes), len(conditions[0]))]
        return 1 - (self.steps[row * 2] - row)


def build_probability_table(
    counts: pd.DataFrame, width: int, sizes: list[int], fallback: int | None = None
) -> ConditionalProbabilityTable:
    """Build a table from counts; every row is smoothed towards the next coarser one.

    Args:
        counts: from `count_combinations`.
        width: number of values of the variable.
        sizes: numbers of values of the conditions.
        fallback: the value where no combination is frequent enough; None to use the marginal distribution.
    """
    row_of = np.zeros(1, dtype=np.int32)
    rows = _marginal(counts, width, fallback)
    for depth in range(1, len(sizes) + 1):
        row_of = np.repeat(row_of, sizes[depth - 1])
        level = counts[counts["depth"] == depth]
        combinations = level.loc[level["value"] == _TOTAL, "combination"].to_numpy()
        finer = _smoothed(level, combinations, rows[row_of[combinations]])
        row_of[combinations] = len(rows) + np.arange(len(combinations), dtype=np.int32)
        rows = np.concatenate([rows, finer])
    return ConditionalProbabilityTable(width, tuple(sizes), row_of, _steps(rows))


def _steps(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative probabilities of all rows, each plus the number of its row."""
    cumulative = np.cumsum(rows, axis=1)
    cumulative /= cumulative[:, -1:]
    return (cumulative + np.arange(len(rows))[:, None]).ravel()


def _smoothed(
    level: pd.DataFrame, combinations: NDArray[np.int64], coarser: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of all combinations of one depth, given those of the coarser combinations.

    Rows left out because their value is rare are distributed over the values without a count like the coarser row.
    """
    cells = level[level["value"] != _TOTAL]
    kept = np.zeros_like(coarser)
    kept[np.searchsorted(combinations, cells["combination"]), cells["value"]] = cells["count"]
    total = level.loc[level["value"] == _TOTAL, "count"].to_numpy(float)[:, None]
    left_out = total - kept.sum(axis=1, keepdims=True)
    rare = np.where(kept == 0, coarser, 0.0)
    rare = np.where(rare.any(axis=1, keepdims=True), rare, coarser)
    rows = kept + left_out * rare / rare.sum(axis=1, keepdims=True) + _WEIGHT_OF_COARSER * coarser
    return rows / rows.sum(axis=1, keepdims=True)


def _marginal(counts: pd.DataFrame, width: int, fallback: int | None) -> NDArray[np.float64]:
    row = np.zeros((1, width))
    if fallback is None:
        cells = counts[(counts["depth"] == 0) & (counts["value"] != _TOTAL)]
        row[0, cells["value"]] = cells["count"]
    else:
        row[0, fallback] = 1
    return row / row.sum()


@cache
def domains() -> Mapping[str, list[int | str]]:
    """Published values of every counted variable, in the order of their codes."""
    return json.loads(DOMAINS.read_text(encoding="utf-8"))


@cache
def counts_by_variable() -> Mapping[str, pd.DataFrame]:
    """The stored counts, by variable."""
    counts = pd.read_parquet(COUNTS)
    return {str(name): rows for name, rows in counts.groupby("variable", observed=True)}
