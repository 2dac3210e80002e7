"""Unusual spellings of cells that are corrected while they are parsed, to count them."""

import re
from collections.abc import Callable, Sequence

from accidents.columns import ACCIDENT_ID, Column, ColumnKind
from accidents.reading.layout import Layout
from accidents.reading.spellings import MINUS, MISREAD_SPACES, MISSING_WORDS, TEXT_MARK, WHOLE_DECIMAL

_WORDS = "|".join(re.escape(word) for word in sorted(MISSING_WORDS))
_WHOLE_NUMBERS = frozenset({ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.ID})
_NUMBERS = _WHOLE_NUMBERS | {ColumnKind.NUMBER}
_PLACES = frozenset({"dep", "com"})

# Name, regular expression, and the columns and layouts where the spelling is unusual.
_SPELLINGS: tuple[tuple[str, str, Callable[[Column, bool], bool]], ...] = (
    # until 2018 codes are published padded
    ("zeros in front of the code", r"^\s*0+[0-9]", lambda column, new: column.kind is ColumnKind.CODE and new),
    ("spaces between the digits of a number", "[0-9] +[0-9]", lambda column, _: column.kind in _NUMBERS),
    ("typographic minus sign", MINUS, lambda column, _: column.kind in _NUMBERS),
    (
        "whole number written with a sign or decimals",
        r"^\s*\+|[0-9][.,]0*\s*$",
        lambda column, _: column.kind in _WHOLE_NUMBERS,
    ),
    (
        "number written with an exponent",
        "[0-9.,][eE][-+0-9]",
        lambda column, _: column.kind is ColumnKind.NUMBER,
    ),
    (
        "decimal point in place of a comma",
        r"[0-9]\.[0-9]",
        lambda column, new: column.kind is ColumnKind.NUMBER and new,
    ),
    (
        "degrees in place of 1e-5 degrees",
        "[.,]0*[1-9]",
        lambda column, new: column.unit == "degrees" and not new,
    ),
    (
        "time of day written otherwise",
        r"[hHmM.,]|:.*:|^\s*[0-9]+\s*$",
        lambda column, new: column.kind is ColumnKind.TIME and new,
    ),
    ("time of day written otherwise", "[hHmM.,:]", lambda column, new: column.kind is ColumnKind.TIME and not new),
    ("code written with decimals", WHOLE_DECIMAL, lambda column, _: column.is_code_text),
    ("small letters in a code", "[a-z]", lambda column, _: bool(column.pattern)),
    ("code without the zeros in front", r"^\s*[0-9]\s*$", lambda column, new: column.name == "dep" and new),
    ("code without the zeros in front", r"^\s*[0-9]{1,4}\s*$", lambda column, new: column.name == "com" and new),
    ("code of fewer than three digits", r"^\s*[0-9]{1,2}\s*$", lambda column, new: column.name in _PLACES and not new),
    (
        "Corsica written as 201 or 202",
        r"^\s*20[12](?:[0-9]{3})?\s*$",
        lambda column, new: column.name in _PLACES and new,
    ),
    ("text mark of a spreadsheet", TEXT_MARK, lambda column, _: not column.is_free_text),
    (
        "no-break spaces read as Latin-1 and saved again",
        "|".join(MISREAD_SPACES),
        lambda column, _: column.kind is ColumnKind.ID,
    ),
    (
        "points, commas or apostrophes between thousands",
        "[0-9][.,'\u2019][0-9]{3}[.,'\u2019]",
        lambda column, _: column.kind is ColumnKind.ID,
    ),
    (
        "word for a missing value",
        rf"(?i)^\s*(?:{_WORDS})\s*$",
        lambda column, _: column.kind is not ColumnKind.TEXT,
    ),
    ("year of two digits", r"^\s*[0-9]{1,2}\s*$", lambda column, new: column.name == "an" and new),
)


def correctable_patterns(column: Column, layout: Layout, year: int, no_break_spaces: Sequence[str]) -> dict[str, str]:
    """Regular expressions of unusual spellings that are corrected, by name.

    Args:
        column: specification of the column.
        layout: layout of the file.
        year: year of the edition.
        no_break_spaces: the no-break spaces that occur in the file.
    """
    new = layout is Layout.SINCE_2019
    patterns = {name: pattern for name, pattern, applies in _SPELLINGS if applies(column, new)}
    spaces = "".join(no_break_spaces)
    if spaces and (column.kind is not ColumnKind.ID or column.name == ACCIDENT_ID):  # other ids are published with them
        patterns["no-break spaces"] = f"[{spaces}]"
    if codes := column.retired_in(year):
        patterns["code of former editions, read as its present one"] = rf"^\s*0*(?:{'|'.join(map(str, codes))})\s*$"
    return patterns
