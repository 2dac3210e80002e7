"""Score one file of many accidents: CSV or Parquet of the flat form, or JSON lines of either form of a request.

Each row is parsed like a request of its own; rejected rows are listed with the reason, and the others are scored.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, starmap
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from accidents.bundle import Bundle
from accidents.engine import LOCAL, Engine
from accidents.errors import DataError
from accidents.inference.batch import RejectedRow, ScoredBatch
from accidents.reading.decoding import SEPARATOR_LINE, decode_row, is_utf16
from accidents.reading.layout import SEPARATORS
from accidents.requests import ParsedBatch, ParseReport, parse_batch

if TYPE_CHECKING:
    import pyarrow as pa

_CONTENT_CHARACTERS = 1000  # of a rejected row that are listed


@dataclass(frozen=True)
class InputRow:
    """A row of a file: its number, its content, and an error if the content cannot be read."""

    number: int
    content: Any
    error: str = ""


@dataclass(frozen=True)
class InputRows:
    """Rows of a file that are scored together.

    Attributes:
        numbers: of all rows.
        unreadable: rows that cannot be read, by their position among all.
        accidents: the content of the others, in their order: objects, or a table in the flat form.
    """

    numbers: Sequence[int]
    unreadable: Mapping[int, InputRow]
    accidents: "list[Any] | pa.RecordBatch"


def score_file(
    path: str,
    bundle: Bundle,
    *,
    chunk_size: int,
    threads: int,
    progress: Callable[[str], None],
    derive: bool = False,
    engine: Engine = LOCAL,
) -> Iterator[ScoredBatch]:
    """Score the accidents of a file in their order.

    An accident without `Num_Acc` gets the number of its line (Parquet: of its row) as its id.

    Args:
        path: local path or fsspec URL; the extension is one of `READERS`.
        bundle: the model.
        chunk_size: accidents in memory at a time.
        threads: threads of the model.
        derive: derive facts that were not given from others (`accidents.requests.derived_facts`).
        progress: called with a message after each batch.
        engine: where rows are parsed and scored; the file is read here.

    Raises:
        DataError: the file cannot be read.
    """
    name = PurePosixPath(path).name
    done = 0
    for batch in engine.map(_score, _read(path, name, chunk_size), name, bundle, threads, derive):
        yield batch
        done += len(batch.ids) + len(batch.rejected)
        progress(f"{name}: {done:,} accidents")


def _read(path: str, name: str, chunk_size: int) -> Iterator[InputRows]:
    import fsspec  # slow to import

    try:
        with fsspec.open(path, "rb") as file:
            yield from READERS[PurePosixPath(path).suffix](file, chunk_size)
    except (OSError, csv.Error, ValueError) as error:
        raise DataError(f"{name}: cannot be read: {error}") from error


def _score(rows: InputRows, name: str, bundle: Bundle, threads: int, derive: bool) -> ScoredBatch:
    requests, invalid = _parse(rows.accidents, derive)
    results, invalid_contents = iter(requests.results), iter(invalid)
    ids, rejected, derived = [], [], 0
    for position, number in enumerate(rows.numbers):
        result = rows.unreadable.get(position) or next(results)
        if isinstance(result, ParseReport):
            ids.append(number if result.accident_id is None else result.accident_id)
            derived += bool(result.derived)
        elif isinstance(result, InputRow):
            rejected.append(RejectedRow(name, number, None, result.error, _text(result.content)))
        else:
            reason = "; ".join(map(str, result.problems))
            rejected.append(RejectedRow(name, number, None, reason, _text(next(invalid_contents))))
    probabilities = shares = np.empty(0)
    if ids:
        X = bundle.matrix(requests.arrays)
        probabilities, shares = bundle.predict_proba(X, threads), bundle.share_known(X, requests.arrays)
    return ScoredBatch(np.array(ids, dtype=np.int64), probabilities, shares, rejected, derived)


def _parse(accidents: "list[Any] | pa.RecordBatch", derive: bool) -> tuple[ParsedBatch, Iterable[Any]]:
    """Parsed accidents, and the contents of the invalid ones."""
    if isinstance(accidents, list):
        requests = parse_batch(accidents, derive=derive, report_missing=False)
        return requests, (accidents[position] for position in requests.invalid_positions)
    from accidents.requests.flat_table import parse_table, table_rows  # pyarrow is slow to import

    requests = parse_table(accidents, derive=derive)
    return requests, table_rows(accidents, requests.invalid_positions)


def _text(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, default=str)
    return text[:_CONTENT_CHARACTERS]


def _read_csv(file: IO[bytes], chunk_size: int) -> Iterator[InputRows]:
    import pyarrow as pa

    names, rows = _csv_rows(file)
    for numbers, unreadable, cells in _chunks(rows, chunk_size):
        columns = zip(*cells, strict=True) if cells else [()] * len(names)
        texts = [pa.array(column, pa.large_string()) for column in columns]
        yield InputRows(numbers, unreadable, pa.RecordBatch.from_arrays(texts, names))


def _chunks(rows: Iterator[InputRow], chunk_size: int) -> Iterator[tuple[list[int], dict[int, InputRow], list[Any]]]:
    """Numbers, unreadable rows and contents of the others, as in `InputRows`."""
    while chunk := list(islice(rows, chunk_size)):
        yield (
            [row.number for row in chunk],
            {position: row for position, row in enumerate(chunk) if row.error},
            [row.content for row in chunk if not row.error],
        )


def _csv_rows(file: IO[bytes]) -> tuple[list[str], Iterator[InputRow]]:
    """The names in the header, and the rows, each a list of cells."""
    lines = _text_lines(file)
    header = next(lines, "").removeprefix("\ufeff")
    if SEPARATOR_LINE.match(header.encode()):
        header = next(lines, "")
    separator = max(SEPARATORS, key=header.count)
    names = _without_empty_end([name.strip() for name in next(csv.reader([header], delimiter=separator), [])], 0)
    if duplicates := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"columns occur twice in the header: {', '.join(sorted(duplicates))}")
    return names, _records(csv.reader(lines, delimiter=separator), names, separator)


def _records(reader: Any, names: list[str], separator: str) -> Iterator[InputRow]:
    for record in reader:
        number = reader.line_num + 1
        cells = _without_empty_end(record, len(names))
        if not any(cell.strip() for cell in cells) or [cell.strip() for cell in cells] == names:
            continue  # nothing, or the header once more
        if len(cells) == len(names):
            yield InputRow(number, cells)
        elif cells:
            yield InputRow(number, separator.join(cells), f"{len(cells)} fields; the header has {len(names)}")


def _text_lines(file: IO[bytes]) -> Iterator[str]:
    """Decoded lines: UTF-16 where the file says so, or else each line as `decode_row` does."""
    start = file.read(4)
    file.seek(0)
    if is_utf16(start):
        return iter(io.TextIOWrapper(file, encoding="utf-16", newline=""))
    text = io.TextIOWrapper(file, encoding="latin-1", newline="")  # one character a byte
    return (decode_row(line.encode("latin-1"))[1] for line in text)


def _without_empty_end(cells: list[str], width: int) -> list[str]:
    """The cells without the empty ones at the end that are beyond the width of the header."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _read_parquet(file: IO[bytes], chunk_size: int) -> Iterator[InputRows]:
    import pyarrow.parquet as pq  # slow to import

    first = 1
    for batch in pq.ParquetFile(file).iter_batches(batch_size=chunk_size):
        batch.validate(full=True)
        yield InputRows(range(first, first + batch.num_rows), {}, batch)
        first += batch.num_rows


def _read_json_lines(file: IO[bytes], chunk_size: int) -> Iterator[InputRows]:
    return starmap(InputRows, _chunks(_json_rows(file), chunk_size))


def _json_rows(file: IO[bytes]) -> Iterator[InputRow]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield InputRow(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                yield InputRow(number, line.decode(errors="replace").strip(), f"no JSON: {error}")


READERS: Mapping[str, Callable[[IO[bytes], int], Iterator[InputRows]]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".jsonl": _read_json_lines,
}
"""Readers of rows in chunks, by file extension."""
