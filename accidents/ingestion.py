"""Ingestion of editions in one call: read, clean, account for every row, and stop where the data cannot be used."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TypeVar

import pandas as pd

from accidents.cleaning.clean import CleaningResult, clean_edition
from accidents.columns import ACCIDENT_ID, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.ingestion import IngestionSettings
from accidents.engine import LOCAL, Engine
from accidents.errors import DataError
from accidents.reading.edition import try_read_edition
from accidents.reading.issues import Action, DataIssue, data_error, issues_frame, stop_above_limit, unreadable_file
from accidents.sources.edition import Edition
from accidents.tables import Accidents, Tables, accident_years

T = TypeVar("T", Accidents, Tables)

_CONSEQUENCES = ("hardly recorded", "one coordinate without", "is no vehicle id", "orphan")
"""Beginnings of checks that cells break which reading has set to missing."""


@dataclass(frozen=True)
class IngestionResult:
    """Clean accidents of all editions, and the account of how they were obtained.

    Attributes:
        accidents: the clean accidents.
        tables: the typed tables as read, without rows whose id is not of the year of their edition.
        report: one row for each issue; columns `reading.issues.REPORT_COLUMNS`.
        quarantine: one row for each quarantined row; columns `cleaning.row_rules.QUARANTINE_COLUMNS`.
        counts: rows of each table in, out, quarantined and not selected, and accidents by label.
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
    engine: Engine = LOCAL,
    progress: Callable[[str], None] | None = None,
) -> IngestionResult:
    """Read and clean editions.

    Args:
        editions: one or more years of files.
        settings: limits above which an issue stops the run.
        labelled: False for the input of predictions: `grav` is ignored, and every label is -1.
        today: day after which no accident can have happened; the present day where None.
        engine: where; one call an edition.
        progress: called with a line of text before each phase.

    Raises:
        DataError: data cannot be used. The message lists the issues that stopped the run, with file, column, row and
            remedy; `.report` has all issues of all editions.
    """
    if not editions:
        raise DataError("There is no edition to read: the source has none of the requested years. Check --years.")
    issues: list[DataIssue] = []
    cleaned: dict[int, CleaningResult] = {}
    tables: dict[int, Tables] = {}
    shared = settings.limits, labelled, today or date.today()  # noqa: DTZ011 - accidents have local dates
    for one in engine.map(_read_and_clean, editions, *shared, progress=progress):
        issues += one.reading_issues
        if one.cleaned is None or one.tables is None:
            continue
        if one.year in cleaned:
            issues.append(_repeated_year(one.name, one.year))
            continue
        cleaned[one.year], tables[one.year] = one.cleaned, one.tables
        issues += _without_consequences(one.cleaned.issues, one.reading_issues, settings.limits)
    issues = [stop_above_limit(issue, settings.limits) for issue in issues]
    if any(issue.action is Action.STOPPED for issue in issues):
        raise data_error(issues)
    years = sorted(cleaned)
    return _concatenate([cleaned[year] for year in years], [tables[year] for year in years], issues)


@dataclass(frozen=True)
class _CleanedEdition:
    """An edition with the name of its main file; `cleaned` and `tables` are None where it cannot be read."""

    reading_issues: list[DataIssue]
    year: int = 0
    name: str = ""
    cleaned: CleaningResult | None = None
    tables: Tables | None = None


def _read_and_clean(
    edition: Edition,
    limits: DataQualityLimits,
    labelled: bool,
    today: date,
    progress: Callable[[str], None] | None = None,
) -> _CleanedEdition:
    parsed, issues = try_read_edition(edition, labelled=labelled, limits=limits, progress=progress)
    if parsed is None:
        return _CleanedEdition(issues)
    if progress:
        progress(f"cleaning {parsed.year}")
    tables = _rows_of_year(parsed.tables, parsed.year)
    cleaned = clean_edition(parsed, limits, labelled=labelled, today=today)
    return _CleanedEdition(issues, parsed.year, parsed.files[Table.CARACTERISTIQUES].file, cleaned, tables)


def _without_consequences(
    cleaning: Sequence[DataIssue], reading: Sequence[DataIssue], limits: DataQualityLimits
) -> list[DataIssue]:
    """Issues of cleaning, without those of columns whose cells already stop the run and are missing therefore."""
    stopped = {issue.column for issue in reading if stop_above_limit(issue, limits).action is Action.STOPPED} - {""}
    return [
        issue
        for issue in cleaning
        if stopped.isdisjoint(issue.column.split(", ")) or not issue.check.startswith(_CONSEQUENCES)
    ]


def _repeated_year(file: str, year: int) -> DataIssue:
    return unreadable_file(file, f"a second edition of the year {year}", "Give each year once").issue


def _rows_of_year(tables: Tables, year: int) -> Tables:
    """The tables without rows of another year or without an id, which are quarantined."""
    frames = {table: getattr(tables, table) for table in Table}
    masks = {table: accident_years(frame[ACCIDENT_ID].to_numpy()) == year for table, frame in frames.items()}
    return Tables(*(frames[table] if mask.all() else frames[table][mask] for table, mask in masks.items()))


def _concatenate(
    results: Sequence[CleaningResult], tables: Sequence[Tables], issues: Sequence[DataIssue]
) -> IngestionResult:
    """All editions as one. Accident ids begin with the year, so that editions in order are accidents in order."""
    accidents = _concatenate_fields([result.accidents for result in results])
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.counts)
    quarantine = _concatenate_frames([result.quarantine for result in results])
    return IngestionResult(accidents, _concatenate_fields(tables), issues_frame(issues), quarantine, dict(counts))


def _concatenate_fields(parts: Sequence[T]) -> T:
    """One dataclass of frames from several."""
    frames = ([getattr(part, field.name) for part in parts] for field in fields(type(parts[0])))
    return type(parts[0])(*map(_concatenate_frames, frames))


def _concatenate_frames(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
