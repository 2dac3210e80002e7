"""The names under which the four files have been published. Nothing here opens a file."""

import re
import unicodedata
from collections.abc import Mapping

from accidents.columns.specification import Table

FILE_NAMES: Mapping[Table, tuple[str, ...]] = {
    Table.CARACTERISTIQUES: ("caracteristiques", "carcteristiques", "caract"),
    Table.LIEUX: ("lieux",),
    Table.VEHICULES: ("vehicules",),
    Table.USAGERS: ("usagers",),
}
"""Published spellings of each table's file name; case, accents and `-` or `_` before the year vary on top."""

_TABLES = {spelling: table for table, spellings in FILE_NAMES.items() for spelling in spellings}
_FILE = re.compile(rf"({'|'.join(_TABLES)})(?:[-_ ]?(20\d\d))?(?:\.csv)?", re.IGNORECASE)


def parse_file_name(name: str) -> tuple[Table, int | None] | None:
    """The table, and the year where the name says it, of a file name or title; None for any other file.

    The whole name has to fit: `vehicules-immatricules-baac-2021.csv` is another table and is not recognised.
    """
    plain = unicodedata.normalize("NFKD", name.strip()).encode("ascii", "ignore").decode()
    match = _FILE.fullmatch(plain)
    if match is None:
        return None
    spelling, year = match.groups()
    return _TABLES[spelling.lower()], int(year) if year else None


def expected_file_names(table: Table, year: int | None) -> str:
    """The file names that would have been recognised, as words for a message."""
    suffix = f"-{year}" if year else ""
    return " or ".join(f"{spelling}{suffix}.csv" for spelling in FILE_NAMES[table])
