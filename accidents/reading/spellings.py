"""Spellings of one cell, for files and requests alike: missing markers, numbers, ids, times, places.

Whole columns are typed by `cell_values`, fields of requests by `accidents.requests.values`, both with these rules.
"""

import math
import re
from collections.abc import Iterable

from accidents.columns import Column, ColumnKind

MISSING_TEXTS = frozenset({"", "-1", "-1.0", "-1,0", "."})
"""Markers of a missing cell, published or written by other programs; a 0 outside the code list is another."""
MISSING_WORDS = frozenset(
    {"n/a", "null", "-", "none", "nan", "na", "#n/a", "#na", "<na>", "nat", "-nan", "(null)", "\\n", "#n/a n/a"}
)
"""Further markers of a missing cell in lower case, published in text columns and written by other programs in all."""
NO_BREAK_SPACES = ("\u00a0", "\u202f", "\u2007", "\ufeff")
MISREAD_SPACES = ("Â", "â€¯", "â\x80¯")
"""Remains of the no-break spaces in an id that was read as Latin-1 and saved again; the space itself may follow."""
MINUS = "\u2212"
"""The typographic minus sign."""
TEXT_MARK = r"""^(?:'|=")([^"]*)"?$"""
"""Regular expression of a cell with the mark by which spreadsheets keep a text, such as `'01` or `="01"`."""
WHOLE_DECIMAL = r"^\s*([0-9]+)[.,]0+\s*$"
"""Regular expression of a whole number written with decimals, such as `477.0`."""
ROUNDED_IDS = "a spreadsheet rounded the ids"
SCIENTIFIC_IDS = "ids in scientific notation, in which a spreadsheet may have rounded them"

_NUMBER = r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)"
_EXPONENT = "(?:[eE][+-]?[0-9]{1,3})?"
_WHOLE = re.compile(r"([+-]?0*[0-9]{1,19})(?:[.,]0*)?")
_GROUPED = re.compile(r"[0-9]{1,3}([.,'\u2019])[0-9]{3}(?:\1[0-9]{3})+")
_SCIENTIFIC = re.compile(r"\s*[+-]?[0-9]+(?:[.,]([0-9]*))?[eE]\+?([0-9]+)\s*")
_TIME = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]|0 days )?"  # of pandas
    r"([0-9]{1,2}) ?[:hH] ?([0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)? ?([aApP][mM])?"
    r"|([0-9]{1,2}) ?[hH]"
    r"|([0-9]{1,4})(?:[.,]0+)?"
)
_CAUSES: tuple[tuple[frozenset[str], re.Pattern[str], str], ...] = (
    (frozenset(ColumnKind), re.compile(r"#[A-ZÀ-Ý0/]+[!?]"), "a spreadsheet wrote an error value"),
    (frozenset({ColumnKind.TIME}), re.compile(r"[0-9]{1,2}(?:[.,]0+)?"), "a number such as 17 may be 17:00 or 00:17"),
    (frozenset({ColumnKind.TIME}), re.compile(r"0?[.,][0-9]+"), "a spreadsheet turned times into parts of a day"),
    (frozenset({"an_nais"}), re.compile(r"[0-9]{1,3}(?:[.,]0+)?"), "it is an age, or a year without its century"),
    (
        frozenset(ColumnKind) - {ColumnKind.TIME},
        re.compile(
            r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*|[0-9]{0,2}-?\w{3,5}\.?-[0-9]{2}|[0-9]{1,2}-[^\W\d]{3,5}\.?"
        ),
        "a spreadsheet turned numbers into dates",
    ),
    (
        frozenset({ColumnKind.CODE, ColumnKind.INTEGER}),
        re.compile(r"[+-]?[0-9.,]+[eE][+-]?[0-9]+"),
        "a code or whole number has no exponent",
    ),
)
"""Kinds or names of columns, invalid texts, and what another program did to them."""
_HOURS, _NOON = 24, 12
_LONGEST_HOUR = 2  # digits
_FEWEST_HOURS = 6  # distinct ones; fewer may be minutes after midnight
_CENTURY = 2000
_CORSICA = {"201": "2A", "202": "2B"}
_OVERSEAS = range(971, 989)
_OLD_COMMUNE = 3  # digits
_CORSICAN_COMMUNE = 6  # digits, of a commune whose department is written as 201 or 202


