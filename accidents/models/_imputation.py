"""Median imputation, for model types that need a number in every cell."""

import numpy as np

from accidents.models.base import Matrix

_BLOCK = 65_536  # rows that are imputed at a time


def medians_of(X: Matrix) -> Matrix:
    """Median of each column without its missing values, float32 (k); 0 for a column without any value."""
    return np.array([np.median(column[~np.isnan(column)]) if np.isfinite(column).any() else 0 for column in X.T], "f4")


def impute(X: Matrix, medians: Matrix, *, overwrite: bool = False) -> Matrix:
    """`X` with NaN replaced by the median of its column, float32 of the same shape; `X` itself with `overwrite`."""
    complete, replacements = X if overwrite else X.copy(), np.broadcast_to(medians, X.shape)
    for start in range(0, len(X), _BLOCK):
        rows = slice(start, start + _BLOCK)
        np.copyto(complete[rows], replacements[rows], where=np.isnan(X[rows]))
    return complete
