"""Parses the distinct texts of a column into typed values: missing markers, padding, codes, ranges, times, places.

A column of 100,000 cells has few distinct texts: rules apply to those, and the caller maps the result to the rows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from accidents.columns import MISSING, Column, ColumnKind
from accidents.reading.layout import Layout

MISSING_TEXTS = frozenset({"", "-1", "-1.0", "."})
"""Markers of a missing cell, published or written by other programs; a 0 outside the code list is another."""
MISSING_WORDS = frozenset({"N/A", "null", "-", "NULL", "None", "NaN", "nan", "NA", "n/a", "#N/A"})
"""Further markers of a missing cell in text columns."""
NO_BREAK_SPACES = ("\u00a0", "\u202f", "\u2007", "\ufeff")

_SCALE = 1e5  # coordinates until 2018 are integers in 1e-5 degrees
_DECIMETRES = 10
_OVERSEAS = range(971, 989)
_CORSICA = {"201": "2A", "202": "2B"}
_COMMUNE_UNTIL_2018 = "[0-9]{3}"  # the department joins it once both are typed
_TIME = re.compile(r"([0-9]{1,2})[:hH]([0-9]{2})(?::[0-9]{2})?|([0-9]{1,4})")


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


def parse_values(texts: pa.Array, column: Column, layout: Layout) -> ParsedValues:
    """Parse the distinct texts of a column.

    Args:
        texts: distinct texts of the column, from `normalise_spaces`.
        column: specification of the column.
        layout: layout of the file, on which the formats of places, coordinates and widths depend.

    Example:
        >>> from accidents.columns import TABLES, Table
        >>> light = TABLES[Table.CARACTERISTIQUES]["lum"]
        >>> parsed = parse_values(pa.array(["5", "05", "77", "-1"]), light, Layout.SINCE_2019)
        >>> parsed.array.tolist(), parsed.invalid.tolist()
        ([5, 5, -1, -1], [False, False, True, False])
    """
    markers = MISSING_TEXTS | MISSING_WORDS if column.kind is ColumnKind.TEXT else MISSING_TEXTS
    missing = pc.is_in(texts, pa.array(sorted(markers))).to_numpy(zero_copy_only=False)
    if column.kind is ColumnKind.TEXT:
        return _parse_texts(texts, missing, column, layout)
    numbers = _parse_times(texts) if column.kind is ColumnKind.TIME else _parse_numbers(texts, missing, column)
    if layout is Layout.UNTIL_2018:
        numbers = _undo_scaling(numbers, column)
    if column.name == "an":
        numbers = np.where(numbers < 100, numbers + 2000, numbers)  # two digits until 2018
    return _validate(numbers, missing, column)


def _parse_numbers(texts: pa.Array, missing: np.ndarray, column: Column) -> np.ndarray:
    """float64, NaN where a text is no number. Decimal commas and points are accepted, and spaces between digits."""
    texts = pc.replace_substring(pc.replace_substring(texts, " ", ""), ",", ".")
    for letter, code in column.letter_codes.items():
        texts = pc.if_else(pc.equal(texts, letter), str(code), texts)
    try:
        numbers = pc.if_else(missing, None, texts).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        numbers = pd.to_numeric(texts.to_pandas().astype(object), errors="coerce").to_numpy(dtype="float64")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _parse_times(texts: pa.Array) -> np.ndarray:
    return np.array([parse_time(text) for text in texts.to_pylist()], dtype="float64")


def parse_time(text: str) -> float:
    """Minutes since midnight of a time of day; NaN where the text is none.

    >>> parse_time("17:15"), parse_time("1715"), parse_time("5"), parse_time("25:00")
    (1035, 1035, 5, nan)
    """
    match = _TIME.fullmatch(text)
    if not match:
        return np.nan
    hours, minutes = (int(match[1]), int(match[2])) if match[1] else divmod(int(match[3]), 100)
    return hours * 60 + minutes if hours < 24 and minutes < 60 else np.nan


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
    number = int(text) if text.isdecimal() else 0
    if number in _OVERSEAS:
        return text
    tens, rest = divmod(number, 10)
    return f"{tens:02d}" if rest == 0 else text


def _commune_until_2018(text: str) -> str:
    """The last three digits; leading zeros may be missing."""
    return text[-3:].zfill(3)


def _zero_padded(width: int) -> Callable[[str], str]:
    """Restore leading zeros that another program removed."""
    return lambda text: text.upper().zfill(width)


_NORMALISED: dict[tuple[str, Layout], Callable[[str], str]] = {
    ("dep", Layout.UNTIL_2018): _department_until_2018,
    ("dep", Layout.SINCE_2019): _zero_padded(2),
    ("com", Layout.UNTIL_2018): _commune_until_2018,
    ("com", Layout.SINCE_2019): _zero_padded(5),
}
