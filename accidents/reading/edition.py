"""From the four files of an edition to its four typed tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from accidents.columns import Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.issues import DataIssue, UnreadableFileError, data_error, unreadable_file
from accidents.reading.typed_table import ParsedFile, read_table
from accidents.sources.edition import Edition
from accidents.tables import Tables

YEAR = 100_000_000
"""An accident id divided by this is its year."""


@dataclass(frozen=True)
class ParsedEdition:
    """An edition as read: one typed file a table, and the year it is of."""

    year: int
    files: Mapping[Table, ParsedFile]

    @property
    def tables(self) -> Tables:
        """The four typed tables."""
        return Tables(**{table.value: self.files[table].frame for table in Table})


def read(
    edition: Edition,
    *,
    labelled: bool = True,
    limits: DataQualityLimits | None = None,
    progress: Callable[[str], None] | None = None,
) -> ParsedEdition:
    """Read the four files of an edition.

    Cells that break a rule are missing and counted in the findings, even where they are too many to go on: whether to
    stop for those is decided by `accidents.ingestion`.

    Args:
        edition: where the files are, and of which year.
        labelled: whether `grav` is wanted; if not it is ignored.
        limits: shares of bad cells and rows; the defaults where None.
        progress: called with a line of text before each file.

    Raises:
        DataError: a file is missing or cannot be read at all; the message names all such files.
    """
    reading, findings = try_to_read(edition, labelled=labelled, limits=limits, progress=progress)
    if reading is None:
        raise data_error(findings)
    return reading


def try_to_read(
    edition: Edition,
    *,
    labelled: bool = True,
    limits: DataQualityLimits | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[ParsedEdition | None, list[DataIssue]]:
    """The same without raising: None where any file cannot be read, and the findings of all files."""
    files: dict[Table, ParsedFile] = {}
    findings: list[DataIssue] = []
    year = edition.year
    for table in Table:
        path = edition.files.get(table)
        if path is None:
            remedy = "All four files of a year are needed; look for one that is named differently"
            findings.append(unreadable_file(f"edition {year or ''}", f"there is no file for {table}", remedy).finding)
            continue
        if progress:
            progress(f"reading {path}")
        try:
            files[table] = read_table(path, table, year, labelled=labelled, limits=limits)
        except UnreadableFileError as fault:
            findings.append(fault.finding)
            continue
        year = year or _main_year(files[table])
        findings.extend(files[table].findings)
    complete = len(files) == len(Table)
    return (ParsedEdition(year or 0, files) if complete else None), findings


def _main_year(file: ParsedFile) -> int:
    """The year of most accident ids of a file."""
    years, counts = np.unique(file.frame["Num_Acc"].to_numpy() // YEAR, return_counts=True)
    return int(years[counts.argmax()])
