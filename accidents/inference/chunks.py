"""Split the four files of an edition into smaller editions on disk, which are read one after the other.

Rows are copied byte by byte, so that every rule of reading and cleaning applies to a chunk. Only accident ids are
parsed here.
"""

import csv
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TextIO

import numpy as np

from accidents.columns import ACCIDENT_ID, Table
from accidents.errors import DataError
from accidents.reading.decoding import SEPARATOR_LINE, is_utf16, read_text
from accidents.reading.issues import UnreadableFileError, data_error, unreadable_file
from accidents.reading.layout import Header, Layout, read_header
from accidents.reading.parquet_text import MAGIC, write_as_csv
from accidents.reading.spellings import WHOLE_DECIMAL, are_scaled_departments, scientific_id
from accidents.sources.edition import Edition
from accidents.tables import accident_years

_HEADER_CHARACTERS = 100_000  # in which a file must show its header
_BUFFER_CHARACTERS = 16_000_000  # of rows in memory before they are written
_ID_LENGTH = 12
_BOM = "ï»¿"  # of UTF-8, one character a byte
_ROW_NUMBERS = ".rows"  # suffix of the file of row numbers


@dataclass(frozen=True)
class Chunk:
    """Accidents of an edition with neighbouring ids, as an edition of its own.

    `first` and `last` are the least and greatest id in `caracteristiques`; `accidents` is their number. What is not
    split is no part, and its files are those of the edition.
    """

    edition: Edition
    first: int
    last: int
    accidents: int
    is_part: bool = True

    def original_row(self, table: Table, row: int) -> int:
        """Row number in the original file of a row of the chunk's file; the header is row 1 of both."""
        path = Path(f"{self.edition.files[table]}{_ROW_NUMBERS}")
        return int(np.fromfile(path, np.int64, count=1, offset=8 * (row - 2))[0]) if self.is_part else row


