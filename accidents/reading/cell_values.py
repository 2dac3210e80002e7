"""Parses the distinct texts of a column into typed values: missing markers, padding, codes, ranges, times, places.

A column of 100,000 cells has few distinct texts: rules apply to those, and the caller maps the result to the rows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from accidents.columns import MISSING, Column, ColumnKind
from accidents.reading.layout import Layout

MISSING_TEXTS = frozenset({"", "-1", "-1.0", "-1,0", "."})
"""Markers of a missing cell, published or written by other programs; a 0 outside the code list is another."""
MISSING_WORDS = frozenset(
    {"N/A", "null", "-", "NULL", "Null", "None", "NaN", "nan", "NA", "n/a", "#N/A", "#NA", "<NA>", "NaT"}
)
"""Further markers of a missing cell, published in text columns and written by other programs in all."""
NO_BREAK_SPACES = ("\u00a0", "\u202f", "\u2007", "\ufeff")
MISREAD_SPACES = ("Â", "â€¯", "â\x80¯")
"""Remains of the no-break spaces in an id that was read as Latin-1 and saved again; the space itself may follow."""
WHOLE_DECIMAL = r"^\s*([0-9]+)[.,]0+\s*$"
"""Regular expression of a whole number written with decimals, such as `477.0`."""
ROUNDED_IDS = "a spreadsheet rounded the ids"
NUMBER = r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)"
"""Regular expression of a number in digits, with a decimal point or comma."""

_SCALE = 1e5  # coordinates until 2018 are integers in 1e-5 degrees
_DECIMETRES = 10
_HOURS = 24
_LATEST = 9999  # a year in which no retired code is in use
_OVERSEAS = range(971, 989)
_CORSICA = {"201": "2A", "202": "2B"}
_COMMUNE_UNTIL_2018 = "[0-9]{3}"  # the department joins it once both are typed
_TIME = re.compile(r"([0-9]{1,2})[:hH]([0-9]{2})(?::[0-9]{2})?|([0-9]{1,4})(?:[.,]0+)?")
_EXPONENT = "(?:[eE][+-]?[0-9]{1,2})?"
_ROUNDED = re.compile(r"\s*[0-9](?:[.,]([0-9]*))?[eE]\+?([0-9]+)\s*")
_LONGEST_HOUR = 2  # digits


@dataclass(frozen=True)
class ParsedValues:
    """Typed values of distinct texts.

    Attributes:
        array: values of the dtype of the column; for text objects, None where missing.
        invalid: bool, the texts that break the rule of the column and became missing.
    """

    array: np.ndarray
    invalid: np.ndarray


def normalise_spaces(texts: pa.Array, no_break_spaces: Sequence[str]) -> pa.Array:
    """Replace no-break spaces by spaces, and strip spaces at both ends."""
    for space in no_break_spaces:
        texts = pc.replace_substring(texts, space, " ")
    return pc.utf8_trim_whitespace(texts)


def parse_values(texts: pa.Array, column: Column, layout: Layout, year: int = _LATEST) -> ParsedValues:
    """Parse the distinct texts of a column.

    Args:
        texts: distinct texts of the column, from `normalise_spaces`.
        column: specification of the column.
        layout: layout of the file, on which the formats of places, times, coordinates and widths depend.
        year: year of the edition, for codes that are no longer in use.

    Example:
        >>> from accidents.columns import TABLES, Table
        >>> light = TABLES[Table.CARACTERISTIQUES]["lum"]
        >>> parsed = parse_values(pa.array(["5", "05", "77", "-1"]), light, Layout.SINCE_2019)
        >>> parsed.array.tolist(), parsed.invalid.tolist()
        ([5, 5, -1, -1], [False, False, True, False])
    """
    missing = pc.is_in(texts, pa.array(sorted(MISSING_TEXTS | MISSING_WORDS))).to_numpy(zero_copy_only=False)
    if column.kind is ColumnKind.TEXT:
        return _parse_texts(texts, missing, column, layout)
    numbers = _parse_times(texts, layout) if column.kind is ColumnKind.TIME else _parse_numbers(texts, missing, column)
    for code in column.retired_in(year):
        numbers = np.where(numbers == code, column.retired[code].now, numbers)
    if layout is Layout.UNTIL_2018:
        numbers = _undo_scaling(numbers, column)
    if column.name == "an":
        numbers = np.where(numbers < 100, numbers + 2000, numbers)  # two digits until 2018
    return _validate(numbers, missing, column)


def _parse_numbers(texts: pa.Array, missing: np.ndarray, column: Column) -> np.ndarray:
    """float64, NaN where a text is no number. Decimal commas and points are accepted, and spaces between digits."""
    texts = pc.replace_substring(pc.replace_substring(texts, " ", ""), ",", ".")
    for letter, code in column.letter_codes.items():
        texts = pc.if_else(pc.equal(pc.utf8_upper(texts), letter), str(code), texts)
    numeric = pc.match_substring_regex(texts, f"^{NUMBER}{_EXPONENT}$").to_numpy(zero_copy_only=False) & ~missing
    unsigned = pc.replace_substring_regex(texts, r"^\+", "")
    numbers = pc.if_else(numeric, unsigned, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def is_rounded(text: str) -> bool:
    """Whether a number has an exponent and fewer digits than the number itself, as spreadsheets write long ids.

    >>> is_rounded("2,024E+11"), is_rounded("2.02400000001E+11"), is_rounded("202400000001")
    (True, False, False)
    """
    match = _ROUNDED.fullmatch(text)
    return match is not None and len(match[1] or "") < int(match[2])


def is_ambiguous_time(text: str) -> bool:
    """Whether a number may be an hour or, with its zeros cut off, the minutes after midnight.

    >>> is_ambiguous_time("17"), is_ambiguous_time("45"), is_ambiguous_time("1715"), is_ambiguous_time("0")
    (True, False, False, False)
    """
    match = _TIME.fullmatch(text)
    return match is not None and match[3] is not None and len(match[3]) <= _LONGEST_HOUR and 0 < int(match[3]) < _HOURS


def _parse_times(texts: pa.Array, layout: Layout) -> np.ndarray:
    """Minutes since midnight; until 2018 zeros in front are cut off in published files, since then in none."""
    ambiguous = layout is Layout.SINCE_2019
    times = [np.nan if ambiguous and is_ambiguous_time(text) else parse_time(text) for text in texts.to_pylist()]
    return np.array(times, dtype="float64")


def parse_time(text: str) -> float:
    """Minutes since midnight of a time of day; NaN where the text is none.

    >>> parse_time("17:15"), parse_time("1715"), parse_time("5"), parse_time("25:00")
    (1035, 1035, 5, nan)
    """
    match = _TIME.fullmatch(text)
    if not match:
        return np.nan
    hours, minutes = (int(match[1]), int(match[2])) if match[1] else divmod(int(match[3]), 100)
    return hours * 60 + minutes if hours < _HOURS and minutes < 60 else np.nan


def _undo_scaling(numbers: np.ndarray, column: Column) -> np.ndarray:
    """Undo the scaling of the layout until 2018: integer coordinates in 1e-5 degrees, widths in decimetres."""
    if column.unit == "degrees":
        return np.where(numbers == np.round(numbers), numbers / _SCALE, numbers)
    return numbers / _DECIMETRES if column.unit == "m" else numbers


def _validate(numbers: np.ndarray, missing: np.ndarray, column: Column) -> ParsedValues:
    """Values outside codes or range become missing, and are invalid unless they are missing markers."""
    missing = missing | (column.zero_is_missing & (numbers == 0))
    if column.kind is not ColumnKind.NUMBER:
        missing |= numbers == MISSING
    if column.codes:
        allowed = np.isin(numbers, list(column.codes))
    else:
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        allowed = (numbers >= low) & (numbers <= high)
        if column.kind is not ColumnKind.NUMBER:
            allowed &= numbers == np.round(numbers)
    valid = allowed & ~missing
    missing_value = np.nan if column.kind is ColumnKind.NUMBER else MISSING
    return ParsedValues(np.where(valid, numbers, missing_value).astype(column.kind.dtype), ~valid & ~missing)


def _parse_texts(texts: pa.Array, missing: np.ndarray, column: Column, layout: Layout) -> ParsedValues:
    normalise = _NORMALISED.get((column.name, layout))
    if column.is_code_text:
        texts = pc.replace_substring_regex(texts, WHOLE_DECIMAL, r"\1")
    if column.pattern:
        texts = pc.utf8_upper(texts)
    values = texts.to_numpy(zero_copy_only=False)
    if normalise:
        values = np.array([normalise(text) for text in values], dtype=object)
    valid = ~missing
    pattern = _COMMUNE_UNTIL_2018 if column.name == "com" and layout is Layout.UNTIL_2018 else column.pattern
    if pattern:
        allowed = re.compile(pattern)
        valid &= np.array([allowed.fullmatch(text) is not None for text in values], dtype=bool)
    values = values.copy()
    values[~valid] = None
    return ParsedValues(values, ~valid & ~missing)


def _department_until_2018(text: str) -> str:
    """`590` is 59, `201` is 2A, `971` stays; leading zeros may be missing."""
    if text in _CORSICA:
        return _CORSICA[text]
    if not (text.isascii() and text.isdecimal()):
        return text
    number = int(text)
    if number in _OVERSEAS:
        return text
    tens, rest = divmod(number, 10)
    return f"{tens:02d}" if rest == 0 else text


def _commune_until_2018(text: str) -> str:
    """The last three digits; leading zeros may be missing."""
    return text[-3:].zfill(3)


def _zero_padded(width: int) -> Callable[[str], str]:
    """Restore leading zeros that another program removed."""
    return lambda text: text.zfill(width)


_NORMALISED: dict[tuple[str, Layout], Callable[[str], str]] = {
    ("dep", Layout.UNTIL_2018): _department_until_2018,
    ("dep", Layout.SINCE_2019): _zero_padded(2),
    ("com", Layout.UNTIL_2018): _commune_until_2018,
    ("com", Layout.SINCE_2019): _zero_padded(5),
}
