"""Split of the accidents into training, validation and test set.

An accident is one row, so that no accident is in two sets. Every model type gets the same split.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.configuration.training import SplitSettings
from accidents.errors import DataError
from accidents.tables import LABEL, Subset

DATE = "date"
"""Column of the day of an accident, beside features and label; not a feature."""


def join_labels(features: pd.DataFrame, accidents: pd.DataFrame) -> pd.DataFrame:
    """Add label and date to a feature frame.

    Args:
        features: a feature frame (`accidents.features.feature_frame`).
        accidents: `Accidents.accidents` of the same accidents in the same order.

    Returns:
        The columns of `features`, `LABEL` (int8) and `DATE` (datetime64, NaT where missing), with a RangeIndex.

    Raises:
        DataError: the two frames are not about the same accidents.
    """
    if not np.array_equal(features["Num_Acc"], accidents["Num_Acc"]):
        raise DataError(
            f"features of {len(features)} accidents do not fit {len(accidents)} accidents: Num_Acc differs; "
            "build the features again from these accidents"
        )
    days = accidents[["an", "mois", "jour"]].set_axis(["year", "month", "day"], axis=1)
    joined = pd.DataFrame({LABEL: accidents[LABEL].array, DATE: pd.to_datetime(days, errors="coerce").array})
    return pd.concat([features.reset_index(drop=True), joined], axis=1)


def accident_months(frame: pd.DataFrame) -> pd.Series:
    """Month of each accident of a frame of `join_labels`, such as `2024-01`, str (n); missing where the date is."""
    dates = frame[DATE]
    months = dates.to_numpy().astype("datetime64[M]")  # many times faster than strftime
    return pd.Series(np.datetime_as_string(months), index=dates.index).where(dates.notna())


def assign_subsets(frame: pd.DataFrame, settings: SplitSettings, seed: int) -> npt.NDArray[np.object_]:
    """Assign each accident to a set by a hash of `Num_Acc` and the seed.

    The set of an accident depends neither on the order of the rows nor on the other accidents.

    Args:
        frame: from `join_labels`.
        settings: kind of split, and shares.
        seed: random seed.

    Returns:
        A `Subset` a row, object (n); `UNKNOWN` where the label is missing.

    Raises:
        DataError: the split is temporal and an accident has no date.
    """
    ids = frame["Num_Acc"].to_numpy()
    has_label = frame[LABEL].to_numpy() >= 0
    test_seed, validation_seed = np.random.default_rng(seed).integers(2**63, size=2)
    if settings.kind == "random":
        test = hash_uniform(ids, test_seed) < settings.test_share
    else:
        test = _latest(frame[DATE], has_label, settings)
    validation = hash_uniform(ids, validation_seed) < settings.validation_share
    subsets = np.where(test, Subset.TEST, np.where(validation, Subset.VALIDATION, Subset.TRAINING)).astype(object)
    subsets[~has_label] = Subset.UNKNOWN
    return subsets


def hash_uniform(ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.float64]:
    """Pseudo-random numbers in [0, 1] that depend on id and seed alone, float64 (n).

    >>> hash_uniform(np.array([202400000001, 202400000001]), 7).round(3).tolist()
    [0.959, 0.959]
    """
    return pd.util.hash_array(ids.astype(np.uint64) ^ np.uint64(seed)) / 2.0**64


def _latest(dates: pd.Series, has_label: npt.NDArray[np.bool_], settings: SplitSettings) -> npt.NDArray[np.bool_]:
    if dates.isna().any():
        raise DataError(f"a temporal split needs the date of every accident; {int(dates.isna().sum())} have none")
    first = settings.test_from
    day = pd.Timestamp(first) if first else dates[has_label].quantile(1 - settings.test_share, interpolation="higher")
    return (dates >= day).to_numpy()
