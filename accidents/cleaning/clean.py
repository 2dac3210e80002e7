"""From the typed tables of one edition to its accidents, with an account of every row and cell that changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from accidents.cleaning import label, main_road
from accidents.cleaning.column_swap import find_constant_columns, find_emptied_columns, find_swapped_columns
from accidents.cleaning.row_rules import quarantine_rows
from accidents.cleaning.value_checks import check_birth_years, check_coordinates, check_dates, check_future_dates
from accidents.columns import MISSING, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.edition import ParsedEdition
from accidents.reading.issues import Action, DataIssue
from accidents.reading.layout import ACCIDENT_ID
from accidents.reading.typed_table import ParsedFile
from accidents.tables import LABEL, Accidents


@dataclass(frozen=True)
class CleaningResult:
    """Clean accidents of one edition, what was found, the rows set aside, and how many rows went where."""

    accidents: Accidents
    findings: list[DataIssue]
    quarantine: pd.DataFrame
    counts: dict[str, int]


def clean_edition(reading: ParsedEdition, limits: DataQualityLimits, *, labelled: bool, today: date) -> CleaningResult:
    """Clean an edition. Nothing is raised: findings say "stopped" where the data cannot be used.

    In order: columns whose contents are swapped, gone or all alike and dates in the future are found; rows that break a
    rule are set aside with their accidents; one road an accident is chosen; dates and coordinates are checked and
    mended; the label is worked out; the rows are counted up.

    Args:
        reading: the edition as read.
        limits: shares above which faults stop the run.
        labelled: whether people bear their injuries; if not every label is -1.
        today: day after which no accident can have happened.
    """
    findings = []
    for file in reading.files.values():
        findings += find_swapped_columns(file, limits)
        if labelled:  # whoever asks for a prediction may know little
            findings += [*find_emptied_columns(file, limits), *find_constant_columns(file)]
    findings += check_future_dates(reading.files[Table.CARACTERISTIQUES], today)
    kept = quarantine_rows(reading, limits)
    files = {table: _sorted(_masked(file, kept.masks[table])) for table, file in reading.files.items()}
    lieux, vehicles, people = files[Table.LIEUX], files[Table.VEHICULES].frame, files[Table.USAGERS].frame
    chosen = main_road.select_main_roads(lieux.frame)
    main, of_dates = check_dates(files[Table.CARACTERISTIQUES], reading.year, limits)
    main, of_coordinates = check_coordinates(main, limits)
    findings += [*kept.findings, *of_dates, *of_coordinates, *check_birth_years(files[Table.USAGERS], reading.year)]
    if not chosen.all():
        findings.append(lieux.finding("further road of an accident, not chosen", ~chosen, Action.IGNORED))
    road = lieux.frame[chosen].drop(columns=ACCIDENT_ID).reset_index(drop=True)
    accidents = pd.concat([main.frame, road], axis=1)
    accidents[LABEL] = label.priority_labels(
        people[ACCIDENT_ID].to_numpy(), people["grav"].to_numpy(), accidents[ACCIDENT_ID].to_numpy()
    )
    if labelled and len(accidents) and (accidents[LABEL] == MISSING).all():
        findings.append(_no_label(files[Table.USAGERS]))
    out = {
        Table.CARACTERISTIQUES: len(main.frame),
        Table.LIEUX: len(road),
        Table.VEHICULES: len(vehicles),
        Table.USAGERS: len(people),
    }
    counts = _counts(reading, out, kept.quarantine, int((~chosen).sum())) | {
        "accidents": len(accidents),
        "accidents_priority": int((accidents[LABEL] == 1).sum()),
        "accidents_unknown_label": int((accidents[LABEL] == MISSING).sum()),
    }
    return CleaningResult(Accidents(accidents, vehicles, people), findings, kept.quarantine, counts)


def _masked(file: ParsedFile, mask: np.ndarray) -> ParsedFile:
    if mask.all():
        return file
    return replace(file, frame=file.frame[mask].reset_index(drop=True), rows=file.rows[mask])


def _sorted(file: ParsedFile) -> ParsedFile:
    """Rows by accident, and within it by vehicle and person, so that the order of the file leaves no trace."""
    keys = [file.frame[name].to_numpy() for name in ("id_usager", "id_vehicule", ACCIDENT_ID) if name in file.frame]
    order = np.lexsort(keys)
    if (np.diff(order) == 1).all():
        return file
    return replace(file, frame=file.frame.take(order).reset_index(drop=True), rows=file.rows[order])


def _no_label(usagers: ParsedFile) -> DataIssue:
    return usagers.finding(
        "all labels are missing: no accident has a known injury of everybody in it",
        usagers.frame["grav"].to_numpy() == MISSING,
        Action.STOPPED,
        column="grav",
        remedy="Use the official file, which has grav filled; to predict without labels use --inference",
    )


def _counts(
    reading: ParsedEdition, out: Mapping[Table, int], quarantine: pd.DataFrame, not_chosen: int
) -> dict[str, int]:
    """Rows of each table that came in, went out, and were set aside, and `lieux` rows not chosen.

    Raises:
        AssertionError: rows in are not rows out + quarantined + not chosen; this would be an error of the program.
    """
    counts = {"lieux_not_chosen": not_chosen}
    for table, file in reading.files.items():
        rows_in = len(file.rows) + len(file.ragged)
        aside = int((quarantine["table"] == table.value).sum())
        left = not_chosen if table is Table.LIEUX else 0
        if rows_in != out[table] + aside + left:
            raise AssertionError(
                f"{table}: {rows_in} rows in, {out[table]} out, {aside} quarantined, {left} not chosen"
            )
        counts |= {f"{table}_in": rows_in, f"{table}_out": out[table], f"{table}_quarantined": aside}
    return counts
