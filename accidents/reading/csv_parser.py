"""From the text of a file to columns of text cells: quoting, line ends, and rows of the wrong length.

Cells stay text here; what they mean is the business of `cells`.
"""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from accidents.columns import MISSING, TABLES, ColumnKind, Table
from accidents.reading.decoding import DecodedFile
from accidents.reading.issues import MAX_EXAMPLES, Action, DataIssue, unreadable_file
from accidents.reading.layout import Header, Layout

_LONGEST_LINE = 100_000
_ACCIDENT_ID = re.compile(r"\b20[0-9]{10}\b")
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class CsvCells:
    """A file as text cells.

    `cells` maps each specified column of the file to a dictionary array, keys to plain string arrays. `rows` (int32)
    are the row numbers in the file of the rows read; `ragged` maps the row numbers of the others, whose number of
    fields is wrong, to their text.
    """

    cells: dict[str, pa.Array]
    rows: np.ndarray
    ragged: dict[int, str]
    findings: tuple[DataIssue, ...]


def parse_csv(text: DecodedFile, header: Header, table: Table, bad_rows: float) -> CsvCells:
    """Split a file into cells.

    Rows with a wrong number of fields are put aside up to a share of `bad_rows`.

    Raises:
        FileFault: the last line is truncated, there is no row, quotes do not close, or too many rows are ragged.
    """
    data = text.data
    _refuse_open_end(text, header)
    findings = list(_line_ends(text, header))
    try:
        arrow, ragged = _split(data, header, table, threads=True)
        regular = not ragged and _has_lines(data, arrow.num_rows + 1)
    except pa.ArrowInvalid:  # a line is longer than the blocks that threads share
        regular = False
    if not regular:
        data, literal = _escape_lone_quotes(data, header)
        arrow, ragged = _split(data, header, table, threads=False)
        broken = _count_lines(data) - 1 - arrow.num_rows - len(ragged)
        findings += _quote_findings(text, literal, broken, arrow.num_rows, bad_rows)
    _refuse_ragged(text, header, arrow.num_rows, ragged, bad_rows)
    rows = np.arange(2, arrow.num_rows + len(ragged) + 2, dtype=np.int32)
    if ragged:
        rows = rows[~np.isin(rows, list(ragged))]
        findings.append(
            DataIssue(
                text.file,
                "",
                f"number of fields differs from the {len(header.columns)} of the header",
                len(ragged),
                len(ragged) / (len(rows) + len(ragged)),
                Action.QUARANTINED,
                first_values=tuple(ragged.values())[:MAX_EXAMPLES],
                first_rows=tuple(ragged)[:MAX_EXAMPLES],
            )
        )
    arrow = arrow.unify_dictionaries().combine_chunks()
    cells = {name: _one_chunk(arrow.column(name)) for name in arrow.column_names}
    return CsvCells(cells, rows, ragged, tuple(findings))


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _split(data: bytes, header: Header, table: Table, *, threads: bool) -> tuple[pa.Table, dict[int, str]]:
    """Cells of the regular rows; row number and text of the others (numbers hold with `threads=False` alone)."""
    ragged: dict[int, str] = {}

    def put_aside(row: pacsv.InvalidRow) -> str:
        ragged[row.number or len(ragged)] = row.text
        return "skip"

    names = [name or f"ignored {place}" for place, name in enumerate(header.columns)]
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
            delimiter=header.separator, newlines_in_values=not threads, invalid_row_handler=put_aside
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=types, include_columns=list(types), strings_can_be_null=False, check_utf8=False
        ),
    )
    return arrow, ragged


def _has_lines(data: bytes, expected: int) -> bool:
    """Whether this many lines are not blank; the exact count is slow and seldom needed."""
    return expected == data.count(b"\n") + (not data.endswith(b"\n")) or expected == _count_lines(data)