def split_edition(edition: Edition, size: int, folder: Path) -> list[Chunk]:
    """Split an edition into chunks of about equal size, in order of `Num_Acc`.

    Files are read twice, line by line; memory holds their accident ids, 8 bytes each. A row whose id cannot be read
    goes to the chunk of the row before it, and so does the rest of a field that holds a line break.

    Args:
        edition: local files or fsspec URLs.
        size: greatest number of accidents in a chunk.
        folder: an empty folder for the chunks, which need as much space as the files.

    Raises:
        DataError: a file is missing or not one of a BAAC edition, or there is no accident in it.
    """
    try:
        edition = _in_plain_text(edition, folder)
        headers = {table: _read_header(path, table, edition.year, folder) for table, path in edition.files.items()}
    except UnreadableFileError as error:
        raise data_error([error.issue]) from None
    main = edition.files[Table.CARACTERISTIQUES]
    with _open(main) as file:
        records = _records(file, headers[Table.CARACTERISTIQUES])
        ids = np.unique(np.fromiter((number for number, _ in records if number), np.int64))
    if not len(ids):
        problem = _scientific_id(main, headers[Table.CARACTERISTIQUES]) or "no row has an accident id"
        raise DataError(f"{main}: {problem}, 12 digits in the column {ACCIDENT_ID}; use the official file")
    years, counts = np.unique(accident_years(ids), return_counts=True)
    year = edition.year or int(years[counts.argmax()])
    scaled = _are_scaled_departments(main, headers[Table.CARACTERISTIQUES])
    if len(ids) <= size:
        return [Chunk(Edition(year, edition.files, scaled), int(ids[0]), int(ids[-1]), len(ids), is_part=False)]
    groups = np.array_split(ids, -(-len(ids) // size))
    starts = [int(group[0]) for group in groups[1:]]
    folders = [folder / f"{number:06d}" for number in range(len(groups))]
    for table, path in edition.files.items():
        _split_file(path, headers[table], starts, [target / file_name(path) for target in folders])
    return [
        Chunk(
            Edition(year, {table: str(target / file_name(path)) for table, path in edition.files.items()}, scaled),
            first=int(group[0]),
            last=int(group[-1]),
            accidents=len(group),
        )
        for target, group in zip(folders, groups, strict=True)
    ]


def file_name(path: str) -> str:
    """Name of the file at a path or URL; of a chained URL that of the innermost file.

    >>> file_name("zip://2024/lieux.csv::https://example.org/2024.zip")
    'lieux.csv'
    """
    return PurePosixPath(path.partition("::")[0].replace("\\", "/")).name


def _in_plain_text(edition: Edition, folder: Path) -> Edition:
    """The edition, with copies of the files that cannot be split byte by byte: those in UTF-16, and Parquet as CSV."""
    files = {}
    for table, path in edition.files.items():
        files[table] = path
        with suppress(OSError), _open(path) as file:  # a file that cannot be opened is reported with its header
            start, copy = file.read(4).encode("latin-1"), folder / "text" / file_name(path)
            if start == MAGIC or is_utf16(start):
                copy.parent.mkdir(exist_ok=True)
                files[table] = str(copy)
                _copy_as_text(path, copy, is_parquet=start == MAGIC)
    return Edition(edition.year, files)


def _copy_as_text(path: str, copy: Path, *, is_parquet: bool) -> None:
    if not is_parquet:
        copy.write_bytes(read_text(path).data)
        return
    import fsspec

    try:
        with fsspec.open(path, "rb") as source, copy.open("wb") as target:
            write_as_csv(source, target)
    except DataError as error:
        raise unreadable_file(file_name(path), str(error), "Write the file again") from None


def _open(path: str) -> AbstractContextManager[TextIO]:
    """Open a file with one character a byte, so that it is written again unchanged, whatever its encoding."""
    if "://" not in path:
        return Path(path).open(encoding="latin-1", newline="")
    import fsspec  # slow to import, and local files do not need it

    return fsspec.open(path, "r", encoding="latin-1", newline="")


def _read_header(path: str, table: Table, year: int | None, folder: Path) -> Header:
    """Read the header as `accidents.reading` does, from a copy of the first lines."""
    try:
        with _open(path) as file:
            start = file.read(_HEADER_CHARACTERS)
    except OSError as error:
        raise unreadable_file(
            file_name(path), f"cannot be opened: {error}", "Check the path and the permissions"
        ) from error
    head = folder / file_name(path)
    head.write_bytes((start[: start.rfind("\n") + 1] or start).encode("latin-1"))
    return read_header(read_text(str(head)), table, year, labelled=False)


def _data_lines(file: TextIO) -> Iterator[str]:
    """Lines that are not blank, without one that names the separator to spreadsheets before the header."""
    lines = (line for line in file if line.strip())
    first = next(lines, "")
    if first and not SEPARATOR_LINE.match(first.removeprefix(_BOM).encode("latin-1")):
        yield first
    yield from lines


def _records(file: TextIO, header: Header) -> Iterator[tuple[int, str]]:
    """Accident id and text of each row but the header; a row without an id has that of the row before, or 0."""
    position, current, record = header.columns.index(ACCIDENT_ID), 0, ""
    lines = _data_lines(file)
    next(lines, None)
    for line in lines:
        number = _accident_id(line, header.separator, position)
        if not number and record.count('"') % 2:
            record += line
            continue
        if record:
            yield current, record
        current, record = number or current, line
    if record:
        yield current, record


def _scientific_id(path: str, header: Header) -> str | None:
    """What is wrong with the id in the first row, where it is in scientific notation."""
    with _open(path) as file:
        fields = list(islice(_data_lines(file), 2))[-1].split(header.separator)
    return scientific_id(fields[header.columns.index(ACCIDENT_ID)].strip('"\r\n'))


def _are_scaled_departments(path: str, header: Header) -> bool | None:
    """Whether the departments of a file until 2018 are times ten, which some parts of it may not show."""
    if header.layout is not Layout.UNTIL_2018:
        return None
    position = header.columns.index("dep")
    with _open(path) as file, suppress(csv.Error):  # quotes that do not close, which reading reports
        rows = csv.reader(_data_lines(file), delimiter=header.separator)
        return are_scaled_departments({row[position].strip() for row in rows if position < len(row)})
    return None


def _accident_id(line: str, separator: str, position: int) -> int:
    """The accident id of a line, or 0."""
    fields = line.split(separator, position + 1)
    text = fields[position].strip('" \t\r\n') if position < len(fields) else ""
    if not text.isdecimal():
        text = re.sub(r"[^0-9]", "", re.sub(WHOLE_DECIMAL, r"\1", text))
    return int(text) if len(text) == _ID_LENGTH else 0


def _split_file(path: str, header: Header, starts: Sequence[int], targets: Sequence[Path]) -> None:
    """Append each row to the target of its id, and its row number to the file of row numbers."""
    with _open(path) as file:
        first = next(_data_lines(file), "")
    for target in targets:
        target.parent.mkdir(exist_ok=True)
        _append(target, [first], [])
    buffers: dict[int, tuple[list[str], list[int]]] = defaultdict(lambda: ([], []))

    def flush() -> None:
        for chunk, (records, rows) in buffers.items():
            _append(targets[chunk], records, rows)
        buffers.clear()

    buffered = 0
    with _open(path) as file:
        for row, (number, record) in enumerate(_records(file, header), start=2):
            records, rows = buffers[bisect_right(starts, number)]
            records.append(record)
            rows.append(row)
            buffered += len(record)
            if buffered > _BUFFER_CHARACTERS:
                flush()
                buffered = 0
    flush()


def _append(target: Path, records: Sequence[str], rows: Sequence[int]) -> None:
    with target.open("ab") as file, Path(f"{target}{_ROW_NUMBERS}").open("ab") as numbers:
        file.write("".join(records).encode("latin-1"))
        numbers.write(np.array(rows, dtype=np.int64).tobytes())
