"""The four files of an edition, cut into smaller editions on disk that can be read one after the other.

Rows are moved as they are, so that whatever reading and cleaning know of files holds for each part. What a cell means
is not asked here: a row is known by its accident id alone.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TextIO

import numpy as np

from accidents.columns import ACCIDENT_ID, Table
from accidents.errors import DataError
from accidents.reading.decoding import read_text
from accidents.reading.issues import UnreadableFileError, data_error, unreadable_file
from accidents.reading.layout import Header, read_header
from accidents.sources.edition import Edition
from accidents.tables import accident_years

_HEAD = 100_000  # characters in which a file must show its header
_HELD = 16_000_000  # characters held in memory before they are written to the parts
_ID_LENGTH = 12
_ROWS = ".rows"


@dataclass(frozen=True)
class Chunk:
    """Accidents of an edition with neighbouring ids, as an edition of its own.

    `first` and `last` are the ids in `caracteristiques` between which they lie; `accidents` counts them.
    """

    edition: Edition
    first: int
    last: int
    accidents: int

    def file_row(self, table: Table, row: int) -> int:
        """The row of the whole file that is `row` of the part's file; the header is row 1 of both."""
        return int(np.fromfile(f"{self.edition.files[table]}{_ROWS}", np.int64, count=1, offset=8 * (row - 2))[0])


def cut(edition: Edition, chunk: int, folder: Path) -> list[Chunk]:
    """Cut an edition into parts of about equal size, in order of `Num_Acc`.

    Files are read twice, line by line; memory holds their accident ids, 8 bytes each. A row whose id cannot be read
    goes where the row before it went, and so does the rest of a field that holds a line break.

    Args:
        edition: local files or fsspec URLs.
        chunk: greatest number of accidents in a part.
        folder: an empty folder for the parts; it takes as much room as the files.

    Raises:
        DataError: a file is missing or not one of a BAAC edition, or there is no accident in it.
    """
    try:
        headers = {table: _header(path, table, edition.year, folder) for table, path in edition.files.items()}
    except UnreadableFileError as fault:
        raise data_error([fault.issue]) from None
    main = edition.files[Table.CARACTERISTIQUES]
    ids = np.unique(np.fromiter(_ids(main, headers[Table.CARACTERISTIQUES]), np.int64))
    if not len(ids):
        raise DataError(
            f"{main}: no row has an accident id, 12 digits in the column {ACCIDENT_ID}; use the official file"
        )
    groups = np.array_split(ids, -(-len(ids) // chunk))
    starts = [int(group[0]) for group in groups[1:]]
    folders = [folder / f"{number:06d}" for number in range(len(groups))]
    for table, path in edition.files.items():
        _deal(path, headers[table], starts, [part / file_name(path) for part in folders])
    year = edition.year or _most_frequent(accident_years(ids))
    return [
        Chunk(
            Edition(year, {table: str(part / file_name(path)) for table, path in edition.files.items()}),
            first=int(group[0]),
            last=int(group[-1]),
            accidents=len(group),
        )
        for part, group in zip(folders, groups, strict=True)
    ]


def _most_frequent(values: np.ndarray) -> int:
    distinct, counts = np.unique(values, return_counts=True)
    return int(distinct[counts.argmax()])


def file_name(path: str) -> str:
    """Name of the file at a path or URL; of a chained URL that of the innermost file."""
    return PurePosixPath(path.partition("::")[0].replace("\\", "/")).name


def _open(path: str) -> AbstractContextManager[TextIO]:
    """The file with each byte as one character, so that whatever its encoding it can be written again as it was."""
    if "://" not in path:
        return Path(path).open(encoding="latin-1", newline="")
    import fsspec  # slow to import, and local files do not need it

    return fsspec.open(path, "r", encoding="latin-1", newline="")


def _header(path: str, table: Table, year: int | None, folder: Path) -> Header:
    """The header as reading sees it: a copy of the first lines is looked at as if it were the file."""
    try:
        with _open(path) as file:
            start = file.read(_HEAD)
    except OSError as error:
        raise unreadable_file(
            file_name(path), f"cannot be opened: {error}", "Check the path and the permissions"
        ) from error
    head = folder / file_name(path)
    head.write_bytes((start[: start.rfind("\n") + 1] or start).encode("latin-1"))
    return read_header(read_text(str(head)), table, year, labelled=False)


def _ids(path: str, header: Header) -> Iterator[int]:
    with _open(path) as file:
        yield from (number for number, _ in _records(file, header) if number)


def _records(file: TextIO, header: Header) -> Iterator[tuple[int, str]]:
    """Accident id and text of each row but the header; where a row has no id, that of the row before or 0."""
    place, number, record = header.columns.index(ACCIDENT_ID), 0, ""
    for line in _after_header(file):
        found = _id(line, header.separator, place)
        if not found and record.count('"') % 2:
            record += line
            continue
        if record:
            yield number, record
        number, record = found or number, line
    if record:
        yield number, record


def _after_header(file: TextIO) -> Iterator[str]:
    lines = (line for line in file if line.strip())
    next(lines, None)
    return lines


def _id(line: str, separator: str, place: int) -> int:
    """The accident id of a line, or 0."""
    fields = line.split(separator, place + 1)
    text = fields[place].strip('" \r\n') if place < len(fields) else ""
    if not text.isdecimal():
        text = re.sub(r"\D", "", text)
    return int(text) if len(text) == _ID_LENGTH else 0


def _deal(path: str, header: Header, starts: Sequence[int], targets: Sequence[Path]) -> None:
    """Write each row to the part that its id belongs to, and beside it which row of the file it was."""
    with _open(path) as file:
        first = next((line for line in file if line.strip()), "")
    for target in targets:
        target.parent.mkdir(exist_ok=True)
        _append(target, [first], [])
    waiting: dict[int, tuple[list[str], list[int]]] = defaultdict(lambda: ([], []))
    held = 0
    with _open(path) as file:
        for row, (number, record) in enumerate(_records(file, header), start=2):
            texts, rows = waiting[bisect_right(starts, number)]
            texts.append(record)
            rows.append(row)
            held += len(record)
            if held > _HELD:
                _write_all(waiting, targets)
                held = 0
    _write_all(waiting, targets)


def _write_all(waiting: dict[int, tuple[list[str], list[int]]], targets: Sequence[Path]) -> None:
    for part, (texts, rows) in waiting.items():
        _append(targets[part], texts, rows)
    waiting.clear()


def _append(target: Path, texts: Sequence[str], rows: Sequence[int]) -> None:
    with target.open("ab") as file, Path(f"{target}{_ROWS}").open("ab") as numbers:
        file.write("".join(texts).encode("latin-1"))
        numbers.write(np.array(rows, dtype=np.int64).tobytes())
