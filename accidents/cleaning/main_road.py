"""Selects the main road of an accident: since 2024 `lieux` has several rows an accident, such as both of a junction."""

import numpy as np
import pandas as pd

from accidents.columns import ACCIDENT_ID, MISSING, TABLES, Table

# From the highest class down; classes that a code list adds later come last.
_CLASSES = (1, 2, 3, 7, 4, 9, 6, 5)


def select_main_roads(roads: pd.DataFrame) -> np.ndarray:
    """Select the `lieux` row that represents each accident.

    The row with the fewest missing cells; among those the road of the highest class (motorway, national, departmental,
    metropolis, communal, other, car park, off the public network); among those the first by content, compared column by
    column. The result does not depend on the order of the rows, except between identical ones.

    Args:
        roads: rows of `lieux`, typed.

    Returns:
        bool, one element a row, true for exactly one row of each accident.
    """
    ids = roads[ACCIDENT_ID]
    selected = np.ones(len(ids), dtype=bool)
    several = np.flatnonzero(ids.duplicated(keep=False))
    if not len(several):
        return selected
    rows = roads.iloc[several].set_index(several)
    rank = {code: place for place, code in enumerate(reversed(_CLASSES), start=1)}
    missing = [(rows[name].isna() | (rows[name] == MISSING)).to_numpy() for name in TABLES[Table.LIEUX]]
    recorded = len(missing) - np.sum(missing, axis=0)
    score = recorded * (len(rank) + 1) + rows["catr"].map(rank).fillna(0).to_numpy(dtype=np.int64)
    best = rows[score == pd.Series(score).groupby(rows[ACCIDENT_ID].to_numpy()).transform("max").to_numpy()]
    tied = best[ACCIDENT_ID].duplicated(keep=False)
    first = best[tied].sort_values(list(TABLES[Table.LIEUX])).drop_duplicates(ACCIDENT_ID)
    selected[several] = False
    selected[best.index[~tied]] = True
    selected[first.index] = True
    return selected
