"""A table in the flat form, parsed by columns, against each of its rows parsed like a request of its own."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.requests import InvalidRequestError, ParsedBatch, parse_batch
from accidents.requests.flat import COUNT_FIELDS, FIELDS
from accidents.requests.flat_table import parse_table, table_rows

pytestmark = pytest.mark.slow

ROWS = 6
VALID: dict[str, list[Any]] = {
    "Num_Acc": [*range(202400000001, 202400000001 + ROWS)],
    "an": [2024, 2024, 2023, 2023, None, None],
    "mois": [1, 2, 2, 12, 6, 7],
    "jour": [31, 29, 28, 31, 30, 14],
    "hrmn": ["00:00", "23:59", "08:15", "17:05", "12:00", "06:30"],
    "lum": [1, 2, 3, 4, 5, 1],
    "dep": ["59", "2A", "971", "75", "33", None],
    "com": ["59350", "2A004", "97105", "75056", None, None],
    "lat": [50.63, 41.92, 16.0, None, 44.84, None],
    "long": [3.06, 8.73, -61.7, None, -0.57, None],
    "catv": [7, 33, 1, 2, 30, 7],
    "catu": [1, 2, 3, 1, 1, 2],
    "an_nais": [1980, 2024, 1950, None, 2000, 1999],
    "nb_vehicules": [1, 2, 3, 1, 4, None],
    "nb_victim": [1, 2, 1, 5, 3, 0],
    "year_acc": [2024, None, 2023, None, 2024, -1],
}
TEXTS = ("", "-1", " 1", "1", "01", "2", "7,0", "24", "2A", "1A", "75", "59350", "12:30", "B", "na", "31", "x", "2024")
NUMBERS = (None, -1, 0, 1, 2, 3, 5, 7, 9, 24, 29, 31, 45, 59, 75, 1001, 1999, 2024, 59350, 202400000001, 10**15)
CELLS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): st.sampled_from(NUMBERS),
    pa.float64(): st.sampled_from([*NUMBERS, -0.0, 0.5, 48.8, -2.3, float("nan"), float("inf")]),
    pa.string(): st.sampled_from([None, *TEXTS, "½", "1" * 501]),
    pa.dictionary(pa.int32(), pa.string()): st.sampled_from([None, *TEXTS]),
    pa.float16(): st.sampled_from([None, np.float16(2)]),
    pa.bool_(): st.sampled_from([None, True, False]),
    pa.date32(): st.sampled_from([None, 19_000]),
    pa.list_(pa.int64()): st.sampled_from([None, [1]]),
    pa.null(): st.none(),
}
NAMES = st.sampled_from([*FIELDS, *COUNT_FIELDS])
STRANGE_NAMES = st.sampled_from(["", "Unnamed: 0", "colour", "hour", "victim_age", "Lum", "vehicles"])


@st.composite
def columns(draw: st.DrawFn) -> pa.Array:
    kind = draw(st.sampled_from([*CELLS]))
    return pa.array(draw(st.lists(CELLS[kind], min_size=ROWS, max_size=ROWS)), kind)


@st.composite
def tables(draw: st.DrawFn) -> pa.RecordBatch:
    """Valid accidents, of which some columns are left out and others replaced."""
    kept = draw(st.sets(st.sampled_from([*VALID])) | st.just({*VALID}))
    given_columns = {name: pa.array(cells) for name, cells in VALID.items() if name in kept}
    given_columns |= draw(st.dictionaries(NAMES, columns(), max_size=3))
    if draw(st.integers(0, 9)) == 9:
        given_columns[draw(STRANGE_NAMES)] = draw(columns())
    names = [*given_columns]
    if names and draw(st.integers(0, 19)) == 19:
        names[-1] = names[0]
    rows = draw(st.integers(0, ROWS))
    return pa.RecordBatch.from_arrays([*given_columns.values()], names).slice(0, rows)


def check(table: pa.RecordBatch, *, derive: bool) -> ParsedBatch:
    """Compare both ways to parse a table."""
    result = parse_table(table, derive=derive)
    expected = parse_batch(table_rows(table, range(table.num_rows)), derive=derive, report_missing=False)
    for one, other in zip(result.results, expected.results, strict=True):
        if isinstance(other, InvalidRequestError):
            assert isinstance(one, InvalidRequestError)
            assert (one.problems, one.count) == (other.problems, other.count)
        else:
            assert one == other
    for name, array in vars(expected.arrays).items():
        assert vars(result.arrays)[name].dtype == array.dtype
        np.testing.assert_array_equal(vars(result.arrays)[name], array)
    return result


@given(tables(), st.booleans())
@settings(deadline=None, max_examples=150)
def test_a_table_has_the_results_of_its_rows(table: pa.RecordBatch, derive: bool) -> None:
    check(table, derive=derive)


@pytest.mark.parametrize(
    ("name", "cells", "reasons"),
    [
        ("obs", [1, 2, None, -1, 0, 3], ["", "", "", "", "", ""]),
        ("grav", [1, 2, 3, 4, -1, 2], ["", "", "", "", "", ""]),
        ("year_acc", [2024, 2023, 2023, 2023, 2024, 2022], ["", "year_acc", "", "", "", ""]),
        ("an_nais", [2025, 2024, 2023, 2022, 2021, 2023], ["an_nais", "", "", "", "", ""]),
        ("jour", [31, 30, 29, 31, 31, 1], ["", "jour, mois, an", "jour, mois, an", "", "jour, mois, an", ""]),
        ("lat", ["3,06", "91", "16.0", "-1", None, "x"], ["", "lat", "", "", "", "lat"]),
        ("nb_victim", [1000, 1001, 2, 3, 4, 5], ["", "nb_victim", "", "", "", ""]),
    ],
)
def test_rows_are_rejected_one_by_one(name: str, cells: list[Any], reasons: list[str]) -> None:
    table = pa.RecordBatch.from_pydict(VALID | {name: cells})
    result = check(table, derive=True)
    fields = [one.problems[0].field if isinstance(one, InvalidRequestError) else "" for one in result.results]
    assert fields == reasons
    assert len(result.arrays.accident) == reasons.count("")
