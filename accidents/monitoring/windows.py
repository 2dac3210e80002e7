"""Windows to monitor: accidents of files, or logged predictions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from accidents.bundle import Bundle
from accidents.errors import DataError
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
from accidents.features.arrays import to_arrays
from accidents.features.frame import arrays_frame
from accidents.monitoring.monitor import Window
from accidents.monitoring.reference import days_of
from accidents.requests import parse_batch
from accidents.tables import LABEL, Accidents
from accidents.training.held_out import held_out_rows

_MONTH = COLUMN_POSITIONS[Entity.ACCIDENT]["mois"]
_LEAST_EARLIER_DAYS = 7


def window_of_accidents(accidents: Accidents, bundle: Bundle) -> Window:
    """A window of accidents; those that the model has learned from count as inputs alone."""
    arrays = to_arrays(accidents)
    table = accidents.accidents
    features = arrays_frame(table["Num_Acc"], arrays)
    probability, labels = bundle.predict(features), table[LABEL].to_numpy(np.float64)
    try:
        rows = held_out_rows({bundle.model_type: bundle}, features, table)
    except DataError:  # none has a label, or the model has learned from all
        rows = np.array([], dtype=np.int64)
    new = np.zeros(len(table), dtype=bool)
    new[rows] = True
    unlabelled = labels < 0
    return Window(
        arrays,
        np.where(new | unlabelled, probability, np.nan),
        np.where(new, labels, np.nan),
        days_of(table),
    )


def window_of_predictions(
    contents: Sequence[Any],
    probability: Sequence[float],
    outcomes: Sequence[int | None],
    times: Sequence[datetime],
    earlier: Sequence[datetime],
) -> Window:
    """A window of logged predictions; accidents that are not valid are left out.

    Args:
        contents: the accidents as JSON objects in either form.
        probability: of each, NaN where another model has made it.
        outcomes: of each, None where it is not known.
        times: of the predictions; where an accident has no month, it is that of its prediction.
        earlier: times of predictions before, from which the usual number a day follows.
    """
    batch = parse_batch(contents, derive=True)
    kept = np.array(batch.valid_positions, dtype=np.intp)
    months = np.array([time.month for time in times], dtype=np.int16)[kept]
    accident = batch.arrays.accident.copy()
    accident[:, _MONTH] = np.where(accident[:, _MONTH] < 1, months, accident[:, _MONTH])
    labels = np.array([np.nan if outcome is None else outcome for outcome in outcomes], dtype=np.float64)
    return Window(
        replace(batch.arrays, accident=accident),
        np.array(probability, dtype=np.float64)[kept],
        labels[kept],
        _days(times)[kept],
        _usual_volume(_days(earlier)),
    )


def _days(times: Sequence[datetime]) -> npt.NDArray[np.int64]:
    return np.array([int(time.timestamp() // 86_400) for time in times], dtype=np.int64)


def _usual_volume(days: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Volume of earlier days for every month; none where they are too few.

    Months are not told apart: a service seldom has a log of the same season.
    """
    volume = np.zeros((12, 3))
    if not len(days) or (length := int(days.max() - days.min()) + 1) < _LEAST_EARLIER_DAYS:
        return volume
    counts = np.bincount(days - days.min(), minlength=length)
    volume[:] = counts.sum(), length, counts.var(ddof=1) / counts.mean()
    return volume
