"""Frequency tables: how they are counted, kept, and drawn from.

A table holds, for every combination of the first 0, 1, 2 … conditions of its variable, how often each value of the
variable occurs. Combinations with fewer than `LEAST_ROWS` rows and cells with fewer than `LEAST_CELL` are left out, so
that no row can be recovered from them: what they stand for is drawn as the next coarser combination has it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEAST_ROWS = 30
LEAST_CELL = 5

_TOTAL = -1
_WEIGHT_OF_COARSER = 3.0
"""Rows that the coarser combination is worth beside the rows of a combination."""

FOLDER = Path(__file__).parent
COUNTS = FOLDER / "frequencies.parquet"
DOMAINS = FOLDER / "domains.json"
SCORES = FOLDER / "scores.parquet"


def combination(columns: list[NDArray], sizes: list[int], rows: int | None = None) -> NDArray[np.int64]:
    """Number of the combination of `columns`, each of them below its size; `rows` zeros where there is no column."""
    result = np.zeros(len(columns[0]) if rows is None else rows, dtype=np.int64)
    for column, size in zip(columns, sizes, strict=True):
        result = result * size + column
    return result


def count(values: NDArray, width: int, conditions: list[NDArray], sizes: list[int]) -> pd.DataFrame:
    """Counts of `values` (codes below `width`) for every prefix of `conditions`, rare ones left out.

    Returns:
        Columns `depth`, `combination`, `value` and `count`; the value -1 stands for all rows of the combination.
    """
    parts = []
    for depth in range(len(conditions) + 1):
        combinations = combination(conditions[:depth], sizes[:depth], len(values))
        pairs, counts = np.unique(combinations * width + values, return_counts=True)
        cells = pd.DataFrame({"combination": pairs // width, "value": pairs % width, "count": counts})
        totals = cells.groupby("combination", as_index=False)["count"].sum()
        totals = totals[totals["count"] >= LEAST_ROWS]
        cells = cells[(cells["count"] >= LEAST_CELL) & cells["combination"].isin(totals["combination"])]
        parts.append(pd.concat([totals.assign(value=_TOTAL), cells]).assign(depth=depth))
    return pd.concat(parts).sort_values(["depth", "combination", "value"], ignore_index=True)


@dataclass(frozen=True)
class ConditionalProbabilityTable:
    """The distribution of one variable given its conditions, ready to be drawn from.

    `row_of` gives every combination its row of `steps`; `steps` holds the cumulative probabilities of all rows one
    after the other, each increased by the number of its row, so that one binary search draws from any row.
    """

    width: int
    sizes: tuple[int, ...]
    row_of: NDArray[np.int32]
    steps: NDArray[np.float64]

    def draw(self, conditions: list[NDArray], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """One value for every number of `uniform` (in [0, 1)), given the conditions in the same order."""
        row = self.row_of[combination(conditions, list(self.sizes), len(uniform))]
        found = np.searchsorted(self.steps, row + uniform, side="right") - row * np.int64(self.width)
        return np.minimum(found, self.width - 1)

    def probability(self, conditions: list[NDArray]) -> NDArray[np.float64]:
        """Probability of the value 1 of a variable with the values 0 and 1."""
        row = self.row_of[combination(conditions, list(self.sizes), len(conditions[0]))]
        return 1 - (self.steps[row * 2] - row)


def build_probability_table(
    counts: pd.DataFrame, width: int, sizes: list[int], catch_all: int | None = None
) -> ConditionalProbabilityTable:
    """Distribution from counts as `count` gives them; every row is smoothed towards the next coarser one.

    Where no combination is frequent enough, `catch_all` is drawn if there is one, else from all rows.
    """
    row_of = np.zeros(1, dtype=np.int32)
    rows = _marginal(counts, width, catch_all)
    for depth in range(1, len(sizes) + 1):
        row_of = np.repeat(row_of, sizes[depth - 1])
        level = counts[counts["depth"] == depth]
        combinations = level.loc[level["value"] == _TOTAL, "combination"].to_numpy()
        finer = _smoothed(level, combinations, rows[row_of[combinations]])
        row_of[combinations] = len(rows) + np.arange(len(combinations), dtype=np.int32)
        rows = np.concatenate([rows, finer])
    cumulative = np.cumsum(rows, axis=1)
    cumulative /= cumulative[:, -1:]
    steps = (cumulative + np.arange(len(rows))[:, None]).ravel()
    return ConditionalProbabilityTable(width, tuple(sizes), row_of, steps)


def _smoothed(
    level: pd.DataFrame, combinations: NDArray[np.int64], coarser: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of all combinations of one depth, given those of the combinations they refine.

    Rows that were left out because their value is rare go to the values without a count, as the coarser row has them.
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


def _marginal(counts: pd.DataFrame, width: int, catch_all: int | None) -> NDArray[np.float64]:
    row = np.zeros((1, width))
    if catch_all is None:
        cells = counts[(counts["depth"] == 0) & (counts["value"] != _TOTAL)]
        row[0, cells["value"]] = cells["count"]
    else:
        row[0, catch_all] = 1
    return row / row.sum()


@cache
def domains() -> Mapping[str, list[int | str]]:
    """Values of every counted variable as they are published, in the order of their codes."""
    return json.loads(DOMAINS.read_text(encoding="utf-8"))


@cache
def tables() -> Mapping[str, pd.DataFrame]:
    """The committed counts, by variable."""
    counts = pd.read_parquet(COUNTS)
    return {str(name): rows for name, rows in counts.groupby("variable", observed=True)}
