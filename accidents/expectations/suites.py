"""Expectation suites of a year: measures of each row of a table, and expectations on them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from accidents.cleaning.main_road import select_main_roads
from accidents.columns import ACCIDENT_ID, MISSING, TABLES, Table
from accidents.configuration.expectations import ExpectationSettings, ShareRange
from accidents.tables import Tables, accident_years

PUBLISHED_ACCIDENTS: Mapping[int, int] = {
    2009: 74_409,
    2010: 69_379,
    2011: 66_974,
    2012: 62_250,
    2013: 58_397,
    2014: 59_854,
    2015: 58_654,
    2016: 59_432,
    2017: 60_701,
    2018: 57_783,
    2019: 58_840,
    2020: 47_744,
    2021: 56_518,
    2022: 55_302,
    2023: 54_822,
    2024: 54_402,
}
"""Accidents of each edition: counted on the official `lieux` files; 2019, 2020, 2022 and 2023 as ONISR reports them."""

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
                labels = [_priority(rows, settings), _nobody_hurt(rows, settings)]
                expectations = [_count(year, rows, settings), *labels, _afternoon(rows, settings), *expectations]
            if table is Table.USAGERS:
                expectations = [*_injuries(rows, settings), *_roles(rows, settings), *expectations]
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
    return Expectation(
        topic=COUNT_TOPIC,
        subject="rows of caracteristiques",
        measure=np.ones(count),
        kind="ExpectTableRowCountToBeBetween",
        arguments={"min_value": least, "max_value": most},
        blocking=bool(settings.whole_years),
        note=note,
    )


def _priority(rows: Rows, settings: ExpectationSettings) -> Expectation:
    people = rows[Table.USAGERS]
    severe = people.loc[people["grav"].isin([2, 3]), ACCIDENT_ID]
    priority = rows[Table.CARACTERISTIQUES][ACCIDENT_ID].isin(severe)
    return _label("accidents with somebody killed or hospitalised", priority, settings.priority, rows, settings)


def _nobody_hurt(rows: Rows, settings: ExpectationSettings) -> Expectation:
    """Every accident has somebody hurt by definition; where nobody is, `grav` may be in the rows of other people."""
    people = rows[Table.USAGERS]
    unhurt = people["grav"] == _UNHURT
    accidents = rows[Table.CARACTERISTIQUES][ACCIDENT_ID]
    nobody = accidents.isin(people.loc[unhurt, ACCIDENT_ID]) & ~accidents.isin(people.loc[~unhurt, ACCIDENT_ID])
    return _label("accidents with nobody hurt", nobody, ShareRange(least=0, most=settings.nobody_hurt), rows, settings)


def _injuries(rows: Rows, settings: ExpectationSettings) -> Iterator[Expectation]:
    grav = rows[Table.USAGERS]["grav"]
    for subject, code, bounds in (
        ("people unhurt", _UNHURT, settings.unhurt),
        ("people slightly injured", 4, settings.slightly_injured),
        ("people hospitalised", 3, settings.hospitalised),
        ("people killed", 2, settings.killed),
        ("people of unknown injury", MISSING, ShareRange(least=0, most=settings.unknown_injury)),
    ):
        yield _label(subject, grav == code, bounds, rows, settings)


def _label(
    subject: str, values: pd.Series, bounds: ShareRange, rows: Rows, settings: ExpectationSettings
) -> Expectation:
    large = len(rows[Table.CARACTERISTIQUES]) >= settings.fewest_accidents
    return Expectation(
        topic=LABEL_TOPIC,
        subject=subject,
        measure=values.to_numpy(dtype="float64"),
        kind="ExpectColumnMeanToBeBetween",
        arguments={"min_value": bounds.least, "max_value": bounds.most},
        blocking=large,
        note="" if large else f"fewer than {settings.fewest_accidents:,} accidents: too few to stop for",
    )


def _afternoon(rows: Rows, settings: ExpectationSettings) -> Expectation:
    """Times of a 12-hour clock are valid, and none is after 12:59."""
    minutes = rows[Table.CARACTERISTIQUES]["hrmn"]
    late = (minutes >= _ONE_O_CLOCK).where(minutes != MISSING)
    large = len(minutes) >= settings.fewest_accidents
    return _composition("accidents from 13:00 on", late, settings.afternoon, blocking=large)


def _roles(rows: Rows, settings: ExpectationSettings) -> Iterator[Expectation]:
    """People who were left out leave no trace but in these shares: every accident still has its drivers."""
    roles = rows[Table.USAGERS]["catu"]
    for subject, code, bounds in (
        ("people who are passengers", 2, settings.passengers),
        ("people who are pedestrians", 3, settings.pedestrians),
    ):
        yield _composition(subject, (roles == code).where(roles != MISSING), bounds)


def _composition(subject: str, values: pd.Series, bounds: ShareRange, *, blocking: bool = False) -> Expectation:
    """An expectation on a share; `values` are missing where nothing is recorded."""
    return Expectation(
        topic="Composition",
        subject=subject,
        measure=values.to_numpy(dtype="float64"),
        kind="ExpectColumnMeanToBeBetween",
        arguments={"min_value": bounds.least, "max_value": bounds.most},
        blocking=blocking,
        note="" if blocking else "differs between departments: a warning",
    )


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
    return Expectation(
        topic=topic,
        subject=subject,
        measure=np.where(missing, np.nan, 1.0),
        kind="ExpectColumnValuesToNotBeNull",
        arguments={"mostly": 1 - limit},
        blocking=blocking,
        note=note,
    )
