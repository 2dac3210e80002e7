"""The choice of one road an accident."""

from collections.abc import Mapping
from itertools import pairwise
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.cleaning.main_road import select_main_roads
from accidents.columns import TABLES, ColumnKind, Table

COLUMNS = TABLES[Table.LIEUX]


def roads(*rows: Mapping[str, object]) -> pd.DataFrame:
    """Typed `lieux` rows in which nothing is recorded but what is given."""
    columns = {}
    for column in COLUMNS.values():
        absent = {ColumnKind.TEXT: None, ColumnKind.NUMBER: np.nan}.get(column.kind, -1)
        columns[column.name] = pd.Series([row.get(column.name, absent) for row in rows], dtype=column.kind.dtype)
    return pd.DataFrame(columns)


def test_the_row_with_most_cells() -> None:
    frame = roads({"Num_Acc": 1, "catr": 1}, {"Num_Acc": 1, "catr": 4, "surf": 2}, {"Num_Acc": 2, "catr": 4})
    assert select_main_roads(frame).tolist() == [False, True, True]


def test_then_the_road_of_the_highest_class() -> None:
    frame = roads(*({"Num_Acc": 1, "catr": code} for code in (4, 7, 3, 9, 5)))
    assert frame["catr"][select_main_roads(frame)].tolist() == [3]


@pytest.mark.parametrize(("higher", "lower"), pairwise([1, 2, 3, 7, 4, 9, 6, 5, -1]))
def test_each_class_goes_before_the_next(higher: int, lower: int) -> None:
    """Motorway, national, departmental, metropolis, communal, other, car park, off the public network."""
    other = {"voie": "A"} if lower == -1 else {}  # as many recorded cells
    rows = {"Num_Acc": 1, "catr": lower, **other}, {"Num_Acc": 1, "catr": higher}
    assert select_main_roads(roads(*rows)).tolist() == [False, True]
    assert select_main_roads(roads(*reversed(rows))).tolist() == [True, False]


def test_then_the_smallest_content() -> None:
    frame = roads(*({"Num_Acc": 1, "catr": 4, "voie": name} for name in ("B", "A", "C")))
    assert frame["voie"][select_main_roads(frame)].tolist() == ["A"]


def test_identical_rows_count_once() -> None:
    assert select_main_roads(roads(*[{"Num_Acc": 1, "catr": 4}] * 3)).sum() == 1


def test_single_rows_all_stay() -> None:
    assert select_main_roads(roads({"Num_Acc": 2}, {"Num_Acc": 1})).all()


row = st.fixed_dictionaries(
    {
        "Num_Acc": st.integers(1, 4),
        "catr": st.sampled_from([-1, 1, 2, 3, 4, 5, 6, 7, 9]),
        "voie": st.sampled_from([None, "A", "B"]),
        "larrout": st.sampled_from([np.nan, 5.0, 7.0]),
    }
)


def _merit(row: Mapping[str, object]) -> tuple[int, int]:
    """Number of recorded cells, and place of the class from the lowest up."""
    recorded = sum(row[name] not in (None, -1) and row[name] == row[name] for name in ("catr", "voie", "larrout"))
    return recorded, [-1, 5, 6, 9, 4, 7, 3, 2, 1].index(row["catr"])


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(st.lists(row, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_one_row_an_accident_in_any_order(rows: list[dict[str, object]], random: Random) -> None:
    frame = roads(*rows)
    chosen = frame[select_main_roads(frame)].sort_values("Num_Acc", ignore_index=True)
    assert chosen["Num_Acc"].tolist() == sorted(set(frame["Num_Acc"]))
    for accident, kept in chosen.groupby("Num_Acc"):
        mine = [row for row in rows if row["Num_Acc"] == accident]
        assert _merit(kept.iloc[0].to_dict()) == max(map(_merit, mine))
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = frame.iloc[order].reset_index(drop=True)
    again = shuffled[select_main_roads(shuffled)].sort_values("Num_Acc", ignore_index=True)
    pd.testing.assert_frame_equal(again, chosen)
