"""Rules on whole rows: keys, duplicates, joins. What breaks one is set aside together with its whole accident.

A vehicle without people is legitimate (its driver fled); an accident without a road, a vehicle or a person is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from accidents.columns import MISSING, Table
from accidents.configuration.limits import Limits
from accidents.reading.edition import YEAR, Reading
from accidents.reading.findings import Action, Finding
from accidents.reading.layout import KEY, Layout
from accidents.reading.parsing import ragged_key

QUARANTINE_COLUMNS = ("table", "file", "row", KEY, "reason", "content")

_REMEDY = "Use complete official files of one year, all four of the same edition"
_WITH_ITS_ACCIDENT = "another row of its accident is set aside: "


@dataclass(frozen=True)
class _Rule:
    """Rows of a table that break one rule (bool mask); `column` is where the fault shows."""

    table: Table
    column: str
    check: str
    broken: np.ndarray


@dataclass(frozen=True)
class Kept:
    """What the rules leave: a bool mask a table, the rows set aside as a frame, and the findings."""

    masks: Mapping[Table, np.ndarray]
    quarantine: pd.DataFrame
    findings: list[Finding]


def set_aside(reading: Reading, limits: Limits) -> Kept:
    """Find rows that break a rule, and with them all rows of their accidents in all four tables.

    A rule broken by more than `limits.bad_keys` of the rows of a table stops the run; the finding says so.

    Returns:
        masks of the rows kept; the quarantine frame with columns `QUARANTINE_COLUMNS`, one row for each row set aside;
        one finding for each rule that was broken.
    """
    findings, reasons = [], {table: np.full(len(reading.files[table].rows), "", dtype=object) for table in Table}
    for rule in _rules(reading):
        if rule.broken.any():
            findings.append(_finding(reading, rule, limits))
            free = rule.broken & (reasons[rule.table] == "")
            reasons[rule.table][free] = rule.check
    bad = _bad_accidents(reading, reasons)
    for table, file in reading.files.items():
        if bad:
            accidents = file.frame[KEY].to_numpy()
            with_others = np.isin(accidents, list(bad)) & (reasons[table] == "")
            reasons[table][with_others] = [_WITH_ITS_ACCIDENT + bad[key] for key in accidents[with_others]]
    masks = {table: reasons[table] == "" for table in Table}
    return Kept(masks, _quarantine(reading, reasons), findings)


def _rules(reading: Reading) -> list[_Rule]:
    keys = {table: reading.files[table].frame[KEY].to_numpy() for table in Table}
    main, vehicles, people = keys[Table.CARACTERISTIQUES], keys[Table.VEHICULES], keys[Table.USAGERS]
    vehicle_ids = reading.files[Table.VEHICULES].frame["id_vehicule"].to_numpy()
    person_ids = reading.files[Table.USAGERS].frame["id_usager"].to_numpy()
    their_vehicles = reading.files[Table.USAGERS].frame["id_vehicule"].to_numpy()
    rules = []
    for table, key in keys.items():
        rules += [
            _Rule(table, KEY, "is no accident id", key == MISSING),
            _Rule(
                table, KEY, f"is of another year than {reading.year}", (key != MISSING) & (key // YEAR != reading.year)
            ),
        ]
    vehicle_key = "num_veh" if reading.files[Table.VEHICULES].layout is Layout.OLD else "id_vehicule"
    rules += [
        _Rule(Table.CARACTERISTIQUES, KEY, "duplicate key", _repeated(main)),
        _Rule(Table.VEHICULES, vehicle_key, "is no vehicle id", vehicle_ids == MISSING),
        _Rule(Table.VEHICULES, vehicle_key, "duplicate key", _repeated(vehicle_ids) & (vehicle_ids != MISSING)),
        _Rule(Table.USAGERS, "id_usager", "duplicate key", _repeated(person_ids) & (person_ids != MISSING)),
        *(_Rule(table, KEY, f"orphan: {table} without an accident in caracteristiques", ~np.isin(keys[table], main))
          for table in (Table.LIEUX, Table.VEHICULES, Table.USAGERS)),
        _Rule(
            Table.USAGERS,
            vehicle_key,
            "orphan: person whose vehicle is not in vehicules, or is of another accident",
            ~_same_accident(their_vehicles, people, vehicle_ids, vehicles),
        ),
        *(_Rule(Table.CARACTERISTIQUES, KEY, f"accident without any row in {table}", ~np.isin(main, keys[table]))
          for table in (Table.LIEUX, Table.VEHICULES, Table.USAGERS)),
    ]  # fmt: skip
    return rules


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


def _finding(reading: Reading, rule: _Rule, limits: Limits) -> Finding:
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


def _bad_accidents(reading: Reading, reasons: Mapping[Table, np.ndarray]) -> dict[int, str]:
    """Accidents of which some row is set aside, with the first reason; ragged rows count as far as they tell theirs."""
    bad: dict[int, str] = {}
    for table, file in reading.files.items():
        keys = file.frame[KEY].to_numpy()
        for place in np.flatnonzero(reasons[table] != ""):
            bad.setdefault(int(keys[place]), f"{table}: {reasons[table][place]}")
        for text in file.ragged.values():
            bad.setdefault(ragged_key(text), f"{table}: wrong number of fields")
    bad.pop(MISSING, None)
    return bad


def _quarantine(reading: Reading, reasons: Mapping[Table, np.ndarray]) -> pd.DataFrame:
    """One row for each row set aside, ragged ones included."""
    records: list[tuple[object, ...]] = []
    for table, file in reading.files.items():
        for place in np.flatnonzero(reasons[table] != ""):
            row = file.frame.iloc[place]
            where = (table.value, file.file, int(file.rows[place]), int(row[KEY]))
            records.append((*where, reasons[table][place], _compact(row)))
        for number, text in file.ragged.items():
            records.append((table.value, file.file, number, ragged_key(text), "wrong number of fields", text))
    frame = pd.DataFrame(records, columns=list(QUARANTINE_COLUMNS))
    dtypes = {name: "int64" if name in {"row", KEY} else "str" for name in QUARANTINE_COLUMNS}
    return frame.astype(dtypes).sort_values([KEY, "file", "row"], ignore_index=True)


def _compact(row: pd.Series) -> str:
    """What is recorded in a row, on one line."""
    return " ".join(f"{name}={value}" for name, value in row.items() if pd.notna(value) and value != MISSING)
