"""Dates of accidents: they exist, are of the year of the edition, and are not in the future."""

from datetime import date

import numpy as np
import pandas as pd

from accidents.columns import MISSING


def accident_dates(frame: pd.DataFrame) -> np.ndarray:
    """The day of each accident (datetime64[D]); NaT where a part is missing or the day does not exist.

    Args:
        frame: the columns `an`, `mois` and `jour`, -1 where missing.
    """
    year, month, day = (frame[name].to_numpy().astype(np.int64) for name in ("an", "mois", "jour"))
    known = (year != MISSING) & (month != MISSING) & (day != MISSING)
    months = (np.where(known, year - 1970, 0) * 12 + np.where(known, month - 1, 0)).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + np.where(known, day - 1, 0)
    dates[~known | (dates.astype("datetime64[M]") != months)] = np.datetime64("NaT")
    return dates


def nonexistent_days(frame: pd.DataFrame) -> np.ndarray:
    """Bool mask of accidents on a day that does not exist, such as 31 February."""
    known = (frame[["an", "mois", "jour"]] != MISSING).to_numpy().all(axis=1)
    return known & np.isnat(accident_dates(frame))


def after(frame: pd.DataFrame, today: date) -> np.ndarray:
    """Bool mask of accidents after `today`."""
    return accident_dates(frame) > np.datetime64(today)


def in_another_year(frame: pd.DataFrame, year: int) -> np.ndarray:
    """Bool mask of accidents whose `an` is recorded and is not the year of the edition."""
    years = frame["an"].to_numpy()
    return (years != MISSING) & (years != year)
