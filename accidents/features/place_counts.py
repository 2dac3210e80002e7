"""Counts of accidents by cell, which the place encoder is fitted on: those of parts of the accidents add up exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CellCounts:
    """Accidents by cell of one kind, and by the cells around it.

    Attributes:
        cells: int64 (m, c), distinct and sorted: the cell, its parent cell and so on; -1 where missing.
        accidents: int64 (m).
        priority: int64 (m), priority accidents.
    """

    cells: Integers
    accidents: Integers
    priority: Integers

    @classmethod
    def count(cls, cells: Integers, labels: Integers) -> Self:
        """Count accidents, given by the cells (n, c) and the label 0 or 1 (n) of each."""
        return cls(cells, np.ones_like(labels), labels)._distinct()

    @classmethod
    def sum(cls, parts: Sequence[Self]) -> Self:
        """Counts of the accidents of all parts."""
        joined = (np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls))
        return cls(*joined)._distinct()

    def _distinct(self) -> Self:
        order = np.lexsort(self.cells.T[::-1])
        cells = self.cells[order]
        first = np.flatnonzero(np.append(True, (cells[1:] != cells[:-1]).any(axis=1)))
        sums = (np.add.reduceat(counts[order], first) for counts in (self.accidents, self.priority))
        return type(self)(cells[first], *sums)
