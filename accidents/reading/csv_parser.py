"""Parses the text of a file into columns of text cells: quotes, line ends, and ragged rows.

Cells stay text; `cell_values` types them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from accidents.columns import ACCIDENT_ID, MISSING, TABLES, ColumnKind, Table
from accidents.reading.decoding import DecodedFile
from accidents.reading.issues import MAX_EXAMPLES, Action, DataIssue, unreadable_file
from accidents.reading.layout import Header, Layout
from accidents.reading.line_repair import LINE_END, has_lone_quotes, repair_lines

_MAX_LINE_LENGTH = 100_000
_ACCIDENT_ID_PATTERN = re.compile(r"\b20[0-9]{10}\b")


@dataclass(frozen=True)
class CsvCells:
    """A file as text cells.

    Attributes:
        cells: an array for each specified column: of strings for ids, a dictionary array for others.
        rows: int32, row numbers of the parsed rows in the file.
        ragged: text of the rows with a wrong number of fields, by row number.
        issues: issues of the file and its rows.
    """

    cells: dict[str, pa.Array]
    rows: np.ndarray
    ragged: dict[int, str]
    issues: tuple[DataIssue, ...]


def parse_csv(text: DecodedFile, header: Header, table: Table, bad_rows: float) -> CsvCells:
    """Parse a file into text cells.

    Args:
        text: the decoded file.
        header: its header.
        table: which of the four tables it holds.
        bad_rows: largest share of ragged rows, which are quarantined.

    Raises:
        UnreadableFileError: the last line is truncated, there is no row, quotes do not close, or too many rows are
            ragged.
    """
    data = text.data
    _check_last_line(text, header)
    issues = _line_end_issues(text, header)
    try:
        arrow, ragged = _split(data, header, table, threads=True)
        regular = not ragged and _has_lines(data, arrow.num_rows + 1) and not has_lone_quotes(data, header)
    except pa.ArrowInvalid:  # a line is longer than the blocks that threads share
        regular = False
    if not regular:
        data, literal, resized = repair_lines(data, header)
        arrow, ragged = _split(data, header, table, threads=False)
        broken = _count_lines(data) - 1 - arrow.num_rows - len(ragged)
        issues += _quote_issues(text, literal, broken, arrow.num_rows, bad_rows)
        if resized:
            check, share = "empty fields at the end of rows", resized / max(arrow.num_rows, 1)
            issues.append(DataIssue(text.file, "", check, resized, share, Action.CORRECTED))
    _check_ragged_rows(text, header, arrow.num_rows, ragged, bad_rows)
    rows = np.arange(2, arrow.num_rows + len(ragged) + 2, dtype=np.int32)
    if ragged:
        share = len(ragged) / len(rows)
        rows = rows[~np.isin(rows, list(ragged))]
        check = f"number of fields differs from the {len(header.columns)} of the header"
        examples = tuple(ragged.values())[:MAX_EXAMPLES], tuple(ragged)[:MAX_EXAMPLES]
        issues.append(DataIssue(text.file, "", check, len(ragged), share, Action.QUARANTINED, *examples))
    arrow, kept, row_issues = _drop_rows_without_data(text.file, arrow, rows)
    arrow = arrow.unify_dictionaries().combine_chunks()
    cells = {name: _one_chunk(arrow.column(name)) for name in arrow.column_names}
    return CsvCells(cells, kept, ragged, (*issues, *row_issues))


def _drop_rows_without_data(
    file: str, arrow: pa.Table, rows: np.ndarray
) -> tuple[pa.Table, np.ndarray, list[DataIssue]]:
    """Leave out rows whose cells are all empty, and headers that are repeated, as in files that were joined.

    Returns:
        The other rows, their row numbers, and the issues.
    """
    ids = arrow.column(ACCIDENT_ID)
    names = [name.lower() for name in (ACCIDENT_ID, *TABLES[Table.CARACTERISTIQUES][ACCIDENT_ID].aliases)]
    header = pc.is_in(pc.utf8_lower(pc.utf8_trim(ids, characters=' "')), pa.array(names)).to_numpy()
    empty = pc.equal(pc.utf8_trim_whitespace(ids), "").to_numpy()
    for index in np.flatnonzero(empty):
        empty[index] = not any(str(cell).strip() for cell in arrow.slice(index, 1).to_pylist()[0].values())
    issues = [
        DataIssue(
            file,
            "",
            check,
            int(mask.sum()),
            float(mask.mean()),
            Action.CORRECTED,
            first_rows=tuple(rows[mask][:MAX_EXAMPLES].tolist()),
        )
        for check, mask in (("row without any value", empty), ("header in the middle of the file", header))
        if mask.any()
    ]
    if not issues:
        return arrow, rows, issues
    kept = ~(empty | header)
    columns = arrow.filter(pa.array(kept)).to_pydict()  # without the texts of the other rows in its dictionaries
    types = {field.name: field.type for field in arrow.schema}
    return pa.table({name: pa.array(cells, types[name]) for name, cells in columns.items()}), rows[kept], issues


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _split(data: bytes, header: Header, table: Table, *, threads: bool) -> tuple[pa.Table, dict[int, str]]:
    """Cells of the regular rows; text of the ragged ones by row number (right only with `threads=False`)."""
    ragged: dict[int, str] = {}

    def collect_ragged(row: pacsv.InvalidRow) -> str:
        ragged[row.number or len(ragged)] = row.text
        return "skip"

    names = [name or f"ignored {index}" for index, name in enumerate(header.columns)]
    types = {
        name: pa.string() if TABLES[table][name].kind is ColumnKind.ID else pa.dictionary(pa.int32(), pa.string())
        for name in header.columns
        if name
    }
    arrow = pacsv.read_csv(
        pa.BufferReader(data),
        read_options=pacsv.ReadOptions(
            column_names=names, skip_rows=1, use_threads=threads, block_size=None if threads else len(data) + 1
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=header.separator, newlines_in_values=not threads, invalid_row_handler=collect_ragged
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=types, include_columns=list(types), strings_can_be_null=False, check_utf8=False
        ),
    )
    return arrow, ragged


def _has_lines(data: bytes, expected: int) -> bool:
    """Whether the file has this number of lines that are not blank; the exact count is slow and seldom needed."""
    return expected == data.count(b"\n") + (not data.endswith(b"\n")) or expected == _count_lines(data)


def _count_lines(data: bytes) -> int:
    """Number of lines that are not blank, the header included."""
    return sum(1 for line in LINE_END.split(data) if line.strip())


def _check_last_line(text: DecodedFile, header: Header) -> None:
    stripped = text.data[-_MAX_LINE_LENGTH:].rstrip()
    start = max(stripped.rfind(b"\n"), stripped.rfind(b"\r")) + 1
    if not start:
        raise _no_rows(text)
    last = stripped[start:].rstrip(b" ")
    if header.columns[-1] is None:  # an ignored column, which may be empty
        last = last.removesuffix(header.separator.encode())
    if header.quoted and (last.count(b'"') % 2 or not last.endswith(b'"')):
        raise _truncated(text)


def _no_rows(text: DecodedFile) -> Exception:
    return unreadable_file(text.file, "has a header and no rows", "Download the file again from data.gouv.fr")


def _truncated(text: DecodedFile) -> Exception:
    rows = [_count_lines(text.data)]
    return unreadable_file(text.file, "truncated last line", "The file was cut off: download it again", rows=rows)


def _check_ragged_rows(
    text: DecodedFile, header: Header, regular: int, ragged: dict[int, str], bad_rows: float
) -> None:
    total = regular + len(ragged)
    if not total:
        raise _no_rows(text)
    last = ragged.get(total + 1)
    cut_off = last is not None and last.count(header.separator) < len(header.columns) - 1
    if len(ragged) > max(bad_rows * total, cut_off):
        raise unreadable_file(
            text.file,
            f"wrong separator or damaged rows: {len(ragged):,} of {total:,} rows do not have the "
            f"{len(header.columns)} fields of the header",
            "Use the official file; a field that holds the separator must stand in quotes",
            rows=list(ragged),
        )
    if cut_off:
        raise _truncated(text)


def _quote_issues(text: DecodedFile, literal: int, broken: int, regular: int, bad_rows: float) -> list[DataIssue]:
    total = max(regular, 1)
    if broken > bad_rows * total:
        lines = [line for line in LINE_END.split(text.data) if line.strip()]
        raise unreadable_file(
            text.file,
            f"quotes do not close in their line: they take in {broken:,} line ends",
            "Use the official file, in which every row is one line",
            rows=[row for row, line in enumerate(lines, start=1) if line.count(b'"') % 2],
        )
    counts = {"a lone quote, read as a character": literal, "line break inside a quoted field": broken}
    return _corrections(text.file, {check: (number, number / total) for check, number in counts.items()})


def _corrections(file: str, shares: Mapping[str, tuple[int, float]]) -> list[DataIssue]:
    """Issues of what was corrected in a file, from number and share of its rows by check."""
    return [DataIssue(file, "", check, *rows, Action.CORRECTED) for check, rows in shares.items() if rows[0]]


def _line_end_issues(text: DecodedFile, header: Header) -> list[DataIssue]:
    """Line ends and encodings that the layout does not normally have, and that do no harm."""
    if header.layout is Layout.UNTIL_2018:
        return list(text.issues)
    crlf = text.data.count(b"\r\n")
    latin1_share = text.latin1 / max(_count_lines(text.data) - 1, 1) if text.latin1 else 0.0
    shares = {
        "line ends of Windows (CRLF)": (crlf, 1.0),
        "carriage returns without a line feed": (text.data.count(b"\r") - crlf, 1.0),
        "text in Latin-1 instead of UTF-8": (text.latin1, latin1_share),
    }
    return [*text.issues, *_corrections(text.file, shares)]


def ragged_accident_id(row: str) -> int:
    """The accident id in a ragged row; -1 where there is none.

    >>> ragged_accident_id('"202400000017";"2"')
    202400000017
    """
    match = _ACCIDENT_ID_PATTERN.search(row)
    return int(match[0]) if match else MISSING
