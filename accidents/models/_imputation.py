"""Median imputation, for model types that need a number in every cell."""

from collections.abc import Iterator

import numpy as np

from accidents.models.base import Matrix

_BLOCK = 65_536  # rows that are imputed at a time
_COLUMNS = 16  # that are sorted at a time


def sorted_columns(X: Matrix) -> Iterator[Matrix]:
    """Yield the values of each column in ascending order, without the missing ones."""
    for start in range(0, X.shape[1], _COLUMNS):
        columns = np.ascontiguousarray(X[:, start : start + _COLUMNS].T)
        columns.sort(axis=1)  # NaN comes last
        for column, missing in zip(columns, np.isnan(columns).sum(axis=1), strict=True):
            yield column[: len(column) - missing]


def median_of(ascending: Matrix) -> np.float32:
    """Median of values in ascending order; 0 if there is none."""
    last = len(ascending) - 1
    return ascending[[last // 2, last - last // 2]].mean() if len(ascending) else np.float32(0)


def medians_of(X: Matrix) -> Matrix:
    """Median of each column without its missing values, float32 (k); 0 for a column without any value."""
    return np.array([median_of(column) for column in sorted_columns(X)], np.float32)


def impute(X: Matrix, medians: Matrix, *, overwrite: bool = False) -> Matrix:
    """`X` with NaN replaced by the median of its column, float32 of the same shape; `X` itself with `overwrite`."""
    complete, replacements = X if overwrite else X.copy(), np.broadcast_to(medians, X.shape)
    for start in range(0, len(X), _BLOCK):
        rows = slice(start, start + _BLOCK)
        np.copyto(complete[rows], replacements[rows], where=np.isnan(X[rows]))
    return complete
