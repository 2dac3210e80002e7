"""The one road of an accident: since 2024 `lieux` has several rows an accident, such as both roads of a junction."""

import numpy as np
import pandas as pd

from accidents.columns import MISSING, TABLES, Table
from accidents.reading.layout import ACCIDENT_ID

# From the highest class down; classes that a code list adds later come last.
_CLASSES = (1, 2, 3, 7, 4, 9, 6, 5)


def select_main_roads(roads: pd.DataFrame) -> np.ndarray:
    """Which `lieux` row stands for its accident.

    The row with the most recorded cells; among those the road of the highest class (motorway, national, departmental,
    metropolis, communal, other, car park, off the public network); among those the smallest content, compared column by
    column. The choice does not depend on the order of the rows, except between identical ones.

    Returns:
        bool mask, true for exactly one row of each accident.
    """
    keys = roads[ACCIDENT_ID]
    chosen = np.ones(len(keys), dtype=bool)
    several = np.flatnonzero(keys.duplicated(keep=False))
    if not len(several):
        return chosen
    rows = roads.iloc[several].set_index(several)
    rank = {code: place for place, code in enumerate(reversed(_CLASSES), start=1)}
    score = _recorded(rows) * (len(rank) + 1) + rows["catr"].map(rank).fillna(0).to_numpy(dtype=np.int64)
    best = rows[score == pd.Series(score).groupby(rows[ACCIDENT_ID].to_numpy()).transform("max").to_numpy()]
    tied = best[ACCIDENT_ID].duplicated(keep=False)
    first = best[tied].sort_values(list(TABLES[Table.LIEUX])).drop_duplicates(ACCIDENT_ID)
    chosen[several] = False
    chosen[best.index[~tied]] = True
    chosen[first.index] = True
    return chosen


def _recorded(roads: pd.DataFrame) -> np.ndarray:
    """Number of recorded cells of each row."""
    missing = [(roads[name].isna() | (roads[name] == MISSING)).to_numpy() for name in TABLES[Table.LIEUX]]
    return len(missing) - np.sum(missing, axis=0)
