"""From editions to clean accidents in one call: read, validate, clean, account for every row.

The work is done in `reading` and `cleaning`; here is the order, and the decision to stop.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from accidents.cleaning.clean import CleaningResult, clean_edition
from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.reading.edition import YEAR, ParsedEdition, try_to_read
from accidents.reading.issues import Action, DataIssue, data_error, issues_frame, unreadable_file
from accidents.reading.layout import ACCIDENT_ID
from accidents.sources.edition import Edition
from accidents.tables import Accidents, Tables


@dataclass(frozen=True)
class IngestionResult:
    """Accidents fit to be used, and the account of how they came about.

    `report` has one row for each rule that something broke (columns `reading.findings.REPORT_COLUMNS`); `quarantine`
    one row for each row set aside (columns `cleaning.rows.QUARANTINE_COLUMNS`); `counts` the rows of each table in,
    out, quarantined and not chosen, and the accidents by label, over all editions. `tables` are the files as read, but
    for rows whose key is not of the year of their edition.
    """

    accidents: Accidents
    tables: Tables
    report: pd.DataFrame
    quarantine: pd.DataFrame
    counts: dict[str, int]


def ingest(
    editions: Sequence[Edition],
    settings: IngestionSettings,
    *,
    labelled: bool = True,
    today: date | None = None,
    progress: Callable[[str], None] | None = None,
) -> IngestionResult:
    """Read, validate and clean editions.

    Args:
        editions: one or more years of files.
        settings: the limits above which faults stop the run.
        labelled: False for the input of predictions: `grav` is ignored, and all labels are -1.
        today: day after which no accident can have happened; the present day where None.
        progress: called with a line of text before each part of the work.

    Raises:
        DataError: data cannot be used. The message lists what stopped them, with file, column, row and remedy;
            `.report` is the table of everything that was found in all editions.
    """
    if not editions:
        raise DataError("There is no edition to read: the source holds no year that was asked for. Check --years.")
    findings: list[DataIssue] = []
    parts: dict[int, CleaningResult] = {}
    readings: dict[int, ParsedEdition] = {}
    for edition in editions:
        reading, found = try_to_read(edition, labelled=labelled, limits=settings.limits, progress=progress)
        findings += found
        if reading is None:
            continue
        if reading.year in parts:
            findings.append(_twice(reading))
            continue
        readings[reading.year] = reading
        if progress:
            progress(f"cleaning {reading.year}")
        parts[reading.year] = clean_edition(reading, settings.limits, labelled=labelled, today=today or date.today())  # noqa: DTZ011 - accidents bear local dates
        findings += parts[reading.year].findings
    if any(finding.action is Action.STOPPED for finding in findings):
        raise data_error(findings)
    years = sorted(parts)
    return _together([parts[year] for year in years], [_of_its_year(readings[year]) for year in years], findings)


def _twice(reading: ParsedEdition) -> DataIssue:
    remedy = "Give each year once"
    file = reading.files[Table.CARACTERISTIQUES].file
    return unreadable_file(file, f"a second edition of the year {reading.year}", remedy).finding


def _of_its_year(reading: ParsedEdition) -> Tables:
    """The tables without rows of another year or of no key: these are set aside, and would make up other years."""
    frames = {table: getattr(reading.tables, table) for table in Table}
    masks = {table: frame[ACCIDENT_ID].to_numpy() // YEAR == reading.year for table, frame in frames.items()}
    return Tables(
        **{table.value: frames[table] if mask.all() else frames[table][mask] for table, mask in masks.items()}
    )


def _together(
    parts: Sequence[CleaningResult], tables: Sequence[Tables], findings: Sequence[DataIssue]
) -> IngestionResult:
    """All editions as one. Accident ids begin with the year, so editions in order are accidents in order."""
    accidents = Accidents(
        _concatenated([part.accidents.accidents for part in parts]),
        _concatenated([part.accidents.vehicles for part in parts]),
        _concatenated([part.accidents.people for part in parts]),
    )
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    quarantine = _concatenated([part.quarantine for part in parts])
    read = Tables(**{table.value: _concatenated([getattr(part, table.value) for part in tables]) for table in Table})
    return IngestionResult(accidents, read, issues_frame(findings), quarantine, dict(counts))


def _concatenated(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
