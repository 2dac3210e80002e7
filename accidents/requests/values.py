"""Parsing and validation of one value of a request by the column specification.

Numbers are accepted as numbers and as text, in the spellings that files may have (`accidents.reading.spellings`):
digits with an optional sign and decimal point or comma (`" -1"`, `"01"`, `"48,60"`). null is `UNKNOWN`, like a field
that is left out. -1, an empty text, `.`, words such as `NA` and a 0 that neither code list nor range contains are
`MISSING`, not recorded, as in published files. Texts, such as the commune, have one marker for both.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from accidents.columns import MISSING, TABLES, UNKNOWN, Column, ColumnKind, Table
from accidents.reading.spellings import (
    MISSING_TEXTS,
    NO_BREAK_SPACES,
    TEXT_MARK,
    WHOLE_DECIMAL,
    commune,
    department,
    explain_invalid,
    full_year,
    is_ambiguous_time,
    is_missing,
    parse_id,
    parse_number,
    parse_time,
    scientific_id,
)

_MAX_TEXT = 500
_MAX_SPELLING = 10_000  # with the spaces around it
_MAX_EXACT = 2**53  # integers up to here are exact as floats
_PLACES = {"dep": department, "com": commune}  # other programs write these codes as numbers

Value = int | float | str | None


def missing_value(column: Column, marker: int = MISSING) -> Value:
    """Marker of a missing value in a column: `marker`, `MISSING` or `UNKNOWN`; numbers NaN or infinity, texts None."""
    number = math.inf if marker == UNKNOWN else math.nan
    return {ColumnKind.NUMBER: number, ColumnKind.TEXT: None}.get(column.kind, marker)


def fast_parser(column: Column) -> Callable[[Any], Value]:
    """A fast path of `parse_value` for the common spellings of a column.

    Returns:
        A function of an int, float, str or None. It returns what `parse_value` returns, or None where the value needs
        `parse_value` itself.
    """
    if column.kind in {ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.TIME}:
        return {raw: parse_value(column, raw) for raw in _common_spellings(column)}.get
    if column.kind is ColumnKind.TEXT:
        return _fast_text_parser(column)
    low, high = column.bounds
    number = float if column.kind is ColumnKind.NUMBER else int

    def parse(raw: Any) -> Value:
        return raw if type(raw) is number and raw and low <= raw <= high else None

    return parse


def parse_value(column: Column, raw: Any) -> Value:
    """Parse and validate a value of a column.

    Args:
        column: specification of the column.
        raw: the value, as `json.loads` returns it.

    Returns:
        int for codes, integers, ids and times (minutes since midnight), float for numbers, str for text; see
        `missing_value` where it is missing.

    Raises:
        ValueError: the column does not allow the value; the message says what is allowed.

    Example:
        >>> columns = TABLES[Table.CARACTERISTIQUES]
        >>> parse_value(columns["lum"], "05"), parse_value(columns["hrmn"], "17:15"), parse_value(columns["dep"], 1)
        (5, 1035, '01')
        >>> parse_value(columns["lum"], "."), parse_value(columns["lat"], "48,60")
        (-1, 48.6)
        >>> parse_value(columns["lum"], None)
        -2
    """
    if raw is None:
        return missing_value(column, UNKNOWN)
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError(f"must be a number or a text; allowed: {column.describe_allowed_values()}")
    if isinstance(raw, str) and len(raw) > _MAX_SPELLING:  # before it is copied again and again
        raise ValueError(f"has {len(raw):,} characters; allowed: {column.describe_allowed_values()}")
    if column.kind is ColumnKind.CODE:
        codes = _code_spellings(column.table, column.name)
        if raw in codes:
            return codes[raw]
    if isinstance(raw, str):
        raw = _strip(raw, column)
        if is_missing(raw):
            return missing_value(column)
    if column.kind is ColumnKind.TEXT:
        return _parse_text(column, raw)
    if column.kind is ColumnKind.TIME:
        return _parse_time(column, raw)
    return _parse_number(column, raw)


def retired_code(column: Column, raw: Any) -> int | None:
    """The code of former editions that a value is; None where it is none, or is in the present list."""
    if not column.retired or not isinstance(raw, int | str) or isinstance(raw, bool):
        return None
    text = str(raw).strip().lstrip("0")
    return next((code for code in column.retired if str(code) == text and code not in column.codes), None)


@cache
def _code_spellings(table: str, name: str) -> Mapping[Any, int]:
    """Codes of a column by all their common spellings."""
    column = TABLES[Table(table)][name]
    spellings: dict[Any, int] = {}
    for code in column.codes:
        spellings |= dict.fromkeys((code, str(code), f"{code:02d}"), code)
    for code, retired in column.retired.items():
        spellings = dict.fromkeys((code, str(code), f"{code:02d}"), retired.now) | spellings
    missing = (MISSING, *MISSING_TEXTS, " -1", *((0, "0", "00") if column.zero_is_missing else ()))
    return spellings | dict.fromkeys(missing, MISSING) | dict(column.letter_codes)


def _common_spellings(column: Column) -> Iterator[Any]:
    yield from (None, MISSING, " -1", *MISSING_TEXTS)
    if column.kind is ColumnKind.CODE:
        spellings = _code_spellings(column.table, column.name)
        yield from (raw for raw in spellings if retired_code(column, raw) is None)  # these need a warning
    elif column.kind is ColumnKind.TIME:
        yield from (f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))
    else:
        low, high = column.bounds
        for number in range(int(low), int(high) + 1):
            yield from (number, str(number), f"{number:02d}")


def _fast_text_parser(column: Column) -> Callable[[Any], Value]:
    if column.pattern:
        matches = re.compile(column.pattern).fullmatch
        return lambda raw: raw if type(raw) is str and matches(raw) and raw.strip("0") else None

    def parse(raw: Any) -> Value:
        common = type(raw) is str and raw.isascii() and raw == raw.strip() and len(raw) <= _MAX_TEXT
        return raw if common and not is_missing(raw) else None

    return parse


def _strip(text: str, column: Column) -> str:
    if not text.isascii():
        for space in NO_BREAK_SPACES:
            text = text.replace(space, " ")
    text = text.strip()
    return text if column.is_free_text else re.sub(TEXT_MARK, r"\1", text).strip()


def _parse_text(column: Column, raw: float | str) -> str | None:
    if isinstance(raw, float) and raw.is_integer() and column.name in _PLACES:
        raw = int(raw)
    if isinstance(raw, float) or (isinstance(raw, int) and abs(raw) > _MAX_EXACT):
        raise ValueError(f"must be a text; allowed: {column.describe_allowed_values()}")
    text = str(raw)
    if text == str(MISSING):
        return None
    if column.is_code_text:
        text = re.sub(WHOLE_DECIMAL, r"\1", text)
    if column.pattern:
        text = text.upper()
    if column.name in _PLACES:
        text = _PLACES[column.name](text)
        if not text.strip("0"):
            return None
    if len(text) > _MAX_TEXT:
        raise ValueError(f"has {len(text):,} characters; allowed are {_MAX_TEXT}")
    if column.pattern and not re.fullmatch(column.pattern, text):
        raise ValueError(f"is none; allowed: {column.meaning}, such as the pattern {column.pattern}")
    return text


def _parse_time(column: Column, raw: float | str) -> int:
    if raw == MISSING:
        return MISSING
    text = str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)
    if is_ambiguous_time(text):
        hour = int(float(text.replace(",", ".")))
        raise ValueError(f"may be {hour}:00 or 00:{hour:02d}; write one of them as a text")
    minutes = parse_time(text)
    if math.isnan(minutes):
        raise ValueError(f"is no time of day; allowed: {column.describe_allowed_values()}")
    return int(minutes)


def _parse_number(column: Column, raw: float | str) -> Value:
    """A code, integer, id or number."""
    number = _parse_id(raw) if column.kind is ColumnKind.ID else _parse_float(column, raw)
    if number == 0 and column.zero_is_missing:
        return missing_value(column)
    low, high = column.bounds
    allowed = number in column.codes if column.codes else low <= number <= high
    if allowed and column.kind is ColumnKind.NUMBER:
        return number
    if allowed and (isinstance(number, int) or number.is_integer()):
        return int(number)
    if number == MISSING:
        return missing_value(column)
    reason = explain_invalid(column, [str(raw)]) if isinstance(raw, str) or abs(raw) < _MAX_EXACT else ""
    raise ValueError(f"is not allowed; allowed: {column.describe_allowed_values()}{reason and '; '}{reason}")


def _parse_float(column: Column, raw: float | str) -> float:
    if isinstance(raw, str):
        return parse_number(raw, column)
    try:
        number = float(raw)
    except OverflowError:
        return math.nan
    return full_year(number) if column.name == "an" else number


def _parse_id(raw: float | str) -> float:
    """An exact id; NaN where it is none."""
    if isinstance(raw, str):
        if reason := scientific_id(raw):
            raise ValueError(f"is not used: {reason}; import ids as text")
        number = parse_id(raw)
        return math.nan if number is None else number
    if isinstance(raw, float) and abs(raw) > _MAX_EXACT:
        raise ValueError("is not exact as a floating-point number; write the id as an integer or a text")
    return raw