def is_missing(text: str) -> bool:
    """Whether a text, without spaces at its ends, is a marker of a missing cell.

    >>> is_missing("NaN"), is_missing("."), is_missing("0")
    (True, True, False)
    """
    return text in MISSING_TEXTS or text.lower() in MISSING_WORDS


def number_pattern(column: Column) -> str:
    """Regular expression of a number of a column, in digits with a decimal point or comma.

    Coordinates and widths may have an exponent, as pandas writes `1e-05`; codes, integers and ids may not.
    """
    return _NUMBER + (_EXPONENT if column.kind is ColumnKind.NUMBER else "")


def parse_number(text: str, column: Column) -> float:
    """The number in a text; NaN where it is none. Spaces between digits do not count.

    >>> from accidents.columns import TABLES, Table
    >>> columns = TABLES[Table.CARACTERISTIQUES]
    >>> parse_number("48,6", columns["lat"]), parse_number("1e-05", columns["lat"]), parse_number("1e0", columns["lum"])
    (48.6, 1e-05, nan)
    """
    digits = text.replace(" ", "").replace(MINUS, "-")
    letter = column.letter_codes.get(digits.upper())
    if letter is not None:
        return letter
    if not re.fullmatch(number_pattern(column), digits):
        return math.nan
    number = float(digits.replace(",", "."))
    return full_year(number) if column.name == "an" else number


def full_year(year: float) -> float:
    """The year of two digits, as published until 2018, as one of this century; others unchanged.

    >>> full_year(17), full_year(2017), full_year(0)
    (2017, 2017, 0)
    """
    return year + _CENTURY if 0 < year < 100 else year


def parse_id(text: str) -> int | None:
    """The exact whole number in a text; None where it is none.

    Decimals have to be zeros. Thousands may be separated by spaces, and two or more of them by points, commas or
    apostrophes, as a single one may be a decimal point.

    >>> parse_id("202400000001.0"), parse_id("202.400.000.001"), parse_id("2.024E+11"), parse_id("203Â 988Â 581")
    (202400000001, 202400000001, None, 203988581)
    """
    for space in MISREAD_SPACES:
        text = text.replace(space, " ")
    digits = text.replace(" ", "").replace(MINUS, "-")
    if grouped := _GROUPED.fullmatch(digits):
        digits = digits.replace(grouped[1], "")
    match = _WHOLE.fullmatch(digits)
    return int(match[1]) if match else None


def scientific_id(text: str) -> str | None:
    """What is wrong with an id in scientific notation; None where it is in digits.

    >>> scientific_id("2,024E+11"), scientific_id("202400000001")
    ('a spreadsheet rounded the ids', None)
    """
    match = _SCIENTIFIC.fullmatch(text)
    if not match:
        return None
    return ROUNDED_IDS if len(match[1] or "") < int(match[2]) else SCIENTIFIC_IDS


def is_ambiguous_time(text: str) -> bool:
    """Whether a number may be an hour or, with its zeros cut off, the minutes after midnight.

    >>> is_ambiguous_time("17"), is_ambiguous_time("45"), is_ambiguous_time("1715"), is_ambiguous_time("0")
    (True, False, False, False)
    """
    match = _TIME.fullmatch(text)
    return match is not None and match[5] is not None and len(match[5]) <= _LONGEST_HOUR and 0 < int(match[5]) < _HOURS


