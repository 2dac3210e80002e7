"""From one file to one typed table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from accidents.columns import MISSING, TABLES, Column, ColumnKind, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading import layout_until_2018
from accidents.reading.cell_values import NO_BREAK_SPACES, normalise_spaces, parse_values
from accidents.reading.csv_parser import parse_csv
from accidents.reading.decoding import MOJIBAKE, read_text
from accidents.reading.issues import MAX_EXAMPLES, Action, DataIssue, exceeds_limit
from accidents.reading.layout import ACCIDENT_ID, Layout, read_header

_CORRECT = "Correct the column, or use the official file"
_NOT_ALLOWED = "not allowed"
_ODDLY_WRITTEN = r"^\s*\+|[0-9][.,]0*\s*$|[0-9][.,]?[0-9]*[eE]\+?[0-9]+\s*$"
_SUSPICIOUS = 2  # columns with bad cells from which on whole rows may be damaged


@dataclass(frozen=True)
class ParsedFile:
    """One file, typed.

    `frame` has all specified columns of the table in order; `rows` (int32) gives the file row of each of its rows;
    `ragged` holds rows with a wrong number of fields, by row number. `layout` is the layout of the file. `texts` has
    the cells as written (dictionary arrays) of the columns in the order of the file, where cells of more than one
    column break their rule: their rows may be damaged. It is empty otherwise.
    """

    table: Table
    file: str
    frame: pd.DataFrame
    rows: np.ndarray
    ragged: dict[int, str]
    layout: Layout
    findings: tuple[DataIssue, ...]
    texts: Mapping[str, pa.Array]

    def finding(
        self,
        check: str,
        mask: np.ndarray,
        action: Action,
        *,
        column: str = "",
        values: Sequence[object] | np.ndarray | pd.Series = (),
        remedy: str = "",
    ) -> DataIssue:
        """Finding on the rows where `mask` is true.

        Args:
            check: the rule, in words.
            mask: bool, one element a row of the frame.
            action: what became of the rows.
            column: name of the column; empty for a rule on rows.
            values: what to show of each row of the frame; nothing where empty.
            remedy: what a user can do about it.
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
class _File:
    """What typing a column needs to know of its file."""

    name: str
    rows: np.ndarray
    layout: Layout
    limits: DataQualityLimits
    no_break_spaces: Sequence[str]


@dataclass(frozen=True)
class _Cells:
    """A column as read: distinct texts, and for each row the place of its text among them."""

    file: _File
    column: Column
    texts: pa.Array
    places: np.ndarray

    def finding(self, which: np.ndarray, check: str, action: Action, *, of: int = 0, remedy: str = "") -> DataIssue:
        """Finding on the cells whose distinct text is marked in `which`; `of` cells were concerned, by default all."""
        counts = np.bincount(self.places, minlength=len(which))
        where = np.flatnonzero(which[self.places])[:MAX_EXAMPLES]
        number = int(counts[which].sum())
        return DataIssue(
            self.file.name,
            self.column.name,
            check,
            number,
            number / max(of or len(self.places), 1),
            action,
            first_values=tuple(str(self.texts[place]) for place in self.places[where]),
            first_rows=tuple(int(row) for row in self.file.rows[where]),
            remedy=remedy,
        )


def read_table(
    path: str, table: Table, year: int | None = None, *, labelled: bool = True, limits: DataQualityLimits | None = None
) -> ParsedFile:
    """Read one published file of any edition from 2005 on.

    Cells that break the rule of their column become missing and are counted; above the share of `limits` the finding
    says "stopped", and it is up to the caller to stop.

    Args:
        path: local path or fsspec URL.
        table: which of the four tables the file holds.
        year: year of the edition, where it is known.
        labelled: whether `grav` is wanted; if not it is ignored and all missing.
        limits: shares of bad cells and rows; the defaults where None.

    Raises:
        FileFault: the file cannot be read at all.
    """
    limits = limits or DataQualityLimits()
    text = read_text(path)
    header = read_header(text, table, year, labelled=labelled)
    cells = parse_csv(text, header, table, limits.bad_keys)
    findings = [*header.findings, *cells.findings]
    file = _File(text.file, cells.rows, header.layout, limits, _present(text.data, NO_BREAK_SPACES))
    typed: dict[str, np.ndarray | pa.Array] = {}
    for name, raw in cells.cells.items():
        typed[name], found = _typed(raw, TABLES[table][name], file)
        findings += found
    frame = _frame(table, typed, len(cells.rows))
    if header.layout is Layout.OLD:
        _complete(table, frame)
    texts = _texts(cells.cells, findings)
    return ParsedFile(table, text.file, frame, cells.rows, cells.ragged, header.layout, tuple(findings), texts)


def _texts(cells: Mapping[str, pa.Array], findings: Sequence[DataIssue]) -> dict[str, pa.Array]:
    """The cells as written where more than one column has bad ones; a clean file does not pay for them."""
    broken = {finding.column for finding in findings if finding.check.startswith(_NOT_ALLOWED)}
    if len(broken) < _SUSPICIOUS:
        return {}
    return {name: raw if pa.types.is_dictionary(raw.type) else raw.dictionary_encode() for name, raw in cells.items()}


def _present(data: bytes, characters: Sequence[str]) -> list[str]:
    """Those of the characters that occur; looking for the first byte alone is much faster where it is absent."""
    encoded = {character: character.encode() for character in characters}
    return [character for character, code in encoded.items() if code[:1] in data and code in data]