def _count_lines(data: bytes) -> int:
    """Number of lines that are not blank, the header included."""
    return sum(1 for line in _LINE_END.split(data) if line.strip())


def _refuse_open_end(text: DecodedFile, header: Header) -> None:
    stripped = text.data[-_LONGEST_LINE:].rstrip(b"\r\n")
    start = max(stripped.rfind(b"\n"), stripped.rfind(b"\r")) + 1
    if not start:
        raise unreadable_file(text.file, "has a header and no rows", "Download the file again from data.gouv.fr")
    last = stripped[start:].rstrip(b" ")
    if header.columns[-1] is None:  # what stands there is ignored, and may be nothing
        last = last.removesuffix(header.separator.encode())
    if header.quoted and (last.count(b'"') % 2 or not last.endswith(b'"')):
        raise _truncated(text)


def _truncated(text: DecodedFile) -> Exception:
    return unreadable_file(
        text.file,
        "truncated last line",
        "The file was cut off: download it again",
        rows=[_count_lines(text.data)],
    )


def _refuse_ragged(text: DecodedFile, header: Header, regular: int, ragged: dict[int, str], bad_rows: float) -> None:
    total = regular + len(ragged)
    if not total:
        raise unreadable_file(text.file, "has a header and no rows", "Download the file again from data.gouv.fr")
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


def _escape_lone_quotes(data: bytes, header: Header) -> tuple[bytes, int]:
    """Make quotes literal in lines that hold an odd number of them and yet the right number of separators."""
    separator = header.separator.encode()
    lines = _LINE_END.split(data)
    literal = 0
    for place, line in enumerate(lines):
        if line.count(b'"') % 2 and line.count(separator) == len(header.columns) - 1:
            fields = [_without_quotes(field).replace(b'"', b'""') for field in line.split(separator)]
            lines[place] = separator.join(b'"' + field + b'"' for field in fields)
            literal += 1
    return b"\n".join(lines), literal


def _without_quotes(field: bytes) -> bytes:
    return field[1:-1] if len(field) > 1 and field.startswith(b'"') and field.endswith(b'"') else field


def _quote_findings(text: DecodedFile, literal: int, broken: int, regular: int, bad_rows: float) -> list[DataIssue]:
    findings, file = [], text.file
    if literal:
        share = literal / max(regular, 1)
        findings.append(DataIssue(file, "", "a lone quote, read as a character", literal, share, Action.MENDED))
    if broken:
        share = broken / max(regular, 1)
        if share > bad_rows:
            lines = [line for line in _LINE_END.split(text.data) if line.strip()]
            raise unreadable_file(
                file,
                f"quotes do not close in their line: they take in {broken:,} line ends",
                "Use the official file, in which every row is one line",
                rows=[row for row, line in enumerate(lines, start=1) if line.count(b'"') % 2],
            )
        findings.append(DataIssue(file, "", "line break inside a quoted field", broken, share, Action.MENDED))
    return findings


def _line_ends(text: DecodedFile, header: Header) -> list[DataIssue]:
    """Line ends and encodings that the layout does not normally have, and that change nothing."""
    findings = list(text.findings)
    if header.layout is Layout.NEW:
        crlf = text.data.count(b"\r\n")
        if crlf:
            findings.append(DataIssue(text.file, "", "line ends of Windows (CRLF)", crlf, 1.0, Action.MENDED))
        alone = text.data.count(b"\r") - crlf
        if alone:
            findings.append(DataIssue(text.file, "", "carriage returns without a line feed", alone, 1.0, Action.MENDED))
        if text.latin1:
            findings.append(DataIssue(text.file, "", "text in Latin-1 instead of UTF-8", 1, 0.0, Action.MENDED))
    return findings


def ragged_accident_id(row: str) -> int:
    """The accident id at which a row of the wrong length begins or that it holds; -1 where it holds none."""
    found = _ACCIDENT_ID.search(row)
    return int(found[0]) if found else MISSING
