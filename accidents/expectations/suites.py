"""Expectation suites of a year: measures of each row of a table, and expectations on them."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from accidents.cleaning.main_road import select_main_roads
from accidents.columns import ACCIDENT_ID, MISSING, TABLES, Table
from accidents.configuration.expectations import ExpectationSettings, ShareRange
from accidents.tables import Tables, accident_years

_COUNTS = tomllib.loads(Path(__file__).with_name("published_accidents.toml").read_text(encoding="utf-8"))

PUBLISHED_ACCIDENTS: Mapping[int, int] = {int(year): accidents for year, accidents in _COUNTS.items()}
"""Number of accidents of each edition, as published."""

LABEL_TOPIC = "Label"
"""Topic of the expectations on `grav` of `usagers`."""

COUNT_TOPIC = "Number of accidents"
"""Topic of the expectation that compares the number of accidents with the published one."""

_LAST_OLD_EDITION = 2018
_UNHURT = 1
_STANDARD_DEVIATIONS = 4  # of a share among few rows
_ONE_O_CLOCK = 13 * 60

Rows = Mapping[Table, pd.DataFrame]
"""Rows of one year."""


@dataclass(frozen=True)
class Expectation:
    """One expectation on a column of numbers.

    Attributes:
        topic: group of expectations in the report.
        subject: description of the measure.
        measure: float64, one element a row of the table.
        kind: name of a Great Expectations class.
        arguments: its arguments besides the column.
        blocking: whether a failure stops the run.
        note: further information for the report.
    """

    topic: str
    subject: str
    measure: np.ndarray
    kind: str
    arguments: Mapping[str, Any]
    blocking: bool
    note: str = ""


@dataclass(frozen=True)
class Suite:
    """All expectations on one table of one year."""

    year: int
    expectations: tuple[Expectation, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """The measures: one row a row of the table, one float64 column an expectation, named by its position."""
        return pd.DataFrame({str(i): expectation.measure for i, expectation in enumerate(self.expectations)})


def build_suites(tables: Tables, settings: ExpectationSettings) -> Iterator[Suite]:
    """Build the suites of all years and their four tables, in this order."""
    frames: Rows = {table: getattr(tables, table) for table in Table}
    years = {table: accident_years(frame[ACCIDENT_ID].to_numpy()) for table, frame in frames.items()}
    for year in np.unique(np.concatenate(list(years.values()))).tolist():
        rows = {table: frame[years[table] == year] for table, frame in frames.items()}
        for table in Table:
            expectations = list(_coverage(table, rows, settings))
            if table is Table.CARACTERISTIQUES:
                expectations = [_count(year, rows, settings), *_accident_shares(rows, settings), *expectations]
            if table is Table.USAGERS:
                expectations = [*_people_shares(rows, settings), *expectations]
            missing = _missing(year, table, rows, settings)
            if table is Table.LIEUX:  # of other rows than the coverage: further roads of an accident are left out
                yield Suite(year, tuple(expectations))
                yield Suite(year, tuple(missing))
            else:
                yield Suite(year, (*expectations, *missing))


def _count(year: int, rows: Rows, settings: ExpectationSettings) -> Expectation:
    count = len(rows[Table.CARACTERISTIQUES])
    least, most, note = 1, None, f"no published number for {year} to compare with"
    published = PUBLISHED_ACCIDENTS.get(year)
    if published is not None:
        margin = settings.count_tolerance * published
        least = round(published - margin) if settings.whole_years else 1
        most = round(published + margin)
        part = "a part of the year: " if count < published - margin else ""
        note = f"{part}{count / published:.1%} of the {published:,} published accidents"
    subject, kind = "rows of caracteristiques", "ExpectTableRowCountToBeBetween"
    limits = {"min_value": least, "max_value": most}
    return Expectation(COUNT_TOPIC, subject, np.ones(count), kind, limits, bool(settings.whole_years), note)


def _accident_shares(rows: Rows, settings: ExpectationSettings) -> Iterator[Expectation]:
    people, accidents = rows[Table.USAGERS], rows[Table.CARACTERISTIQUES]

    def accidents_with(selected: pd.Series) -> pd.Series:
        return accidents[ACCIDENT_ID].isin(people.loc[selected, ACCIDENT_ID])

    severe, unhurt, minutes = people["grav"].isin([2, 3]), people["grav"] == _UNHURT, accidents["hrmn"]
    label = "accidents with somebody killed or hospitalised"
    yield _label(label, accidents_with(severe), settings.priority, rows, settings)
    # Every accident has somebody hurt by definition; where nobody is, `grav` may be in the rows of other people.
    nobody = accidents_with(unhurt) & ~accidents_with(~unhurt)
    yield _label("accidents with nobody hurt", nobody, ShareRange(least=0, most=settings.nobody_hurt), rows, settings)
    # Times of a 12-hour clock are valid, and none is after 12:59.
    late = (minutes >= _ONE_O_CLOCK).where(minutes != MISSING)
    large = len(minutes) >= settings.fewest_accidents
    yield _composition("accidents from 13:00 on", late, settings.afternoon, blocking=large)


def _people_shares(rows: Rows, settings: ExpectationSettings) -> Iterator[Expectation]:
    injuries, roles = rows[Table.USAGERS]["grav"], rows[Table.USAGERS]["catu"]
    for subject, code, bounds in (
        ("people unhurt", _UNHURT, settings.unhurt),
        ("people slightly injured", 4, settings.slightly_injured),
        ("people hospitalised", 3, settings.hospitalised),
        ("people killed", 2, settings.killed),
        ("people of unknown injury", MISSING, ShareRange(least=0, most=settings.unknown_injury)),
    ):
        yield _label(subject, injuries == code, bounds, rows, settings)
    # People who were left out leave no trace but in these shares: every accident still has its drivers.
    for subject, code, bounds in (
        ("people who are passengers", 2, settings.passengers),
        ("people who are pedestrians", 3, settings.pedestrians),
    ):
        yield _composition(subject, (roles == code).where(roles != MISSING), bounds)


def _label(
    subject: str, values: pd.Series, bounds: ShareRange, rows: Rows, settings: ExpectationSettings
) -> Expectation:
    large = len(rows[Table.CARACTERISTIQUES]) >= settings.fewest_accidents
    note = "" if large else f"fewer than {settings.fewest_accidents:,} accidents: too few to stop for"
    return _share(LABEL_TOPIC, subject, values, bounds, blocking=large, note=note)


def _composition(subject: str, values: pd.Series, bounds: ShareRange, *, blocking: bool = False) -> Expectation:
    note = "" if blocking else "differs between departments: a warning"
    return _share("Composition", subject, values, bounds, blocking=blocking, note=note)


def _share(
    topic: str, subject: str, values: pd.Series, bounds: ShareRange, *, blocking: bool, note: str
) -> Expectation:
    """An expectation on a share; `values` are missing where nothing is recorded."""
    limits = {"min_value": bounds.least, "max_value": bounds.most}
    measure = values.to_numpy(dtype="float64")
    return Expectation(topic, subject, measure, "ExpectColumnMeanToBeBetween", limits, blocking, note)


def _coverage(table: Table, rows: Rows, settings: ExpectationSettings) -> Iterator[Expectation]:
    accidents = Table.CARACTERISTIQUES
    partners = [other for other in Table if other is not accidents] if table is accidents else [accidents]
    for partner in partners:
        unmatched = ~rows[table][ACCIDENT_ID].isin(rows[partner][ACCIDENT_ID])
        subject = f"rows of {table} whose accident is not in {partner}"
        yield _max_missing("Join coverage", subject, unmatched, settings.unmatched, blocking=True)


def _missing(year: int, table: Table, rows: Rows, settings: ExpectationSettings) -> Iterator[Expectation]:
    old = year <= _LAST_OLD_EDITION
    limits = settings.missing_until_2018 if old else settings.missing
    few = len(rows[Table.CARACTERISTIQUES]) < settings.fewest_accidents
    notes = ["limits of old editions are wide"] if old else []
    notes += ["few accidents: the limit is wider by what chance may do"] if few else []
    frame, note = rows[table], "; ".join(notes)
    if table is Table.LIEUX:  # further roads of an accident may be filled in less well, and are not used
        frame = frame[select_main_roads(frame)]
    for name, column in TABLES[table].items():
        if column.published_in(year) and column.nullable:
            cells = frame[name]
            missing = cells == MISSING if pd.api.types.is_integer_dtype(cells.dtype) else cells.isna()
            limit = limits.limit_of(table, name)
            if few:
                limit = min(1.0, limit + _STANDARD_DEVIATIONS * math.sqrt(limit * (1 - limit) / max(len(frame), 1)))
            yield _max_missing("Missing cells", f"{table}.{name}", missing, limit, blocking=not old, note=note)


def _max_missing(
    topic: str, subject: str, missing: pd.Series, limit: float, *, blocking: bool, note: str = ""
) -> Expectation:
    measure = np.where(missing, np.nan, 1.0)
    return Expectation(topic, subject, measure, "ExpectColumnValuesToNotBeNull", {"mostly": 1 - limit}, blocking, note)
