"""Reads the four files of an edition into typed tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from accidents.columns import ACCIDENT_ID, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.issues import DataIssue, UnreadableFileError, data_error, unreadable_file
from accidents.reading.typed_table import ParsedFile, read_table
from accidents.sources.edition import Edition
from accidents.tables import Tables, accident_years


@dataclass(frozen=True)
class ParsedEdition:
    """An edition as typed tables: its year, and the parsed file of each table."""

    year: int
    files: Mapping[Table, ParsedFile]

    @property
    def tables(self) -> Tables:
        """The four typed tables."""
        return Tables(**{table.value: self.files[table].frame for table in Table})


def read_edition(edition: Edition) -> ParsedEdition:
    """Read the four files of an edition, with the default limits.

    Raises:
        DataError: a file is missing or cannot be read at all; the message names all such files.
    """
    parsed, issues = try_read_edition(edition)
    if parsed is None:
        raise data_error(issues)
    return parsed


def try_read_edition(
    edition: Edition,
    *,
    labelled: bool = True,
    limits: DataQualityLimits | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[ParsedEdition | None, list[DataIssue]]:
    """Read the four files of an edition, without raising.

    Cells that break a rule become missing, and are reported as issues even where they are too many: whether to stop is
    decided by `accidents.ingestion`.

    Args:
        edition: paths of the files, and their year.
        labelled: whether to read the label `grav`; if not, it is missing in all rows.
        limits: limits on the shares of bad cells and rows; the defaults where None.
        progress: called with a line of text before each file.

    Returns:
        The edition, None where any file cannot be read; and the issues of all files.
    """
    files: dict[Table, ParsedFile] = {}
    issues: list[DataIssue] = []
    year = edition.year
    for table in Table:
        path = edition.files.get(table)
        if path is None:
            remedy = "All four files of a year are needed; look for one that is named differently"
            issues.append(unreadable_file(f"edition {year or ''}", f"there is no file for {table}", remedy).issue)
            continue
        if progress:
            progress(f"reading {path}")
        try:
            files[table] = read_table(
                path, table, year, labelled=labelled, limits=limits, scaled_departments=edition.scaled_departments
            )
        except UnreadableFileError as error:
            issues.append(error.issue)
            continue
        year = year or _most_frequent_year(files[table])
        issues.extend(files[table].issues)
    complete = len(files) == len(Table)
    return (ParsedEdition(year or 0, files) if complete else None), issues


def _most_frequent_year(file: ParsedFile) -> int:
    years, counts = np.unique(accident_years(file.frame[ACCIDENT_ID].to_numpy()), return_counts=True)
    return int(years[counts.argmax()])
