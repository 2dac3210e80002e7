"""The two layouts of the published files, and their detection from the header.

Until 2018: comma or tab, no id of vehicles, scaled numbers. Since 2019: semicolon, every field quoted.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from accidents.columns import ACCIDENT_ID, TABLES, Table
from accidents.reading.decoding import DecodedFile
from accidents.reading.issues import Action, DataIssue, unreadable_file

_FIRST_YEAR_OF_NEW_LAYOUT = 2019
_ACCIDENT_ID = re.compile(r"\s*20[0-9]{10}(?:[.,]0+)?\s*")
SEPARATORS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "vertical bar"}


class Layout(Enum):
    """Layout of the files of an edition."""

    UNTIL_2018 = "the layout of 2005 to 2018"
    SINCE_2019 = "the layout since 2019"

    @property
    def separators(self) -> str:
        """Published field separators, one character each."""
        return ",\t" if self is Layout.UNTIL_2018 else ";"

    def nearest_year(self, year: int) -> int:
        """The year of this layout that is closest to `year`."""
        first_new = _FIRST_YEAR_OF_NEW_LAYOUT
        return min(year, first_new - 1) if self is Layout.UNTIL_2018 else max(year, first_new)


# Columns of one layout only. `caracteristiques` since 2019 has none: there the year decides.
_DISTINCTIVE_COLUMNS: Mapping[Layout, frozenset[str]] = {
    Layout.SINCE_2019: frozenset({"id_vehicule", "motor", "vma", "secu1", "secu2", "secu3"}),
    Layout.UNTIL_2018: frozenset({"gps", "env1", "secu"}),
}


@dataclass(frozen=True)
class Header:
    """Parsed header of a file.

    Attributes:
        separator: field separator.
        quoted: whether every field is in quotes.
        columns: specified name of each column; None for a column that is not in the specification.
        layout: layout of the file.
        year: year of the edition, or of the first accident.
        issues: columns that are ignored, and an unusual separator.
    """

    separator: str
    quoted: bool
    columns: tuple[str | None, ...]
    layout: Layout
    year: int
    issues: tuple[DataIssue, ...]


def read_header(text: DecodedFile, table: Table, year: int | None, *, labelled: bool) -> Header:
    """Detect separator, columns and layout of a file from its first line.

    Args:
        text: the decoded file.
        table: which of the four tables it holds.
        year: the year of the edition; None to take it from the first accident id.
        labelled: whether the label `grav` is required; if not, it is ignored.

    Raises:
        UnreadableFileError: no separator yields the accident id, or a column is missing or occurs twice.
    """
    lines = re.split(rb"\r\n|\n|\r", text.data[:100_000], maxsplit=2)
    line = lines[0].decode("utf-8", errors="replace")
    separator = _detect_separator(text.file, table, line)
    names = [_strip_quotes(name) for name in line.split(separator)]
    columns = [_specified_name(table, name) for name in names]
    _check_duplicates(text.file, columns)
    if _has_row_names(lines, separator, columns.index(ACCIDENT_ID), len(columns)):
        names, columns = ["", *names], [None, *columns]
    if year is None:
        year = _first_year(lines, separator, columns.index(ACCIDENT_ID))
    layout = _detect_layout(columns, year)
    issues = _ignored_columns(text.file, table, names, columns, labelled=labelled)
    if separator not in layout.separators:
        check = f"fields are separated by a {SEPARATORS[separator]}"
        issues += (DataIssue(text.file, "", check, 1, 0.0, Action.CORRECTED, first_rows=(1,)),)
    if not labelled:
        columns = [None if name == "grav" else name for name in columns]
    _check_required(text.file, table, columns, layout.nearest_year(year), labelled=labelled)
    return Header(separator, _is_quoted(lines, separator), tuple(columns), layout, year, issues)


def _strip_quotes(name: str) -> str:
    return name.strip(' \t"\ufeff\u00a0')


def _detect_separator(file: str, table: Table, line: str) -> str:
    for separator in SEPARATORS:
        fields = [_specified_name(table, _strip_quotes(name)) for name in line.split(separator)]
        if ACCIDENT_ID in fields and len(fields) > 1:
            return separator
    raise unreadable_file(
        file,
        f"wrong separator or missing column: the header {line[:80]!r} does not yield the key column {ACCIDENT_ID}",
        f"The fields of {table} are separated by {', '.join(SEPARATORS.values())}; use the official file",
        column=ACCIDENT_ID,
        rows=[1],
    )


def _specified_name(table: Table, name: str) -> str | None:
    for column in TABLES[table].values():
        if name.casefold() in {alias.casefold() for alias in (column.name, *column.aliases)}:
            return column.name
    return None


def _check_duplicates(file: str, columns: Sequence[str | None]) -> None:
    for name in columns:
        if name is not None and columns.count(name) > 1:
            raise unreadable_file(file, "the column occurs twice in the header", "Remove one", column=name, rows=[1])


def _is_quoted(lines: Sequence[bytes], separator: str) -> bool:
    """Whether header and first row are in quotes; some programs quote only the header and texts."""
    ends = f" {separator}".encode()
    return all(line.lstrip().startswith(b'"') and line.rstrip(ends).endswith(b'"') for line in lines[:2])


def _has_row_names(lines: Sequence[bytes], separator: str, place: int, columns: int) -> bool:
    """Whether rows begin with a row name or number that the header has no field for."""
    first = lines[1].decode("utf-8", errors="replace") if len(lines) > 1 else ""
    fields = next(csv.reader([first], delimiter=separator), [])
    return len(fields) == columns + 1 and _ACCIDENT_ID.fullmatch(fields[place + 1]) is not None


def _first_year(lines: Sequence[bytes], separator: str, place: int) -> int:
    fields = lines[1].decode("utf-8", errors="replace").split(separator) if len(lines) > 1 else []
    digits = re.sub(r"\D", "", fields[place]) if place < len(fields) else ""
    return int(digits[:4] or 0) or _FIRST_YEAR_OF_NEW_LAYOUT


def _detect_layout(columns: Sequence[str | None], year: int) -> Layout:
    for layout, distinctive in _DISTINCTIVE_COLUMNS.items():
        if distinctive.intersection(name for name in columns if name):
            return layout
    return Layout.UNTIL_2018 if year < _FIRST_YEAR_OF_NEW_LAYOUT else Layout.SINCE_2019


def _ignored_columns(
    file: str, table: Table, names: Sequence[str], columns: Sequence[str | None], *, labelled: bool
) -> tuple[DataIssue, ...]:
    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    ignored = [(name, f"column that {table} does not have") for name in unknown]
    if not labelled and "grav" in columns:
        ignored.append(("grav", "the label is no input of a prediction"))
    return tuple(DataIssue(file, *issue, 1, 0.0, Action.IGNORED, first_rows=(1,)) for issue in ignored)


def _check_required(file: str, table: Table, columns: Sequence[str | None], year: int, *, labelled: bool) -> None:
    required = [column.name for column in TABLES[table].values() if column.published_in(year)]
    missing = [name for name in required if name not in columns and (labelled or name != "grav")]
    if missing:
        raise unreadable_file(
            file,
            f"missing column: {', '.join(missing)} of {table} {year}",
            "Use the official file, which has it, or restore the name of the column in the header",
            column=", ".join(missing),
            rows=[1],
        )
