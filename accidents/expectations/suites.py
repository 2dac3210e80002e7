"""What is expected of a year, as frames of numbers and expectations on their columns. Nothing is validated here."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from accidents.cleaning.main_road import select_main_roads
from accidents.columns import MISSING, TABLES, Table
from accidents.configuration.expectations import ExpectationSettings, ShareRange
from accidents.expectations.totals import PUBLISHED_ACCIDENTS
from accidents.tables import Tables

YEAR = 100_000_000
"""An accident id divided by this is its year."""

LABEL_TOPIC = "Label"
"""The topic of expectations on `grav` of `usagers`."""

COUNT_TOPIC = "Number of accidents"
"""The topic of the expectation that compares a year with what is published of it."""

_LAST_OLD_EDITION = 2018
_UNHURT = 1
_CHANCE = 4  # standard deviations of a share among few rows
_ONE_O_CLOCK = 13 * 60

Rows = Mapping[Table, pd.DataFrame]
"""The rows of one year."""


@dataclass(frozen=True)
class Expectation:
    """One expectation on a column of numbers.

    `measure` has a float64 a row of the table; `kind` is the name of a Great Expectations class and `arguments` what it
    takes besides the column. `topic` groups expectations in the report, `subject` says what is measured and `note` what
    else people should know. `blocking` is whether a breach stops the run.
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
    """All that is expected of one table of one year."""

    year: int
    expectations: tuple[Expectation, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a row of the table, one float64 column an expectation, named by its position."""
        return pd.DataFrame({str(i): expectation.measure for i, expectation in enumerate(self.expectations)})


def build_suites(tables: Tables, settings: ExpectationSettings) -> Iterator[Suite]:
    """Yield all suites: year by year, and the four tables of each."""
    frames: Rows = {table: getattr(tables, table) for table in Table}
    years = {table: frame["Num_Acc"].to_numpy() // YEAR for table, frame in frames.items()}
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
    severe = people.loc[people["grav"].isin([2, 3]), "Num_Acc"]
    priority = rows[Table.CARACTERISTIQUES]["Num_Acc"].isin(severe)
    return _label("accidents with somebody killed or hospitalised", priority, settings.priority, rows, settings)


def _nobody_hurt(rows: Rows, settings: ExpectationSettings) -> Expectation:
    """An accident is recorded because somebody is hurt; where nobody is, `grav` stands in the rows of other people."""
    people = rows[Table.USAGERS]
    unhurt = people["grav"] == _UNHURT
    accidents = rows[Table.CARACTERISTIQUES]["Num_Acc"]
    nobody = accidents.isin(people.loc[unhurt, "Num_Acc"]) & ~accidents.isin(people.loc[~unhurt, "Num_Acc"])
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
    """Times of a twelve-hour clock are all times of day, and none of them is after 12:59."""
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
    """A share that is usual; `values` are missing where nothing is recorded."""
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
        unmatched = ~rows[table]["Num_Acc"].isin(rows[partner]["Num_Acc"])
        subject = f"rows of {table} whose accident is not in {partner}"
        yield _few_missing("Join coverage", subject, unmatched, settings.unmatched, blocking=True)


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
                limit = min(1.0, limit + _CHANCE * math.sqrt(limit * (1 - limit) / max(len(frame), 1)))
            yield _few_missing("Missing cells", f"{table}.{name}", missing, limit, blocking=not old, note=note)


def _few_missing(
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
