"""Medians in the place of what is not recorded, for the types that cannot do without a number."""

import numpy as np

from accidents.models.base import Matrix


def medians_of(X: Matrix) -> Matrix:
    """Median of the recorded values of each column, float32 (k); 0 for a column without any."""
    return np.array([np.median(column[~np.isnan(column)]) if np.isfinite(column).any() else 0 for column in X.T], "f4")


def imputed(X: Matrix, medians: Matrix) -> Matrix:
    """`X` with the median of its column for every NaN, float32 of the same shape."""
    return np.where(np.isnan(X), medians, X)
