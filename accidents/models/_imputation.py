"""Median imputation, for model types that need a number in every cell."""

import numpy as np

from accidents.models.base import Matrix


def medians_of(X: Matrix) -> Matrix:
    """Median of each column without its missing values, float32 (k); 0 for a column without any value."""
    return np.array([np.median(column[~np.isnan(column)]) if np.isfinite(column).any() else 0 for column in X.T], "f4")


def impute(X: Matrix, medians: Matrix) -> Matrix:
    """`X` with NaN replaced by the median of its column, float32 of the same shape."""
    return np.where(np.isnan(X), medians, X)