def _typed(raw: pa.Array, column: Column, file: _File) -> tuple[np.ndarray | pa.Array, list[DataIssue]]:
    """Values of one column, one element a row, and what is found on the way."""
    if column.kind is ColumnKind.ID:
        keys = _whole_numbers(raw, [] if column.name == ACCIDENT_ID else file.no_break_spaces)
        if keys is not None and _in_range(keys, column):
            return keys, []
        raw = raw.dictionary_encode()
    parsed = parse_values(normalise_spaces(raw.dictionary, file.no_break_spaces), column, file.layout)
    cells = _Cells(file, column, raw.dictionary, raw.indices.to_numpy())
    findings = _cell_findings(cells, parsed.bad)
    if column.kind is not ColumnKind.TEXT:
        return parsed.distinct[cells.places], findings
    if not column.pattern:
        findings += _wrongly_decoded(cells, parsed.distinct)
    return pa.array(parsed.distinct, pa.string(), from_pandas=True).take(raw.indices), findings


def _whole_numbers(texts: pa.Array, no_break_spaces: Sequence[str]) -> np.ndarray | None:
    """int64 of texts that are all digits, these spaces apart; None where any is not."""
    for space in no_break_spaces:
        texts = pc.replace_substring(texts, space, "")
    try:
        return texts.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None


def _in_range(keys: np.ndarray, column: Column) -> bool:
    low = column.minimum or 1
    high = column.maximum or np.iinfo(np.int64).max
    return bool(len(keys)) and low <= keys.min() and keys.max() <= high


def _cell_findings(cells: _Cells, bad: np.ndarray) -> list[DataIssue]:
    """Cells that break the rule of their column, and cells that were mended."""
    column, findings = cells.column, []
    if bad.any():
        check = f"{_NOT_ALLOWED}; allowed is {column.describe_allowed_values()}"
        found = cells.finding(bad, check, Action.MISSING)
        if exceeds_limit(found.share, cells.file.limits):
            found = cells.finding(bad, check, Action.STOPPED, remedy=_CORRECT)
        findings.append(found)
    for check, pattern in _mendable(cells).items():
        which = pc.match_substring_regex(cells.texts, pattern).to_numpy(zero_copy_only=False) & ~bad
        if which.any():
            findings.append(cells.finding(which, check, Action.MENDED))
    return findings


def _mendable(cells: _Cells) -> dict[str, str]:
    """Ways of writing that reading sees through: what they are called, and a pattern that finds them."""
    column, layout = cells.column, cells.file.layout
    mended = {}
    spaces = "".join(cells.file.no_break_spaces)
    if spaces and (column.kind is not ColumnKind.ID or column.name == ACCIDENT_ID):  # other ids are published with them
        mended["no-break spaces"] = f"[{spaces}]"
    if column.kind is ColumnKind.CODE and layout is Layout.NEW:  # until 2018 codes are published padded
        mended["zeros in front of the code"] = r"^\s*0+[0-9]"
    if column.kind in {ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.NUMBER}:
        mended["spaces between the digits of a number"] = r"[0-9] +[0-9]"
    if column.kind in {ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.ID}:
        mended["whole number written with a sign, decimals or an exponent"] = _ODDLY_WRITTEN
    if column.name == "an" and layout is Layout.NEW:
        mended["year of two digits"] = r"^\s*[0-9]{1,2}\s*$"
    return mended


def _wrongly_decoded(cells: _Cells, values: np.ndarray) -> list[DataIssue]:
    """Texts such as `Ã©`: ignored up to a share of the recorded cells, and beyond one cell."""
    which = pc.match_substring_regex(cells.texts, MOJIBAKE).to_numpy(zero_copy_only=False)
    if not which.any():
        return []
    counts = np.bincount(cells.places, minlength=len(which))
    recorded = int(counts[pd.notna(values)].sum())
    number = int(counts[which].sum())
    check = "text decoded with the wrong encoding"
    if number > max(1, cells.file.limits.wrong_texts * recorded):
        remedy = "The file was read as Latin-1 and saved again: use the official file"
        return [cells.finding(which, check, Action.STOPPED, of=recorded, remedy=remedy)]
    return [cells.finding(which, check, Action.IGNORED, of=recorded)]


def _frame(table: Table, typed: dict[str, np.ndarray | pa.Array], rows: int) -> pd.DataFrame:
    """All specified columns in order; those that the file lacks are missing throughout."""
    specified = TABLES[table].values()
    texts = {
        column.name: typed.get(column.name, pa.nulls(rows, pa.string()))
        for column in specified
        if column.kind is ColumnKind.TEXT
    }
    series = dict(pa.table(texts).to_pandas().items()) if texts else {}
    for column in specified:
        if column.kind is not ColumnKind.TEXT:
            absent = np.nan if column.kind is ColumnKind.NUMBER else MISSING
            values = typed.get(column.name)
            series[column.name] = np.full(rows, absent, dtype=column.kind.dtype) if values is None else values
    return pd.DataFrame({column.name: series[column.name] for column in specified})


def _complete(table: Table, frame: pd.DataFrame) -> None:
    """Work out what the old layout leaves out, in place."""
    if table is Table.CARACTERISTIQUES:
        frame["com"] = layout_until_2018.whole_communes(frame["dep"], frame["com"])
    if table in {Table.VEHICULES, Table.USAGERS}:
        frame["id_vehicule"] = layout_until_2018.vehicle_ids(frame["Num_Acc"].to_numpy(), frame["num_veh"])
    if table is Table.USAGERS:
        frame["secu1"] = layout_until_2018.equipment(frame["secu"])
