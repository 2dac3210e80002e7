"""One value of a request: checked and typed as the column specification says.

Numbers are taken as numbers and as published text (`" -1"`, `"01"`, `"48,60"`). -1, an empty text, `.`, null, and a 0
where the code list or range has none mean "not recorded".
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from accidents.columns import MISSING, TABLES, Column, ColumnKind, Table
from accidents.reading.cell_values import MISSING_TEXTS, MISSING_WORDS, NO_BREAK_SPACES, parse_time

_LONGEST_TEXT = 500
_LONGEST_NUMBER = 30
_GREATEST_KEY = 10**15  # as floats, integers below are exact
_NO_TEXT = MISSING_TEXTS | MISSING_WORDS
_WIDTH = {"dep": 2, "com": 5}  # digits of codes that other programs write as numbers

Value = int | float | str | None


def missing_value(column: Column) -> Value:
    """What stands for "not recorded" in a column: -1, NaN, or None for texts."""
    return {ColumnKind.NUMBER: math.nan, ColumnKind.TEXT: None}.get(column.kind, MISSING)


def fast_parser(column: Column) -> Callable[[Any], Value]:
    """A quick way to `parse_value` for values as they are usually written, in numbers of Python's own types or text.

    It takes an int, a float, a str or None, and gives what `parse_value` gives, or None for what takes a closer look.
    """
    if column.kind in {ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.TIME}:
        return {raw: parse_value(column, raw) for raw in _usual_spellings(column)}.get
    if column.kind is ColumnKind.TEXT:
        return _usual_text(column)
    low, high = _bounds(column)
    number = float if column.kind is ColumnKind.NUMBER else int

    def value(raw: Any) -> Value:
        return raw if type(raw) is number and raw and low <= raw <= high else None

    return value


def parse_value(column: Column, raw: Any) -> Value:
    """The value of `raw` in `column`.

    Raises:
        ValueError: it is none that the column can have; the text says what is allowed.
    """
    if raw is None:
        return missing_value(column)
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError(f"must be a number or a text; allowed: {column.describe_allowed_values()}")
    if column.kind is ColumnKind.CODE:
        known = _code_table(column.table, column.name)
        if raw in known:
            return known[raw]
    if isinstance(raw, str):
        raw = _plain(raw)
        if raw in MISSING_TEXTS:
            return missing_value(column)
    if column.kind is ColumnKind.TEXT:
        return _text(column, raw)
    if column.kind is ColumnKind.TIME:
        return _time(column, raw)
    return _number(column, raw)


@cache
def _code_table(table: str, name: str) -> Mapping[Any, int]:
    """Every usual way to write the codes of a column, so that one look is enough."""
    column = TABLES[Table(table)][name]
    known: dict[Any, int] = {}
    for code in column.codes:
        known |= dict.fromkeys((code, str(code), f"{code:02d}"), code)
    missing = (MISSING, *MISSING_TEXTS, " -1", *((0, "0", "00") if column.zero_is_missing else ()))
    return known | dict.fromkeys(missing, MISSING) | dict(column.letter_codes)


def _usual_spellings(column: Column) -> Iterator[Any]:
    yield from (None, MISSING, " -1", *MISSING_TEXTS)
    if column.kind is ColumnKind.CODE:
        yield from _code_table(column.table, column.name)
    elif column.kind is ColumnKind.TIME:
        yield from (f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))
    else:
        low, high = _bounds(column)
        for number in range(int(low), int(high) + 1):
            yield from (number, str(number), f"{number:02d}")


def _usual_text(column: Column) -> Callable[[Any], Value]:
    if column.pattern:
        matches = re.compile(column.pattern).fullmatch
        return lambda raw: raw if type(raw) is str and matches(raw) and raw.strip("0") else None

    def value(raw: Any) -> Value:
        fast_parser = type(raw) is str and raw.isascii() and raw == raw.strip() and len(raw) <= _LONGEST_TEXT
        return raw if fast_parser and raw not in _NO_TEXT else None

    return value


def _plain(text: str) -> str:
    if text.isascii():
        return text.strip()
    for space in NO_BREAK_SPACES:
        text = text.replace(space, " ")
    return text.strip()


def _text(column: Column, raw: float | str) -> str | None:
    if isinstance(raw, float) or (isinstance(raw, int) and abs(raw) > _GREATEST_KEY):
        raise ValueError(f"must be a text; allowed: {column.describe_allowed_values()}")
    text = str(raw)
    if text in MISSING_WORDS or text == str(MISSING):
        return None
    if column.name in _WIDTH:
        text = text.upper().zfill(_WIDTH[column.name])
        if not text.strip("0"):
            return None
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"has {len(text):,} characters; allowed are {_LONGEST_TEXT}")
    if column.pattern and not re.fullmatch(column.pattern, text):
        raise ValueError(f"is none; allowed: {column.meaning}, such as the pattern {column.pattern}")
    return text


def _time(column: Column, raw: float | str) -> int:
    if raw == MISSING:
        return MISSING
    since_midnight = math.nan if isinstance(raw, float) else parse_time(str(raw)[:_LONGEST_NUMBER])
    if math.isnan(since_midnight):
        raise ValueError(f"is no time of day; allowed: {column.describe_allowed_values()}")
    return int(since_midnight)


def _number(column: Column, raw: float | str) -> Value:
    """A code, an integer, a key or a number."""
    try:
        number = float(raw.replace(" ", "").replace(",", ".") if isinstance(raw, str) else raw)
    except (ValueError, OverflowError):
        number = math.nan
    if number == MISSING and not _allows(column, number):
        return missing_value(column)
    if number == 0 and column.zero_is_missing:
        return missing_value(column)
    if _allows(column, number):
        return number if column.kind is ColumnKind.NUMBER else int(number)
    raise ValueError(f"is not allowed; allowed: {column.describe_allowed_values()}")


def _allows(column: Column, number: float) -> bool:
    if column.codes:
        return number in column.codes
    low, high = _bounds(column)
    return low <= number <= high and (column.kind is ColumnKind.NUMBER or number.is_integer())


def _bounds(column: Column) -> tuple[float, float]:
    low = 0 if column.minimum is None else column.minimum
    return low, _GREATEST_KEY if column.maximum is None else column.maximum
