"""Matching by season and hour: the shares that a reference would have in the months and hours of a window.

Where the reference lacks the months of the window, the year of a profile says how a column differs between the two.
"""

import numpy as np
import numpy.typing as npt

from accidents.bundle.reference import BANDS, MONTHS

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.float64]
"""Rows by month and band of hours, float64 (`MONTHS`, `BANDS`)."""

_LEAST_ROWS = 10
"""Rows of a cell of the reference below which a wider one stands in for it, the hours before the month.

How few they are counts as uncertainty; another mix of hours would be a bias, above all of the light.
"""

ANY_MONTH, ANY_BAND = MONTHS - 1, BANDS - 1


def months_without_reference(window: Cells, reference_months: Floats, least: int) -> tuple[list[int], float]:
    """Months of a window that the reference does not have, 1 to 12, and the share of the accidents in them.

    Args:
        window: accidents by month and band.
        reference_months: accidents of the reference by month, float64 (12).
        least: number of accidents from which on the reference has a month.
    """
    by_month = window.sum(axis=1)[:ANY_MONTH]
    absent = (reference_months < least) & (by_month > 0)
    return [int(month) + 1 for month in np.flatnonzero(absent)], float(by_month[absent].sum() / max(by_month.sum(), 1))


def matched_shares(counts: Floats, window: Cells) -> tuple[Floats, float]:
    """Shares of the values of a column that the reference would have in the cells of a window.

    Args:
        counts: of the reference by month, band and value, (`MONTHS`, `BANDS`, k).
        window: rows of the window by cell.

    Returns:
        The shares, float64 (k), and the number of independent rows that would know them as well; zeros without rows.
    """
    rows, total = counts.sum(axis=2), window.sum()
    if rows.sum() <= 0 or total <= 0:
        return np.zeros(counts.shape[2]), 0.0
    rest, by_month, by_band = window / total, rows.sum(axis=1), rows.sum(axis=0)
    weights = np.zeros_like(window)  # of the reference, by cell: one that stands in for others counts once
    matched = rows >= _LEAST_ROWS
    matched[ANY_MONTH], matched[:, ANY_BAND] = False, False
    weights[matched], rest[matched] = rest[matched], 0
    for band in np.flatnonzero(by_band[:ANY_BAND] >= _LEAST_ROWS):
        weights[:, band] += rest[:, band].sum() * rows[:, band] / by_band[band]
        rest[:, band] = 0
    for month in np.flatnonzero(by_month[:ANY_MONTH] >= _LEAST_ROWS):
        weights[month] += rest[month].sum() * rows[month] / by_month[month]
        rest[month] = 0
    weights += rest.sum() * rows / rows.sum()
    used = weights > 0
    shares = (weights[used, None] * counts[used] / rows[used, None]).sum(axis=0)
    return shares, float(1 / (weights[used] ** 2 / rows[used]).sum())


def by_month_alone(cells: Cells) -> Cells:
    """The cells without their hours."""
    result = np.zeros_like(cells)
    result[:, ANY_BAND] = cells.sum(axis=1)
    return result


def by_hour_alone(cells: Cells) -> Cells:
    """The cells without their months."""
    result = np.zeros_like(cells)
    result[ANY_MONTH] = cells.sum(axis=0)
    return result


def seasonal_shares(counts: Floats, profile: Floats, window: Cells, reference_months: Floats) -> tuple[Floats, float]:
    """Shares that a column of the reference would have in months that it lacks, by the seasons of another year.

    The shares of the reference are multiplied by the ratio of those of the profile in the months of the window to
    those in the months of the reference, hours matched in both.

    Args:
        counts: of the reference by month, band and value.
        profile: those of another year.
        window: rows of the window by cell.
        reference_months: accidents of the reference by month, float64 (12).

    Returns:
        As `matched_shares`.
    """
    own, size = matched_shares(counts, by_hour_alone(window))
    there, size_there = matched_shares(profile, window)
    hours = window.sum(axis=0) / max(window.sum(), 1)
    months = np.append(reference_months / max(reference_months.sum(), 1), 0)
    here, size_here = matched_shares(profile, window.sum() * months[:, None] * hours)
    if not (size and size_there and size_here):
        return own, size
    prior = 1 / min(size_there, size_here)
    shares = own * (there + prior) / (here + prior)
    return shares / shares.sum(), 1 / (1 / size + 1 / size_there + 1 / size_here)
