"""Published names of the four files."""

import re
import unicodedata
from collections.abc import Collection, Mapping

from accidents.columns.specification import Table

FILE_NAMES: Mapping[Table, tuple[str, ...]] = {
    Table.CARACTERISTIQUES: ("caracteristiques", "carcteristiques", "caract"),
    Table.LIEUX: ("lieux",),
    Table.VEHICULES: ("vehicules",),
    Table.USAGERS: ("usagers",),
}
"""Published spellings of the file name of each table; case, accents and `-` or `_` before the year vary as well, and
browsers append ` (1)`."""

_TABLES = {spelling: table for table, spellings in FILE_NAMES.items() for spelling in spellings}
_FILE = re.compile(
    rf"({'|'.join(_TABLES)})(?:[-_ ]?(20\d\d))?(?: ?\(\d\))?(?:\.(?:csv|txt|tsv|parquet))?", re.IGNORECASE
)


def parse_file_name(name: str) -> tuple[Table, int | None] | None:
    """Parse a file name, or the title of a published file.

    Returns:
        The table, and the year or None; None for a file of another table.

    Example:
        >>> parse_file_name("Caractéristiques_2016.csv") == (Table.CARACTERISTIQUES, 2016)
        True
        >>> parse_file_name("vehicules-immatricules-baac-2021.csv") is None
        True
    """
    ascii_name = unicodedata.normalize("NFKD", name.strip()).encode("ascii", "ignore").decode()
    match = _FILE.fullmatch(ascii_name)
    if match is None:
        return None
    spelling, year = match.groups()
    return _TABLES[spelling.lower()], int(year) if year else None


def resembles_file_name(name: str) -> bool:
    """Whether a name begins like that of a published file, such as `lieux-2024.csv.gz`."""
    return name.lower().startswith(tuple(_TABLES))


def expected_file_names(table: Table, year: int | None) -> str:
    """The accepted file names of a table, as text for an error message."""
    suffix = f"-{year}" if year else ""
    return " or ".join(f"{spelling}{suffix}.csv" for spelling in FILE_NAMES[table])


def missing_tables(found: Collection[Table], year: int | None) -> str:
    """The tables that are not among those found, as text for an error message; empty where none is missing."""
    missing = [table for table in Table if table not in found]
    return "; ".join(f"{table} (looked for {expected_file_names(table, year)})" for table in missing)
