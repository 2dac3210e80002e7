"""Cleans the typed tables of one edition, and accounts for every row and cell that changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from accidents.cleaning.column_swap import find_constant_columns, find_emptied_columns, find_swapped_columns
from accidents.cleaning.label import priority_labels
from accidents.cleaning.main_road import select_main_roads
from accidents.cleaning.row_rules import quarantine_rows
from accidents.cleaning.value_checks import check_birth_years, check_coordinates, check_dates, check_future_dates
from accidents.columns import ACCIDENT_ID, MISSING, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.edition import ParsedEdition
from accidents.reading.issues import Action, DataIssue
from accidents.reading.typed_table import ParsedFile
from accidents.tables import LABEL, Accidents


@dataclass(frozen=True)
class CleaningResult:
    """Clean accidents of one edition.

    Attributes:
        accidents: the accidents, with their vehicles, people and labels.
        issues: what is wrong with the data, and what was done about it.
        quarantine: one row for each quarantined row; columns `row_rules.QUARANTINE_COLUMNS`.
        counts: rows of each table in, out and quarantined, and accidents by label.
    """

    accidents: Accidents
    issues: list[DataIssue]
    quarantine: pd.DataFrame
    counts: dict[str, int]


def clean_edition(edition: ParsedEdition, limits: DataQualityLimits, *, labelled: bool, today: date) -> CleaningResult:
    """Clean an edition. Bad data raise nothing: issues have the action "stopped" where the data cannot be used.

    In order: swapped, emptied and constant columns and dates in the future are found; rows that break a rule are
    quarantined with their accidents; the main road of each accident is selected; dates and coordinates are corrected;
    the label is derived; the rows are counted.

    Args:
        edition: the parsed edition.
        limits: shares above which an issue stops the run.
        labelled: whether people have their injuries; if not, every label is -1.
        today: day after which no accident can have happened.
    """
    issues = []
    for file in edition.files.values():
        issues += find_swapped_columns(file, limits)
        if labelled:  # the input of a prediction may have few columns filled
            issues += [*find_emptied_columns(file, limits), *find_constant_columns(file)]
    issues += check_future_dates(edition.files[Table.CARACTERISTIQUES], today)
    selection = quarantine_rows(edition, limits)
    files = {table: _sort_rows(_filter_rows(file, selection.masks[table])) for table, file in edition.files.items()}
    files[Table.USAGERS], birth_issues = check_birth_years(files[Table.USAGERS], edition.year)
    lieux, vehicles, people = files[Table.LIEUX], files[Table.VEHICULES].frame, files[Table.USAGERS].frame
    selected = select_main_roads(lieux.frame)
    main, date_issues = check_dates(files[Table.CARACTERISTIQUES], edition.year)
    main, coordinate_issues = check_coordinates(main, limits)
    issues += [*selection.issues, *date_issues, *coordinate_issues, *birth_issues]
    if not selected.all():
        issues.append(lieux.issue("further road of an accident, not chosen", ~selected, Action.IGNORED))
    road = lieux.frame[selected].drop(columns=ACCIDENT_ID).reset_index(drop=True)
    accidents = pd.concat([main.frame, road], axis=1)
    ids = accidents[ACCIDENT_ID].to_numpy()
    accidents[LABEL] = priority_labels(people[ACCIDENT_ID].to_numpy(), people["grav"].to_numpy(), ids)
    if labelled and len(accidents) and (accidents[LABEL] == MISSING).all():
        issues.append(_all_labels_missing(files[Table.USAGERS]))
    rows_out = dict(zip(Table, map(len, (main.frame, road, vehicles, people)), strict=True))
    counts = _counts(edition, rows_out, selection.quarantine, int((~selected).sum())) | {
        "accidents": len(accidents),
        "accidents_priority": int((accidents[LABEL] == 1).sum()),
        "accidents_unknown_label": int((accidents[LABEL] == MISSING).sum()),
    }
    return CleaningResult(Accidents(accidents, vehicles, people), issues, selection.quarantine, counts)


def _filter_rows(file: ParsedFile, mask: np.ndarray) -> ParsedFile:
    if mask.all():
        return file
    return replace(file, frame=file.frame[mask].reset_index(drop=True), rows=file.rows[mask])


def _sort_rows(file: ParsedFile) -> ParsedFile:
    """Rows by accident, vehicle and person, so that results do not depend on the order of the file."""
    keys = [file.frame[name].to_numpy() for name in ("id_usager", "id_vehicule", ACCIDENT_ID) if name in file.frame]
    order = np.lexsort(keys)
    if (np.diff(order) == 1).all():
        return file
    return replace(file, frame=file.frame.take(order).reset_index(drop=True), rows=file.rows[order])


def _all_labels_missing(usagers: ParsedFile) -> DataIssue:
    return usagers.issue(
        "all labels are missing: no accident has a known injury of everybody in it",
        usagers.frame["grav"].to_numpy() == MISSING,
        Action.STOPPED,
        column="grav",
        remedy="Use the official file, which has grav filled; to predict without labels use --inference",
    )


def _counts(
    edition: ParsedEdition, rows_out: Mapping[Table, int], quarantine: pd.DataFrame, not_selected: int
) -> dict[str, int]:
    """Rows of each table in, out and quarantined, and `lieux` rows that were not selected.

    Raises:
        AssertionError: rows in are not rows out + quarantined + not selected, which is a bug.
    """
    counts = {"lieux_not_chosen": not_selected}
    for table, file in edition.files.items():
        rows_in = len(file.rows) + len(file.ragged)
        quarantined = int((quarantine["table"] == table.value).sum())
        unused = not_selected if table is Table.LIEUX else 0
        if rows_in != rows_out[table] + quarantined + unused:
            raise AssertionError(
                f"{table}: {rows_in} rows in, {rows_out[table]} out, {quarantined} quarantined, {unused} not selected"
            )
        counts |= {f"{table}_in": rows_in, f"{table}_out": rows_out[table], f"{table}_quarantined": quarantined}
    return counts
