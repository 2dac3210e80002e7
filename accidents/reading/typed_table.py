"""Reads one published file into a typed table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from accidents.columns import ACCIDENT_ID, MISSING, TABLES, Column, ColumnKind, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading import layout_until_2018
from accidents.reading.cell_values import ParsedValues, normalise_texts, parse_values
from accidents.reading.corrections import correctable_patterns
from accidents.reading.csv_parser import parse_csv
from accidents.reading.decoding import MOJIBAKE, read_text
from accidents.reading.issues import MAX_EXAMPLES, Action, DataIssue, UnreadableFileError, stop_above_limit
from accidents.reading.layout import Layout, read_header
from accidents.reading.spellings import (
    NO_BREAK_SPACES,
    ROUNDED_IDS,
    SCIENTIFIC_IDS,
    explain_invalid,
    scientific_id,
)

_CORRECT = "Correct the column, or use the official file"
_NOT_ALLOWED = "not allowed"
_NOT_ROUNDED = "Use the official file, and import ids as text"
_MIN_INVALID_COLUMNS = 2  # invalid cells in that many columns may come from shifted rows


@dataclass(frozen=True)
class ParsedFile:
    """One file as a typed table.

    Attributes:
        table: which of the four tables it is.
        file: its name.
        frame: all specified columns of the table, in order.
        rows: int32, the row number in the file of each row of `frame`.
        ragged: text of the rows with a wrong number of fields, by row number.
        layout: layout of the file.
        issues: issues of the file and its cells.
        texts: cells as written, a dictionary array for each column in the order of the file; empty where fewer than two
            columns have invalid cells, as rows then are not shifted.
    """

    table: Table
    file: str
    frame: pd.DataFrame
    rows: np.ndarray
    ragged: dict[int, str]
    layout: Layout
    issues: tuple[DataIssue, ...]
    texts: Mapping[str, pa.Array]

    def issue(
        self,
        check: str,
        mask: np.ndarray,
        action: Action,
        *,
        column: str = "",
        values: Sequence[object] | np.ndarray | pd.Series = (),
        remedy: str = "",
    ) -> DataIssue:
        """The issue of the rows where `mask` is true.

        Args:
            check: the rule, in words.
            mask: bool, one element a row of the frame.
            action: what was done about the rows.
            column: name of the column; empty for a rule on rows.
            values: examples to show, one element a row of the frame; empty to show none.
            remedy: what the user can do.
        """
        where = np.flatnonzero(mask)
        first = where[:MAX_EXAMPLES]
        return DataIssue(
            self.file,
            column,
            check,
            len(where),
            len(where) / max(len(mask), 1),
            action,
            first_values=tuple(str(value) for value in pd.Series(values).iloc[first]) if len(values) else (),
            first_rows=tuple(int(row) for row in self.rows[first]),
            remedy=remedy,
        )


@dataclass(frozen=True)
class _FileContext:
    """Properties of the file that the typing of a column depends on."""

    name: str
    rows: np.ndarray
    layout: Layout
    year: int
    limits: DataQualityLimits
    no_break_spaces: Sequence[str]
    scaled_departments: bool | None


@dataclass(frozen=True)
class _ColumnCells:
    """Cells of a column as text: the distinct texts, and for each row the index of its text."""

    file: _FileContext
    column: Column
    texts: pa.Array
    indices: np.ndarray

    def issue(self, which: np.ndarray, check: str, action: Action, *, of: int = 0, remedy: str = "") -> DataIssue:
        """The issue of the cells whose text the mask `which` selects, as a share of `of` cells, by default all."""
        selected = np.flatnonzero(which[self.indices])
        where, number = selected[:MAX_EXAMPLES], len(selected)
        return DataIssue(
            self.file.name,
            self.column.name,
            check,
            number,
            number / max(of or len(self.indices), 1),
            action,
            first_values=tuple(str(self.texts[index]) for index in self.indices[where]),
            first_rows=tuple(int(row) for row in self.file.rows[where]),
            remedy=remedy,
        )


def read_table(
    path: str,
    table: Table,
    year: int | None = None,
    *,
    labelled: bool = True,
    limits: DataQualityLimits | None = None,
    scaled_departments: bool | None = None,
) -> ParsedFile:
    """Read one published file of any edition from 2005 on.

    Cells that break the rule of their column become missing and are counted; above the limit the action of the issue is
    "stopped", and the caller has to stop.

    Args:
        path: local path or fsspec URL.
        table: which of the four tables the file holds.
        year: year of the edition; None to take it from the first accident id.
        labelled: whether to read the label `grav`; if not, it is missing in all rows.
        limits: limits on the shares of bad cells and rows; the defaults where None.
        scaled_departments: whether departments until 2018 are times ten; None to judge by the file.

    Raises:
        UnreadableFileError: the file cannot be read at all.
    """
    limits = limits or DataQualityLimits()
    text = read_text(path)
    header = read_header(text, table, year, labelled=labelled)
    cells = parse_csv(text, header, table, limits.bad_keys)
    issues = [*header.issues, *cells.issues]
    spaces = _occurring(text.data, NO_BREAK_SPACES)
    file = _FileContext(text.file, cells.rows, header.layout, header.year, limits, spaces, scaled_departments)
    typed: dict[str, np.ndarray | pa.Array] = {}
    for name, raw in cells.cells.items():
        typed[name], column_issues = _type_column(raw, TABLES[table][name], file)
        column_issues = [stop_above_limit(issue, limits) for issue in column_issues]
        issues += column_issues
        if name == ACCIDENT_ID and column_issues and column_issues[0].action is Action.STOPPED:
            raise UnreadableFileError(column_issues[0])
    frame = _frame(table, typed, len(cells.rows))
    if header.layout is Layout.UNTIL_2018:
        _derive_missing_columns(table, frame)
    texts = _texts_of_suspicious_file(cells.cells, issues)
    return ParsedFile(table, text.file, frame, cells.rows, cells.ragged, header.layout, tuple(issues), texts)


def _texts_of_suspicious_file(cells: Mapping[str, pa.Array], issues: Sequence[DataIssue]) -> dict[str, pa.Array]:
    """The cells as written where more than one column has invalid ones; a clean file does not need them."""
    invalid = {issue.column for issue in issues if issue.check.startswith(_NOT_ALLOWED)}
    if len(invalid) < _MIN_INVALID_COLUMNS:
        return {}
    return {name: raw if pa.types.is_dictionary(raw.type) else raw.dictionary_encode() for name, raw in cells.items()}


def _occurring(data: bytes, characters: Sequence[str]) -> list[str]:
    """Those of the characters that occur in the data; the first byte is searched first, which is much faster."""
    encoded = {character: character.encode() for character in characters}
    return [character for character, code in encoded.items() if code[:1] in data and code in data]


def _type_column(raw: pa.Array, column: Column, file: _FileContext) -> tuple[np.ndarray | pa.Array, list[DataIssue]]:
    """Values of one column, one element a row, and its issues."""
    if column.kind is ColumnKind.ID:
        ids = _parse_integers(raw, [] if column.name == ACCIDENT_ID else file.no_break_spaces)
        if ids is not None and _in_range(ids, column):
            return ids, []
        raw = raw.dictionary_encode()
    texts = normalise_texts(raw.dictionary, column, file.no_break_spaces)
    parsed = parse_values(texts, column, file.layout, file.year, scaled_departments=file.scaled_departments)
    cells = _ColumnCells(file, column, raw.dictionary, raw.indices.to_numpy())
    issues = _cell_issues(cells, parsed)
    if column.kind is not ColumnKind.TEXT:
        return parsed.array[cells.indices], issues
    if not column.pattern:
        issues += _mojibake_issues(cells, parsed.array)
    return pa.array(parsed.array, pa.string(), from_pandas=True).take(raw.indices), issues


def _parse_integers(texts: pa.Array, no_break_spaces: Sequence[str]) -> np.ndarray | None:
    """int64 of texts of digits and these spaces; None where any text has other characters."""
    for space in no_break_spaces:
        texts = pc.replace_substring(texts, space, "")
    try:
        return texts.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None


def _in_range(ids: np.ndarray, column: Column) -> bool:
    low, high = column.bounds
    return bool(len(ids)) and low <= ids.min() and ids.max() <= high


def _cell_issues(cells: _ColumnCells, parsed: ParsedValues) -> list[DataIssue]:
    """Issues of cells that break the rule of their column, and of cells that were corrected."""
    issues, invalid = [], parsed.invalid
    if cells.column.kind is ColumnKind.ID:
        reasons = np.array([scientific_id(text) for text in cells.texts.to_pylist()], dtype=object)
        for reason in (ROUNDED_IDS, SCIENTIFIC_IDS):
            if (scientific := reasons == reason).any():
                issue = cells.issue(scientific, reason, Action.MISSING)
                if issue.share > cells.file.limits.bad_keys:
                    return [replace(issue, action=Action.STOPPED, remedy=_NOT_ROUNDED)]
                issues.append(issue)
                invalid = invalid & ~scientific
    if invalid.any():
        check = f"{_NOT_ALLOWED}; {_allowed(cells, invalid)}"
        issues.append(cells.issue(invalid, check, Action.MISSING, remedy=_CORRECT))
    column, file = cells.column, cells.file
    for check, pattern in correctable_patterns(column, file.layout, file.year, file.no_break_spaces).items():
        matches = pc.match_substring_regex(cells.texts, pattern).to_numpy(zero_copy_only=False) & ~parsed.invalid
        if matches.any():
            issues.append(cells.issue(matches, check, Action.CORRECTED))
    return issues


def _allowed(cells: _ColumnCells, invalid: np.ndarray) -> str:
    allowed = f"allowed is {cells.column.describe_allowed_values()}"
    reason = explain_invalid(cells.column, cells.texts.filter(pa.array(invalid)).to_pylist())
    return f"{allowed}; {reason}" if reason else allowed


def _mojibake_issues(cells: _ColumnCells, values: np.ndarray) -> list[DataIssue]:
    """Issue of texts such as `Ã©`: stops the run above a share of the recorded cells, and above one cell."""
    matches = pc.match_substring_regex(cells.texts, MOJIBAKE).to_numpy(zero_copy_only=False)
    if not matches.any():
        return []
    recorded = int(pd.notna(values)[cells.indices].sum())
    remedy = "The file was read as Latin-1 and saved again: use the official file"
    issue = cells.issue(matches, "text decoded with the wrong encoding", Action.IGNORED, of=recorded, remedy=remedy)
    many = issue.rows > max(1, cells.file.limits.wrong_texts * recorded)
    return [replace(issue, action=Action.STOPPED) if many else issue]


def _frame(table: Table, typed: dict[str, np.ndarray | pa.Array], rows: int) -> pd.DataFrame:
    """All specified columns in order; columns that the file lacks are missing in all rows."""
    series = {}
    for name, column in TABLES[table].items():
        if name in typed:
            series[name] = typed[name]
        elif column.kind is ColumnKind.TEXT:
            series[name] = pa.nulls(rows, pa.string())
        else:
            series[name] = np.full(rows, np.nan if column.kind is ColumnKind.NUMBER else MISSING, column.kind.dtype)
    texts = {name: values for name, values in series.items() if isinstance(values, pa.Array)}
    return pd.DataFrame(series | dict(pa.table(texts).to_pandas().items()))


def _derive_missing_columns(table: Table, frame: pd.DataFrame) -> None:
    """Derive what the layout until 2018 lacks, in place."""
    if table is Table.CARACTERISTIQUES:
        frame["com"] = layout_until_2018.full_commune_codes(frame["dep"], frame["com"])
    if table in {Table.VEHICULES, Table.USAGERS}:
        frame["id_vehicule"] = layout_until_2018.vehicle_ids(frame["Num_Acc"].to_numpy(), frame["num_veh"])
    if table is Table.USAGERS:
        frame["secu1"] = layout_until_2018.equipment_codes(frame["secu"])
