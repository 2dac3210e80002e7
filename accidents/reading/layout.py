"""The two layouts of the published files, and how a header tells which one a file has.

Until 2018 (`OLD`): comma or tab, no id of vehicles, scaled numbers. Since 2019 (`NEW`): semicolon, every field quoted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from accidents.columns import TABLES, Table
from accidents.reading.decoding import DecodedFile
from accidents.reading.issues import Action, DataIssue, unreadable_file

FIRST_NEW_YEAR = 2019
SEPARATORS = {";": "semicolon", ",": "comma", "\t": "tab"}
ACCIDENT_ID = "Num_Acc"


class Layout(Enum):
    """How the files of an edition are written."""

    OLD = "the layout of 2005 to 2018"
    NEW = "the layout since 2019"

    @property
    def separators(self) -> str:
        """Characters that may stand between the fields."""
        return ",\t" if self is Layout.OLD else ";"

    def year_like(self, year: int) -> int:
        """The year of this layout next to `year`."""
        return min(year, FIRST_NEW_YEAR - 1) if self is Layout.OLD else max(year, FIRST_NEW_YEAR)


# Columns that one layout alone has. `caracteristiques` since 2019 has none: there the year decides.
_MARKS: Mapping[Layout, frozenset[str]] = {
    Layout.NEW: frozenset({"id_vehicule", "motor", "vma", "secu1", "secu2", "secu3"}),
    Layout.OLD: frozenset({"gps", "env1", "secu"}),
}


@dataclass(frozen=True)
class Header:
    """What the first line of a file says.

    `columns` holds, field by field, the specified name of the column, or None for a column that is not in the
    specification; `quoted` whether the header, and so every field, stands in quotes.
    """

    separator: str
    quoted: bool
    columns: tuple[str | None, ...]
    layout: Layout
    findings: tuple[DataIssue, ...]


def read_header(text: DecodedFile, table: Table, year: int | None, *, labelled: bool) -> Header:
    """Recognise separator, columns and layout of a file from its first line.

    Args:
        text: the file.
        table: which of the four tables it holds.
        year: the year of the edition where it is known; else the first key tells it.
        labelled: whether the label must be there; if not, `grav` is ignored.

    Raises:
        FileFault: no separator yields the key column, a column is missing or occurs twice, or the separator is not one
            of the layout.
    """
    lines = re.split(rb"\r\n|\n|\r", text.data[:100_000], maxsplit=2)
    line = lines[0].decode("utf-8", errors="replace")
    separator = _separator(text.file, table, line)
    names = [_unquoted(name) for name in line.split(separator)]
    columns = [_specified(table, name) for name in names]
    _refuse_repeated(text.file, columns)
    if year is None:
        year = _first_year(lines, separator, columns.index(ACCIDENT_ID))
    layout = _layout(columns, year)
    if separator not in layout.separators:
        raise unreadable_file(
            text.file,
            f"wrong separator: fields are separated by a {SEPARATORS[separator]}, which {layout.value} does not use",
            f"Save it with a {' or '.join(SEPARATORS[one] for one in layout.separators)}, or use the official file",
            rows=[1],
        )
    findings = _ignored(text.file, table, names, columns, labelled=labelled)
    if not labelled:
        columns = [None if name == "grav" else name for name in columns]
    _refuse_missing(text.file, table, columns, layout.year_like(year), labelled=labelled)
    return Header(separator, line.lstrip().startswith('"'), tuple(columns), layout, findings)


def _unquoted(name: str) -> str:
    return name.strip(' \t"\ufeff\u00a0')


def _separator(file: str, table: Table, line: str) -> str:
    for separator in SEPARATORS:
        fields = [_specified(table, _unquoted(name)) for name in line.split(separator)]
        if ACCIDENT_ID in fields and len(fields) > 1:
            return separator
    raise unreadable_file(
        file,
        f"wrong separator or missing column: the header {line[:80]!r} does not yield the key column {ACCIDENT_ID}",
        f"The fields of {table} are separated by {', '.join(SEPARATORS.values())}; use the official file",
        column=ACCIDENT_ID,
        rows=[1],
    )


def _specified(table: Table, name: str) -> str | None:
    for column in TABLES[table].values():
        if name.casefold() in {other.casefold() for other in (column.name, *column.aliases)}:
            return column.name
    return None


def _refuse_repeated(file: str, columns: Sequence[str | None]) -> None:
    for name in columns:
        if name is not None and columns.count(name) > 1:
            raise unreadable_file(file, "the column occurs twice in the header", "Remove one", column=name, rows=[1])


def _first_year(lines: Sequence[bytes], separator: str, place: int) -> int:
    fields = lines[1].decode("utf-8", errors="replace").split(separator) if len(lines) > 1 else []
    digits = re.sub(r"\D", "", fields[place]) if place < len(fields) else ""
    return int(digits[:4] or 0) or FIRST_NEW_YEAR


def _layout(columns: Sequence[str | None], year: int) -> Layout:
    for layout, marks in _MARKS.items():
        if marks.intersection(name for name in columns if name):
            return layout
    return Layout.OLD if year < FIRST_NEW_YEAR else Layout.NEW


def _ignored(
    file: str, table: Table, names: Sequence[str], columns: Sequence[str | None], *, labelled: bool
) -> tuple[DataIssue, ...]:
    findings = [
        DataIssue(file, name, f"column that {table} does not have", 1, 0.0, Action.IGNORED, first_rows=(1,))
        for name, column in zip(names, columns, strict=True)
        if column is None
    ]
    if not labelled and "grav" in columns:
        check = "the label is no input of a prediction"
        findings.append(DataIssue(file, "grav", check, 1, 0.0, Action.IGNORED, first_rows=(1,)))
    return tuple(findings)


def _refuse_missing(file: str, table: Table, columns: Sequence[str | None], year: int, *, labelled: bool) -> None:
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
