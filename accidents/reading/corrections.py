"""Unusual spellings of cells that are corrected while they are parsed, to count them."""

import re
from collections.abc import Sequence

from accidents.columns import ACCIDENT_ID, Column, ColumnKind
from accidents.reading.cell_values import MISREAD_SPACES, MISSING_WORDS, WHOLE_DECIMAL
from accidents.reading.layout import Layout

_MISREAD = "|".join(MISREAD_SPACES)
_UNUSUAL_INTEGER = r"^\s*\+|[0-9][.,]0*\s*$|[0-9][.,]?[0-9]*[eE]\+?[0-9]+\s*$"


def correctable_patterns(column: Column, layout: Layout, year: int, no_break_spaces: Sequence[str]) -> dict[str, str]:
    """Regular expressions of unusual spellings that are corrected, by name.

    Args:
        column: specification of the column.
        layout: layout of the file.
        year: year of the edition.
        no_break_spaces: the no-break spaces that occur in the file.
    """
    patterns = {}
    spaces = "".join(no_break_spaces)
    if spaces and (column.kind is not ColumnKind.ID or column.name == ACCIDENT_ID):  # other ids are published with them
        patterns["no-break spaces"] = f"[{spaces}]"
    if column.kind is ColumnKind.CODE and layout is Layout.SINCE_2019:  # until 2018 codes are published padded
        patterns["zeros in front of the code"] = r"^\s*0+[0-9]"
    if column.kind in {ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.NUMBER}:
        patterns["spaces between the digits of a number"] = r"[0-9] +[0-9]"
    if column.kind in {ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.ID}:
        patterns["whole number written with a sign, decimals or an exponent"] = _UNUSUAL_INTEGER
    if column.is_code_text:
        patterns["code written with decimals"] = WHOLE_DECIMAL
    if column.kind is ColumnKind.ID:
        patterns["no-break spaces read as Latin-1 and saved again"] = _MISREAD
    if column.kind is not ColumnKind.TEXT:
        words = "|".join(re.escape(word) for word in sorted(MISSING_WORDS))
        patterns["word for a missing value"] = rf"^\s*(?:{words})\s*$"
    if codes := column.retired_in(year):
        patterns["code of former editions, read as its present one"] = rf"^\s*0*(?:{'|'.join(map(str, codes))})\s*$"
    if column.name == "an" and layout is Layout.SINCE_2019:
        patterns["year of two digits"] = r"^\s*[0-9]{1,2}\s*$"
    return patterns
