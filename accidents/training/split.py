"""Which accident belongs to which part: training, validation, test, or none because its label is not known.

An accident is one row, so that no accident is ever in two parts. Every model sees the same parts.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.configuration.training import SplitSettings
from accidents.errors import DataError
from accidents.tables import LABEL, Subset

DATE = "date"
"""Column of the day of an accident, beside features and label; not a feature."""


def labelled(features: pd.DataFrame, accidents: pd.DataFrame) -> pd.DataFrame:
    """Put label and date beside the features of the same accidents: what `train` takes.

    Args:
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.

    Raises:
        DataError: the two frames are not about the same accidents.
    """
    if not np.array_equal(features["Num_Acc"], accidents["Num_Acc"]):
        raise DataError(
            f"features of {len(features)} accidents do not fit {len(accidents)} accidents: Num_Acc differs; "
            "build the features again from these accidents"
        )
    days = accidents[["an", "mois", "jour"]].set_axis(["year", "month", "day"], axis=1)
    beside = pd.DataFrame({LABEL: accidents[LABEL].array, DATE: pd.to_datetime(days, errors="coerce").array})
    return pd.concat([features.reset_index(drop=True), beside], axis=1)


def months_of(frame: pd.DataFrame) -> pd.Series:
    """The month of each accident of `labelled`, such as `2024-01`, str; missing where the date is."""
    dates = frame[DATE]
    months = dates.to_numpy().astype("datetime64[M]")  # many times faster than strftime
    return pd.Series(np.datetime_as_string(months), index=dates.index).where(dates.notna())


def parts_of(frame: pd.DataFrame, settings: SplitSettings, seed: int) -> npt.NDArray[np.object_]:
    """The `Subset` of each row, object (n).

    Drawn from a hash of `Num_Acc` and the seed: the part of an accident depends neither on the order of rows nor on
    which others there are.

    Raises:
        DataError: the split is temporal and an accident has no date.
    """
    ids = frame["Num_Acc"].to_numpy()
    known = frame[LABEL].to_numpy() >= 0
    test_draw, validation_draw = np.random.default_rng(seed).integers(2**63, size=2)
    if settings.kind == "random":
        test = uniform(ids, test_draw) < settings.test_share
    else:
        test = _latest(frame[DATE], known, settings)
    validation = uniform(ids, validation_draw) < settings.validation_share
    parts = np.where(test, Subset.TEST, np.where(validation, Subset.VALIDATION, Subset.TRAINING)).astype(object)
    parts[~known] = Subset.UNKNOWN
    return parts


def uniform(ids: npt.NDArray[np.int64], draw: int) -> npt.NDArray[np.float64]:
    """A number from 0 to 1 for each id, the same for the same id and draw, float64 (n)."""
    return pd.util.hash_array(ids.astype(np.uint64) ^ np.uint64(draw)) / 2.0**64


def _latest(dates: pd.Series, known: npt.NDArray[np.bool_], settings: SplitSettings) -> npt.NDArray[np.bool_]:
    if dates.isna().any():
        raise DataError(f"a temporal split needs the date of every accident; {int(dates.isna().sum())} have none")
    first = settings.test_from
    day = pd.Timestamp(first) if first else dates[known].quantile(1 - settings.test_share, interpolation="higher")
    return (dates >= day).to_numpy()
