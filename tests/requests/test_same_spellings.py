"""A cell of a file and a field of a request that are written alike have the same value, or are both refused."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import TABLES, Column
from accidents.reading.cell_values import normalise_texts, parse_values
from accidents.reading.layout import Layout
from accidents.reading.spellings import NO_BREAK_SPACES
from accidents.requests.values import parse_value

pytestmark = pytest.mark.slow

COLUMNS = [column for table in TABLES.values() for column in table.values() if column.last_year is None]
REFUSED = "refused"
TEXTS = (
    *re.findall(
        r"\S+", "0 00 -0 0.0 -1,00 +5 5. 5e0 1e-05 1e400 24 48,85 -.5 50% a 1001 201 201004 2a 2A004 976 a01 5_0"
    ),
    *re.findall(
        r"\S+", "17 17:15 17h15 9h 905 09:05:00 17.15 24:00 NaN nan <NA> none #N/A #REF! TRUE janv-24 0x5 1.000"
    ),
    *re.findall(
        r"\S+", "202.400.000.001 202,400,000,001 202400000001.0 2.02400000001E+11 2,024E+11 9223372036854775808"
    ),
    *("4036000000020001001", "'01", '="01"', "''1", "1 0", "2\u202f024", "\u22120,5", "9 h 05", "5:15 PM", "13:00 PM"),
    *("1900-01-01 17:15:00", " B ", "203Â\u00a0988Â\u00a0581", "\N{ARABIC-INDIC DIGIT FIVE}", "½"),
)
WRITTEN = (
    st.sampled_from(TEXTS)
    | st.text("0123456789+-.,eEhH: '\u00a0\u202f\u2212AB", max_size=8)
    | st.integers(-3, 2**63).map(str)
    | st.floats(-200, 200).map(str)
    | st.text(max_size=6)
)


def in_file(column: Column, text: str) -> object:
    texts = normalise_texts(pa.array([text]), column, NO_BREAK_SPACES)
    parsed = parse_values(texts, column, Layout.SINCE_2019)
    return REFUSED if parsed.invalid[0] else np.array(parsed.array)[0]


def in_request(column: Column, text: str) -> object:
    try:
        return parse_value(column, text)
    except ValueError:
        return REFUSED


@given(st.sampled_from(COLUMNS), WRITTEN)
@settings(deadline=None, max_examples=1500)
def test_files_and_requests_have_the_same_spellings(column: Column, text: str) -> None:
    cell, field = in_file(column, text), in_request(column, text)
    assert cell == field or (cell != cell and field != field), (column.name, text)  # noqa: PLR0124 - NaN


@pytest.mark.parametrize("text", TEXTS)
def test_notable_spellings(text: str) -> None:
    for column in COLUMNS:
        cell, field = in_file(column, text), in_request(column, text)
        assert cell == field or (cell != cell and field != field), column.name  # noqa: PLR0124 - NaN
