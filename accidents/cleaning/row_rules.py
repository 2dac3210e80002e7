"""Rules on whole rows: ids, duplicates, joins. A row that breaks one is quarantined together with its whole accident.

A vehicle without people is legitimate (its driver fled); an accident without a road, a vehicle or a person is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from accidents.cleaning.shifted_rows import find_shifted_rows
from accidents.columns import ACCIDENT_ID, MISSING, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.csv_parser import ragged_accident_id
from accidents.reading.edition import ParsedEdition
from accidents.reading.issues import Action, DataIssue, stop_above_limit
from accidents.reading.layout import Layout
from accidents.reading.spellings import ROUNDED_IDS
from accidents.tables import accident_years

QUARANTINE_COLUMNS = ("table", "file", "row", ACCIDENT_ID, "reason", "content")

_REMEDY = "Use complete official files of one year, all four of the same edition"
_RAGGED = "wrong number of fields"
_SHIFTED = "the cells of the row are shifted by one column from here on"
_DUPLICATED_FILE = 0.5  # share of repeated people from which on a file counts as pasted twice
_ROUNDED = 100_000  # ids are numbered from 1 in every year, which has fewer accidents
_MIN_PEOPLE = 200  # fewer may be alike by chance: the passengers of a coach, an accident on its own
_OF_THE_SAME_ACCIDENT = "another row of its accident is quarantined: "


@dataclass(frozen=True)
class _Rule:
    """Rows of a table that break one rule (bool mask), and the column where the fault is."""

    table: Table
    column: str
    check: str
    broken: np.ndarray


@dataclass(frozen=True)
class RowSelection:
    """Result of the row rules.

    Attributes:
        masks: for each table, bool, one element a row: whether the row is kept.
        quarantine: one row for each quarantined row; columns `QUARANTINE_COLUMNS`.
        issues: one for each rule that was broken.
    """

    masks: Mapping[Table, np.ndarray]
    quarantine: pd.DataFrame
    issues: list[DataIssue]


def quarantine_rows(edition: ParsedEdition, limits: DataQualityLimits) -> RowSelection:
    """Quarantine rows that break a rule, with all rows of their accidents in all four tables.

    A rule broken by more than `limits.bad_keys` of the rows of a table stops the run, by the action of its issue.
    """
    issues = _duplicated_people(edition)
    reasons = {table: np.full(len(edition.files[table].rows), "", dtype=object) for table in Table}
    for rule in _rules(edition):
        if rule.broken.any():
            issues.append(stop_above_limit(_issue(edition, rule), limits))
            first = rule.broken & (reasons[rule.table] == "")
            reasons[rule.table][first] = rule.check
    rejected = _rejected_accidents(edition, reasons)
    for table, file in edition.files.items():
        if rejected:
            ids = file.frame[ACCIDENT_ID].to_numpy()
            others = np.isin(ids, list(rejected)) & (reasons[table] == "")
            reasons[table][others] = [_OF_THE_SAME_ACCIDENT + rejected[accident_id] for accident_id in ids[others]]
    masks = {table: reasons[table] == "" for table in Table}
    rounded = [issue for issue in issues if issue.check == ROUNDED_IDS and issue.action is Action.STOPPED]
    return RowSelection(masks, _quarantine(edition, reasons), rounded or issues)  # rounded ids break most other rules


def _rules(edition: ParsedEdition) -> list[_Rule]:
    ids = {table: edition.files[table].frame[ACCIDENT_ID].to_numpy() for table in Table}
    main, vehicles, people = ids[Table.CARACTERISTIQUES], ids[Table.VEHICULES], ids[Table.USAGERS]
    vehicle_ids = edition.files[Table.VEHICULES].frame["id_vehicule"].to_numpy()
    person_ids = edition.files[Table.USAGERS].frame["id_usager"].to_numpy()
    person_vehicle_ids = edition.files[Table.USAGERS].frame["id_vehicule"].to_numpy()
    rules = []
    for table, table_ids in ids.items():
        shifted, column = find_shifted_rows(edition.files[table])
        other_year = (table_ids != MISSING) & (accident_years(table_ids) != edition.year)
        rules += [
            _Rule(table, ACCIDENT_ID, "is no accident id", table_ids == MISSING),
            _Rule(table, ACCIDENT_ID, f"is of another year than {edition.year}", other_year),
            _Rule(table, column or ACCIDENT_ID, _SHIFTED, shifted),
        ]
    unknown = {table: (ids[table] != MISSING) & ~np.isin(ids[table], main) for table in Table}
    repeated = _repeated(main) & (main != MISSING)
    unknown[Table.CARACTERISTIQUES] = repeated
    rounded = {table: mask & (ids[table] % _ROUNDED == 0) for table, mask in unknown.items()}
    main_table, *others = Table
    vehicle_id = "num_veh" if edition.files[Table.VEHICULES].layout is Layout.UNTIL_2018 else "id_vehicule"
    rules += [
        *(_Rule(table, ACCIDENT_ID, ROUNDED_IDS, rounded[table]) for table in Table),
        _Rule(Table.CARACTERISTIQUES, ACCIDENT_ID, "duplicate key", repeated),
        _Rule(Table.VEHICULES, vehicle_id, "is no vehicle id", (vehicle_ids == MISSING) & (vehicles != MISSING)),
        _Rule(Table.VEHICULES, vehicle_id, "duplicate key", _repeated(vehicle_ids) & (vehicle_ids != MISSING)),
        _Rule(Table.USAGERS, "id_usager", "duplicate key", _repeated(person_ids) & (person_ids != MISSING)),
        *(_Rule(table, ACCIDENT_ID, f"orphan: {table} without an accident in {main_table}", unknown[table])
          for table in others),
        _Rule(
            Table.USAGERS,
            vehicle_id,
            "orphan: person whose vehicle is not in vehicules, or is of another accident",
            ~_in_vehicle_of_accident(person_vehicle_ids, people, vehicle_ids, vehicles) & (people != MISSING),
        ),
        *(_Rule(main_table, ACCIDENT_ID, f"accident without any row in {table}", ~np.isin(main, ids[table]))
          for table in others),
    ]  # fmt: skip
    return rules


def _duplicated_people(edition: ParsedEdition) -> list[DataIssue]:
    """A file pasted twice, where people have no ids: most of its rows are repeated exactly.

    In the files of 2024 without their ids, 0.3 % of the people are like another of their accident. Among fewer people
    than `_MIN_PEOPLE`, as in a file of a few accidents or a small chunk of an inference, the issue stops nothing.
    """
    people = edition.files[Table.USAGERS]
    if not len(people.frame) or (people.frame["id_usager"] != MISSING).any():
        return []
    repeated = people.frame.duplicated(keep=False).to_numpy()
    if repeated.mean() < _DUPLICATED_FILE:
        return []
    check, action = "duplicate rows: most rows occur twice", Action.STOPPED
    if len(repeated) < _MIN_PEOPLE:
        check = "most rows occur twice, of too few to tell a file pasted twice from people who are alike"
        action = Action.IGNORED
    return [people.issue(check, repeated, action, values=people.frame[ACCIDENT_ID], remedy=_REMEDY)]


def _repeated(ids: np.ndarray) -> np.ndarray:
    """Bool mask of values that occur more than once."""
    if len(ids) < 2 or (np.diff(ids) > 0).all():
        return np.zeros(len(ids), dtype=bool)
    return pd.Series(ids).duplicated(keep=False).to_numpy()


def _in_vehicle_of_accident(
    ids: np.ndarray, accidents: np.ndarray, vehicle_ids: np.ndarray, vehicle_accidents: np.ndarray
) -> np.ndarray:
    """Bool mask of people whose vehicle exists and belongs to their accident."""
    if not len(vehicle_ids):
        return np.zeros(len(ids), dtype=bool)
    order = np.argsort(vehicle_ids, kind="stable")
    index = order[np.minimum(np.searchsorted(vehicle_ids, ids, sorter=order), len(order) - 1)]
    return (vehicle_ids[index] == ids) & (vehicle_accidents[index] == accidents)


def _issue(edition: ParsedEdition, rule: _Rule) -> DataIssue:
    file = edition.files[rule.table]
    column, values = rule.column, file.frame[rule.column]
    issue = file.issue(rule.check, rule.broken, Action.QUARANTINED, column=column, values=values, remedy=_REMEDY)
    written = [one.first_values for one in file.issues if (one.column, one.first_rows) == (column, issue.first_rows)]
    return replace(issue, first_values=written[0]) if written else issue


def _rejected_accidents(edition: ParsedEdition, reasons: Mapping[Table, np.ndarray]) -> dict[int, str]:
    """Ids of accidents with a quarantined row, ragged rows included, and the first reason of each."""
    rejected: dict[int, str] = {}
    for table, file in edition.files.items():
        ids = file.frame[ACCIDENT_ID].to_numpy()
        for index in np.flatnonzero(reasons[table] != ""):
            rejected.setdefault(int(ids[index]), f"{table}: {reasons[table][index]}")
        for text in file.ragged.values():
            rejected.setdefault(ragged_accident_id(text), f"{table}: {_RAGGED}")
    rejected.pop(MISSING, None)
    return rejected


def _quarantine(edition: ParsedEdition, reasons: Mapping[Table, np.ndarray]) -> pd.DataFrame:
    """One row for each quarantined row, ragged ones included."""
    frames = []
    for table, file in edition.files.items():
        quarantined = np.flatnonzero(reasons[table] != "")
        rows, ragged = file.frame.iloc[quarantined], list(file.ragged.values())
        frame = pd.DataFrame(
            {
                "row": np.append(file.rows[quarantined], list(file.ragged)),
                ACCIDENT_ID: np.append(rows[ACCIDENT_ID], [ragged_accident_id(text) for text in ragged]),
                "reason": [*reasons[table][quarantined], *[_RAGGED] * len(ragged)],
                "content": [*_format_rows(rows), *ragged],
            }
        )
        frames.append(frame.assign(table=table.value, file=file.file))
    dtypes = {name: "int64" if name in {"row", ACCIDENT_ID} else "str" for name in QUARANTINE_COLUMNS}
    every = pd.concat(frames)[list(QUARANTINE_COLUMNS)].astype(dtypes)
    return every.sort_values([ACCIDENT_ID, "file", "row"], ignore_index=True)


def _format_rows(rows: pd.DataFrame) -> np.ndarray:
    """The recorded cells of each row as `name=value`, on one line."""
    content = np.full(len(rows), "", dtype=object)
    for name, values in rows.items():
        recorded = (values.notna() & (values != MISSING)).to_numpy()
        content += [f"{name}={value} " if is_set else "" for value, is_set in zip(values, recorded, strict=True)]
    return content