def are_hours(texts: Iterable[str]) -> bool:
    """Whether distinct times are hours without minutes: none has minutes, and more than a few are hours of a day."""
    times = [text for text in texts if _TIME.fullmatch(text) and text.strip("0")]
    return len(times) >= _FEWEST_HOURS and all(map(is_ambiguous_time, times))


def parse_time(text: str) -> float:
    """Minutes since midnight of a time of day; NaN where the text is none.

    >>> parse_time("17:15"), parse_time("1715"), parse_time("5"), parse_time("25:00"), parse_time("5:15 PM")
    (1035, 1035, 5, nan, 1035)
    """
    match = _TIME.fullmatch(text)
    if not match:
        return math.nan
    if match[1]:
        hours, minutes = int(match[1]), int(match[2])
    elif match[4]:
        hours, minutes = int(match[4]), 0
    else:
        hours, minutes = divmod(int(match[5]), 100)
    if half := match[3]:
        if not 1 <= hours <= _NOON:
            return math.nan
        hours = hours % _NOON + (_NOON if half.lower() == "pm" else 0)
    return hours * 60 + minutes if hours < _HOURS and minutes < 60 else math.nan


def explain_invalid(column: Column, texts: Iterable[str]) -> str:
    """What another program probably did to invalid texts of a column; empty where most have no known cause.

    >>> from accidents.columns import TABLES, Table
    >>> explain_invalid(TABLES[Table.LIEUX]["catr"], ["janv-24", "01/02/2024"])
    'a spreadsheet turned numbers into dates'
    """
    texts = [text.strip() for text in texts]
    causes = [(pattern, cause) for kinds, pattern, cause in _CAUSES if column.kind in kinds or column.name in kinds]
    for pattern, cause in causes:
        if 2 * sum(pattern.fullmatch(text) is not None for text in texts) > len(texts):
            return cause
    return ""


def department(text: str) -> str:
    """Department code since 2019: leading zeros that another program removed are restored, 201 is 2A.

    >>> department("1"), department("201"), department("75")
    ('01', '2A', '75')
    """
    return _CORSICA.get(text, text.zfill(2))


def commune(text: str) -> str:
    """Commune code since 2019: leading zeros that another program removed are restored, 201004 is 2A004.

    >>> commune("1053"), commune("201004"), commune("75116")
    ('01053', '2A004', '75116')
    """
    if len(text) == _CORSICAN_COMMUNE and text[:3] in _CORSICA:
        return _CORSICA[text[:3]] + text[3:]
    return text.zfill(5)


def department_until_2018(text: str, *, scaled: bool = True) -> str:
    """Department code until 2018: `590` is 59, `201` is 2A, `971` stays; leading zeros may be missing.

    Args:
        text: the text, in upper case.
        scaled: whether codes of two digits are times ten without their zero in front: `80` is 08, not 80.
    """
    if text in _CORSICA:
        return _CORSICA[text]
    if not (text.isascii() and text.isdecimal()):
        return text
    number = int(text)
    if number in _OVERSEAS:
        return text
    tens, rest = divmod(number, 10)
    if rest == 0 and (scaled or len(text) >= _OLD_COMMUNE):
        return f"{tens:02d}"
    return text.zfill(2)


def are_scaled_departments(texts: Iterable[str]) -> bool:
    """Whether departments until 2018 are times ten: one of three digits is, or none shows that they are not.

    >>> are_scaled_departments(["590", "80"]), are_scaled_departments(["59", "80"]), are_scaled_departments(["80"])
    (True, False, True)
    """
    numbers = [text for text in texts if text.isascii() and text.isdecimal() and int(text) not in _OVERSEAS]
    if any(len(text) >= _OLD_COMMUNE and text.endswith("0") for text in numbers):
        return True
    return all(text.endswith("0") or text in _CORSICA for text in numbers)


def commune_until_2018(text: str) -> str:
    """The last three digits; leading zeros may be missing."""
    return text[-_OLD_COMMUNE:].zfill(_OLD_COMMUNE)
