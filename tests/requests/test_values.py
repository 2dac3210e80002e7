"""The quick way to typed values against the thorough one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import TABLES, Column, ColumnKind
from accidents.requests.values import fast_parser, parse_value

COLUMNS = [column for table in TABLES.values() for column in table.values()]
TEXTS = (
    "",
    ".",
    "-1",
    " -1",
    "0",
    "00",
    "01",
    "1",
    "08:15",
    "8:15",
    "2A",
    "2a",
    "2A004",
    "00000",
    "A01",
    "NaN",
    "n/a",
    "é",
)


def thorough(column: Column, raw: Any) -> Any:
    try:
        return parse_value(column, raw)
    except ValueError:
        return "refused"


def check(column: Column, raw: Any) -> None:
    """What the quick way gives is what the thorough one gives, of the same type; or it gives nothing."""
    quick = fast_parser(column)(raw)
    if quick is not None:
        assert (quick, type(quick)) == (thorough(column, raw), type(thorough(column, raw)))


plain = (
    st.none()
    | st.integers(-3, 2100)
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.from_regex(r"\s?-?[0-9]{1,4}\s?", fullmatch=True)
    | st.from_regex(r"[0-9]{1,2}:[0-9]{2}", fullmatch=True)
    | st.sampled_from(TEXTS)
    | st.text(min_size=499, max_size=502)
)


@pytest.mark.slow
@given(st.sampled_from(COLUMNS), plain)
@settings(deadline=None, max_examples=1500)
def test_the_quick_way_gives_what_the_thorough_one_gives(column: Column, raw: Any) -> None:
    check(column, raw)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.table}.{column.name}")
def test_every_code_and_number_in_range_has_a_quick_way(column: Column) -> None:
    for raw in TEXTS:
        check(column, raw)
    quick = fast_parser(column)
    for code in column.codes:
        assert quick(code) == quick(str(code)) == code
    if column.kind is ColumnKind.INTEGER:
        assert column.minimum is not None
        assert column.maximum is not None
        for number in range(int(column.minimum), int(column.maximum) + 1):
            assert quick(number) == quick(str(number)) == parse_value(column, number)
