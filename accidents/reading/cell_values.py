"""From the distinct texts of a column to typed values: missing markers, padding, codes, ranges, times and places.

A column of 100,000 cells has few distinct texts, so all rules work on those, and the result is spread over the rows.
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
"""How the files, and programs that save them again, write a cell that is not recorded, apart from a 0 outside the code
list."""
MISSING_WORDS = frozenset({"N/A", "null", "-", "NULL", "None", "NaN", "nan", "NA", "n/a", "#N/A"})
"""How they, and programs that save them again, also write a missing text."""
NO_BREAK_SPACES = ("\u00a0", "\u202f", "\u2007", "\ufeff")

_SCALE = 1e5  # coordinates until 2018 are integers in 1e-5 degrees
_DECIMETRES = 10
_OVERSEAS = range(971, 989)
_CORSICA = {"201": "2A", "202": "2B"}
_OLD_COMMUNE = "[0-9]{3}"  # the department joins it once both are typed
_TIME = re.compile(r"([0-9]{1,2})[:hH]([0-9]{2})(?::[0-9]{2})?|([0-9]{1,4})")


@dataclass(frozen=True)
class ParsedValues:
    """Typed values of distinct texts.

    `distinct` has the dtype of the column (texts: an object array with None where missing); `bad` (bool) tells which
    texts break the rule of the column and became missing.
    """

    distinct: np.ndarray
    bad: np.ndarray


def normalise_spaces(texts: pa.Array, no_break_spaces: Sequence[str]) -> pa.Array:
    """The texts with these no-break spaces made plain ones, and without spaces around them."""
    for space in no_break_spaces:
        texts = pc.replace_substring(texts, space, " ")
    return pc.utf8_trim_whitespace(texts)


def parse_values(texts: pa.Array, column: Column, layout: Layout) -> ParsedValues:
    """Type the distinct texts of a column.

    Args:
        texts: distinct texts of the column, as `normalise_spaces` leaves them.
        column: specification of the column.
        layout: layout of the file, which decides how places, coordinates and widths are written.
    """
    markers = MISSING_TEXTS | MISSING_WORDS if column.kind is ColumnKind.TEXT else MISSING_TEXTS
    missing = pc.is_in(texts, pa.array(sorted(markers))).to_numpy(zero_copy_only=False)
    if column.kind is ColumnKind.TEXT:
        return _texts(texts, missing, column, layout)
    numbers = _times(texts) if column.kind is ColumnKind.TIME else _numbers(texts, missing, column)
    if layout is Layout.OLD:
        numbers = _unscaled(numbers, column)
    if column.name == "an":
        numbers = np.where(numbers < 100, numbers + 2000, numbers)  # two digits until 2018
    return _checked(numbers, missing, column)


def _numbers(texts: pa.Array, missing: np.ndarray, column: Column) -> np.ndarray:
    """float64, NaN where a text is no number. Decimal commas and points both count; spaces group digits."""
    texts = pc.replace_substring(pc.replace_substring(texts, " ", ""), ",", ".")
    for letter, code in column.letter_codes.items():
        texts = pc.if_else(pc.equal(texts, letter), str(code), texts)
    try:
        numbers = pc.if_else(missing, None, texts).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        numbers = pd.to_numeric(texts.to_pandas().astype(object), errors="coerce").to_numpy(dtype="float64")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _times(texts: pa.Array) -> np.ndarray:
    return np.array([parse_time(text) for text in texts.to_pylist()], dtype="float64")


def parse_time(word: str) -> float:
    """Minutes since midnight of `17:15`, `1715`, `715` or `5`; NaN where this is no time of day."""
    found = _TIME.fullmatch(word)
    if not found:
        return np.nan
    hours, rest = (int(found[1]), int(found[2])) if found[1] else divmod(int(found[3]), 100)
    return hours * 60 + rest if hours < 24 and rest < 60 else np.nan


def _unscaled(numbers: np.ndarray, column: Column) -> np.ndarray:
    """Undo the scales of the old layout: integer coordinates in 1e-5 degrees, widths in decimetres."""
    if column.unit == "degrees":
        return np.where(numbers == np.round(numbers), numbers / _SCALE, numbers)
    return numbers / _DECIMETRES if column.unit == "m" else numbers


def _checked(numbers: np.ndarray, missing: np.ndarray, column: Column) -> ParsedValues:
    """Values within codes or range; the rest is missing, and bad unless it says that nothing was recorded."""
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
    good = allowed & ~missing
    absent = np.nan if column.kind is ColumnKind.NUMBER else MISSING
    return ParsedValues(np.where(good, numbers, absent).astype(column.kind.dtype), ~good & ~missing)


def _texts(texts: pa.Array, missing: np.ndarray, column: Column, layout: Layout) -> ParsedValues:
    rewrite = _REWRITTEN.get((column.name, layout))
    words = texts.to_numpy(zero_copy_only=False)
    if rewrite:
        words = np.array([rewrite(word) for word in words], dtype=object)
    good = ~missing
    pattern = _OLD_COMMUNE if column.name == "com" and layout is Layout.OLD else column.pattern
    if pattern:
        allowed = re.compile(pattern)
        good &= np.array([allowed.fullmatch(word) is not None for word in words], dtype=bool)
    words = words.copy()
    words[~good] = None
    return ParsedValues(words, ~good & ~missing)


def _old_department(word: str) -> str:
    """`590` is 59, `201` is 2A, `971` is itself; zeros in front may be cut."""
    if word in _CORSICA:
        return _CORSICA[word]
    number = int(word) if word.isdecimal() else 0
    if number in _OVERSEAS:
        return word
    tens, rest = divmod(number, 10)
    return f"{tens:02d}" if rest == 0 else word


def _old_commune(word: str) -> str:
    """The last three digits; zeros in front may be cut."""
    return word[-3:].zfill(3)


def _padded(width: int) -> Callable[[str], str]:
    """Restore zeros in front that another program cut off."""
    return lambda word: word.upper().zfill(width)


_REWRITTEN: dict[tuple[str, Layout], Callable[[str], str]] = {
    ("dep", Layout.OLD): _old_department,
    ("dep", Layout.NEW): _padded(2),
    ("com", Layout.OLD): _old_commune,
    ("com", Layout.NEW): _padded(5),
}
