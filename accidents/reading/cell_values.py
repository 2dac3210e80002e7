"""Parses the distinct texts of a column into typed values: missing markers, padding, codes, ranges, times, places.

A column of 100,000 cells has few distinct texts: rules apply to those, and the caller maps the result to the rows. The
rules of a single text are in `spellings`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from accidents.columns import MISSING, Column, ColumnKind
from accidents.reading import spellings
from accidents.reading.layout import Layout

_SCALE = 1e5  # coordinates until 2018 are integers in 1e-5 degrees
_DECIMETRES = 10
_LATEST = 9999  # a year in which no retired code is in use
_COMMUNE_UNTIL_2018 = "[0-9]{3}"  # the department joins it once both are typed
_MISSING = pa.array(sorted(spellings.MISSING_TEXTS | spellings.MISSING_WORDS))


@dataclass(frozen=True)
class ParsedValues:
    """Typed values of distinct texts.

    Attributes:
        array: values of the dtype of the column; for text objects, None where missing.
        invalid: bool, the texts that break the rule of the column and became missing.
    """

    array: np.ndarray
    invalid: np.ndarray


def normalise_texts(texts: pa.Array, column: Column, no_break_spaces: Sequence[str]) -> pa.Array:
    """Replace no-break spaces, strip spaces at both ends, and remove the marks of spreadsheets before codes."""
    for space in no_break_spaces:
        texts = pc.replace_substring(texts, space, " ")
    texts = pc.utf8_trim_whitespace(texts)
    if column.is_free_text:
        return texts
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, spellings.TEXT_MARK, r"\1"))


def parse_values(
    texts: pa.Array,
    column: Column,
    layout: Layout,
    year: int = _LATEST,
    *,
    scaled_departments: bool | None = None,
) -> ParsedValues:
    """Parse the distinct texts of a column.

    Args:
        texts: distinct texts of the column, from `normalise_texts`.
        column: specification of the column.
        layout: layout of the file, on which the formats of places, times, coordinates and widths depend.
        year: year of the edition, for codes that are no longer in use.
        scaled_departments: whether departments until 2018 are times ten; None to judge by the texts.

    Example:
        >>> from accidents.columns import TABLES, Table
        >>> light = TABLES[Table.CARACTERISTIQUES]["lum"]
        >>> parsed = parse_values(pa.array(["5", "05", "77", "-1"]), light, Layout.SINCE_2019)
        >>> parsed.array.tolist(), parsed.invalid.tolist()
        ([5, 5, -1, -1], [False, False, True, False])
    """
    missing = pc.is_in(pc.utf8_lower(texts), _MISSING).to_numpy(zero_copy_only=False)
    if column.kind is ColumnKind.TEXT:
        return _parse_texts(texts, missing, column, layout, scaled_departments)
    if column.kind is ColumnKind.ID:
        return _parse_ids(texts, missing, column)
    numbers = _parse_times(texts, layout) if column.kind is ColumnKind.TIME else _parse_numbers(texts, missing, column)
    for code in column.retired_in(year):
        numbers = np.where(numbers == code, column.retired[code].now, numbers)
    if layout is Layout.UNTIL_2018:
        numbers = _undo_scaling(numbers, column)
    return _validate(numbers, missing, column)


def _parse_numbers(texts: pa.Array, missing: np.ndarray, column: Column) -> np.ndarray:
    """float64, NaN where a text is no number: `spellings.parse_number` of every text."""
    texts = pc.replace_substring(pc.replace_substring(texts, " ", ""), spellings.MINUS, "-")
    for letter, code in column.letter_codes.items():
        texts = pc.if_else(pc.equal(pc.utf8_upper(texts), letter), str(code), texts)
    pattern = f"^{spellings.number_pattern(column)}$"
    numeric = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False) & ~missing
    unsigned = pc.replace_substring_regex(pc.replace_substring(texts, ",", "."), r"^\+", "")
    numbers = pc.if_else(numeric, unsigned, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    if column.name == "an":
        return np.array([spellings.full_year(number) for number in numbers.tolist()])
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _parse_ids(texts: pa.Array, missing: np.ndarray, column: Column) -> ParsedValues:
    """Exact ids, which float64 is not for those of 19 digits."""
    low, high = column.bounds
    numbers = [spellings.parse_id(text) for text in texts.to_pylist()]
    missing = missing | np.array([number in {0, MISSING} for number in numbers], dtype=bool)
    valid = np.array([number is not None and low <= number <= high for number in numbers], dtype=bool) & ~missing
    values = [number if is_valid else MISSING for number, is_valid in zip(numbers, valid, strict=True)]
    return ParsedValues(np.array(values, dtype=column.kind.dtype), ~valid & ~missing)


def _parse_times(texts: pa.Array, layout: Layout) -> np.ndarray:
    """Minutes since midnight; until 2018 zeros in front are cut off in published files, since then in none."""
    values = texts.to_pylist()
    ambiguous = layout is Layout.SINCE_2019 or spellings.are_hours(values)
    times = [
        np.nan if ambiguous and spellings.is_ambiguous_time(text) else spellings.parse_time(text) for text in values
    ]
    return np.array(times, dtype="float64")


def _undo_scaling(numbers: np.ndarray, column: Column) -> np.ndarray:
    """Undo the scaling of the layout until 2018: integer coordinates in 1e-5 degrees, widths in decimetres."""
    if column.unit == "degrees":
        return np.where(numbers == np.round(numbers), numbers / _SCALE, numbers)
    return numbers / _DECIMETRES if column.unit == "m" else numbers


def _validate(numbers: np.ndarray, missing: np.ndarray, column: Column) -> ParsedValues:
    """Values outside codes or range become missing, and are invalid unless they are missing markers."""
    if column.codes:
        allowed = np.isin(numbers, list(column.codes))
    else:
        low, high = column.bounds
        allowed = (numbers >= low) & (numbers <= high)
        if column.kind is not ColumnKind.NUMBER:
            allowed &= numbers == np.round(numbers)
    missing = missing | (column.zero_is_missing & (numbers == 0)) | ((numbers == MISSING) & ~allowed)
    valid = allowed & ~missing
    missing_value = np.nan if column.kind is ColumnKind.NUMBER else MISSING
    return ParsedValues(np.where(valid, numbers, missing_value).astype(column.kind.dtype), ~valid & ~missing)


def _parse_texts(
    texts: pa.Array, missing: np.ndarray, column: Column, layout: Layout, scaled_departments: bool | None
) -> ParsedValues:
    if column.is_code_text:
        texts = pc.replace_substring_regex(texts, spellings.WHOLE_DECIMAL, r"\1")
    if column.pattern:
        texts = pc.utf8_upper(texts)
    values = texts.to_numpy(zero_copy_only=False)
    if normalise := _place_format(column, layout, values, scaled_departments):
        missing = missing | np.array([bool(text) and not text.strip("0") for text in values], dtype=bool)
        values = np.array([normalise(text) for text in values], dtype=object)
    valid = ~missing
    pattern = _COMMUNE_UNTIL_2018 if column.name == "com" and layout is Layout.UNTIL_2018 else column.pattern
    if pattern:
        allowed = re.compile(pattern)
        valid &= np.array([allowed.fullmatch(text) is not None for text in values], dtype=bool)
    values = values.copy()
    values[~valid] = None
    return ParsedValues(values, ~valid & ~missing)


def _place_format(
    column: Column, layout: Layout, values: np.ndarray, scaled_departments: bool | None
) -> Callable[[str], str] | None:
    """The conversion of departments or communes to their present codes; None for other columns."""
    old = layout is Layout.UNTIL_2018
    if column.name == "com":
        return spellings.commune_until_2018 if old else spellings.commune
    if column.name != "dep":
        return None
    if not old:
        return spellings.department
    scaled = spellings.are_scaled_departments(values.tolist()) if scaled_departments is None else scaled_departments
    return partial(spellings.department_until_2018, scaled=scaled)
