"""Rules on whole rows: keys, duplicates, joins. What breaks one is set aside together with its whole accident.

A vehicle without people is legitimate (its driver fled); an accident without a road, a vehicle or a person is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from accidents.cleaning.shifted_rows import find_shifted_rows
from accidents.columns import MISSING, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.csv_parser import ragged_accident_id
from accidents.reading.edition import YEAR, ParsedEdition
from accidents.reading.issues import Action, DataIssue
from accidents.reading.layout import ACCIDENT_ID, Layout

QUARANTINE_COLUMNS = ("table", "file", "row", ACCIDENT_ID, "reason", "content")

_REMEDY = "Use complete official files of one year, all four of the same edition"
_RAGGED = "wrong number of fields"
_DISPLACED = "from here on the cells of the row stand one column beside their own"
_PASTED = 0.5
_LEAST_PEOPLE = 200  # fewer may be alike by chance: the passengers of a coach, an accident on its own
_WITH_ITS_ACCIDENT = "another row of its accident is set aside: "


@dataclass(frozen=True)
class _Rule:
    """Rows of a table that break one rule (bool mask); `column` is where the fault shows."""

    table: Table
    column: str
    check: str
    broken: np.ndarray


@dataclass(frozen=True)
class RowSelection:
    """What the rules leave: a bool mask a table, the rows set aside as a frame, and the findings."""

    masks: Mapping[Table, np.ndarray]
    quarantine: pd.DataFrame
    findings: list[DataIssue]


def quarantine_rows(reading: ParsedEdition, limits: DataQualityLimits) -> RowSelection:
    """Find rows that break a rule, and with them all rows of their accidents in all four tables.

    A rule broken by more than `limits.bad_keys` of the rows of a table stops the run; the finding says so.

    Returns:
        masks of the rows kept; the quarantine frame with columns `QUARANTINE_COLUMNS`, one row for each row set aside;
        one finding for each rule that was broken.
    """
    findings, reasons = (
        _pasted_twice(reading),
        {table: np.full(len(reading.files[table].rows), "", dtype=object) for table in Table},
    )
    for rule in _rules(reading):
        if rule.broken.any():
            findings.append(_finding(reading, rule, limits))
            free = rule.broken & (reasons[rule.table] == "")
            reasons[rule.table][free] = rule.check
    bad = _bad_accidents(reading, reasons)
    for table, file in reading.files.items():
        if bad:
            accidents = file.frame[ACCIDENT_ID].to_numpy()
            with_others = np.isin(accidents, list(bad)) & (reasons[table] == "")
            reasons[table][with_others] = [_WITH_ITS_ACCIDENT + bad[key] for key in accidents[with_others]]
    masks = {table: reasons[table] == "" for table in Table}
    return RowSelection(masks, _quarantine(reading, reasons), findings)


def _rules(reading: ParsedEdition) -> list[_Rule]:
    keys = {table: reading.files[table].frame[ACCIDENT_ID].to_numpy() for table in Table}
    main, vehicles, people = keys[Table.CARACTERISTIQUES], keys[Table.VEHICULES], keys[Table.USAGERS]
    vehicle_ids = reading.files[Table.VEHICULES].frame["id_vehicule"].to_numpy()
    person_ids = reading.files[Table.USAGERS].frame["id_usager"].to_numpy()
    their_vehicles = reading.files[Table.USAGERS].frame["id_vehicule"].to_numpy()
    rules = []
    for table, key in keys.items():
        displaced = find_shifted_rows(reading.files[table])
        rules += [
            _Rule(table, ACCIDENT_ID, "is no accident id", key == MISSING),
            _Rule(
                table,
                ACCIDENT_ID,
                f"is of another year than {reading.year}",
                (key != MISSING) & (key // YEAR != reading.year),
            ),
            _Rule(table, displaced.column or ACCIDENT_ID, _DISPLACED, displaced.mask),
        ]
    main_table, *others = Table
    vehicle_key = "num_veh" if reading.files[Table.VEHICULES].layout is Layout.OLD else "id_vehicule"
    rules += [
        _Rule(Table.CARACTERISTIQUES, ACCIDENT_ID, "duplicate key", _repeated(main)),
        _Rule(Table.VEHICULES, vehicle_key, "is no vehicle id", vehicle_ids == MISSING),
        _Rule(Table.VEHICULES, vehicle_key, "duplicate key", _repeated(vehicle_ids) & (vehicle_ids != MISSING)),
        _Rule(Table.USAGERS, "id_usager", "duplicate key", _repeated(person_ids) & (person_ids != MISSING)),
        *(_Rule(table, ACCIDENT_ID, f"orphan: {table} without an accident in {main_table}", ~np.isin(keys[table], main))
          for table in others),
        _Rule(
            Table.USAGERS,
            vehicle_key,
            "orphan: person whose vehicle is not in vehicules, or is of another accident",
            ~_same_accident(their_vehicles, people, vehicle_ids, vehicles),
        ),
        *(_Rule(main_table, ACCIDENT_ID, f"accident without any row in {table}", ~np.isin(main, keys[table]))
          for table in others),
    ]  # fmt: skip
    return rules


def _pasted_twice(reading: ParsedEdition) -> list[DataIssue]:
    """People without ids have no key; that a file holds its rows twice shows in most rows being repeated exactly.

    In the files of 2024, ids left out, 0.3 % of the people are like another of their accident. Among fewer people than
    `_LEAST_PEOPLE`, as in a file of a few accidents or a small part of an inference, it is said and stops nothing.
    """
    people = reading.files[Table.USAGERS]
    if not len(people.frame) or (people.frame["id_usager"] != MISSING).any():
        return []
    repeated = people.frame.duplicated(keep=False).to_numpy()
    if repeated.mean() < _PASTED:
        return []
    if len(repeated) < _LEAST_PEOPLE:
        check = "most rows occur twice, of too few to tell a file pasted twice from people who are alike"
        return [people.finding(check, repeated, Action.IGNORED, values=people.frame[ACCIDENT_ID])]
    check = "duplicate rows: most rows occur twice"
    return [people.finding(check, repeated, Action.STOPPED, values=people.frame[ACCIDENT_ID], remedy=_REMEDY)]


def _repeated(keys: np.ndarray) -> np.ndarray:
    """Bool mask of values that occur more than once."""
    if len(keys) < 2 or (np.diff(keys) > 0).all():
        return np.zeros(len(keys), dtype=bool)
    return pd.Series(keys).duplicated(keep=False).to_numpy()


def _same_accident(
    ids: np.ndarray, accidents: np.ndarray, vehicle_ids: np.ndarray, vehicle_accidents: np.ndarray
) -> np.ndarray:
    """Bool mask of people whose vehicle exists and belongs to their accident."""
    if not len(vehicle_ids):
        return np.zeros(len(ids), dtype=bool)
    order = np.argsort(vehicle_ids, kind="stable")
    place = order[np.minimum(np.searchsorted(vehicle_ids, ids, sorter=order), len(order) - 1)]
    return (vehicle_ids[place] == ids) & (vehicle_accidents[place] == accidents)


def _finding(reading: ParsedEdition, rule: _Rule, limits: DataQualityLimits) -> DataIssue:
    file = reading.files[rule.table]
    stopped = rule.broken.mean() > limits.bad_keys
    return file.finding(
        rule.check,
        rule.broken,
        Action.STOPPED if stopped else Action.QUARANTINED,
        column=rule.column,
        values=file.frame[rule.column],
        remedy=_REMEDY if stopped else "",
    )


def _bad_accidents(reading: ParsedEdition, reasons: Mapping[Table, np.ndarray]) -> dict[int, str]:
    """Accidents of which some row is set aside, with the first reason; ragged rows count as far as they tell theirs."""
    bad: dict[int, str] = {}
    for table, file in reading.files.items():
        keys = file.frame[ACCIDENT_ID].to_numpy()
        for place in np.flatnonzero(reasons[table] != ""):
            bad.setdefault(int(keys[place]), f"{table}: {reasons[table][place]}")
        for text in file.ragged.values():
            bad.setdefault(ragged_accident_id(text), f"{table}: {_RAGGED}")
    bad.pop(MISSING, None)
    return bad


def _quarantine(reading: ParsedEdition, reasons: Mapping[Table, np.ndarray]) -> pd.DataFrame:
    """One row for each row set aside, ragged ones included."""
    parts = []
    for table, file in reading.files.items():
        aside = np.flatnonzero(reasons[table] != "")
        rows, texts = file.frame.iloc[aside], list(file.ragged.values())
        frame = pd.DataFrame(
            {
                "row": np.append(file.rows[aside], list(file.ragged)),
                ACCIDENT_ID: np.append(rows[ACCIDENT_ID], [ragged_accident_id(text) for text in texts]),
                "reason": [*reasons[table][aside], *[_RAGGED] * len(texts)],
                "content": [*_compact(rows), *texts],
            }
        )
        parts.append(frame.assign(table=table.value, file=file.file))
    dtypes = {name: "int64" if name in {"row", ACCIDENT_ID} else "str" for name in QUARANTINE_COLUMNS}
    every = pd.concat(parts)[list(QUARANTINE_COLUMNS)].astype(dtypes)
    return every.sort_values([ACCIDENT_ID, "file", "row"], ignore_index=True)


def _compact(rows: pd.DataFrame) -> np.ndarray:
    """What is recorded in each row, on one line."""
    content = np.full(len(rows), "", dtype=object)
    for name, values in rows.items():
        recorded = (values.notna() & (values != MISSING)).to_numpy()
        content += [f"{name}={value} " if known else "" for value, known in zip(values, recorded, strict=True)]
    return content
