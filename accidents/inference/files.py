"""Score one file of many accidents: CSV or Parquet of the flat form, or JSON lines of either form of a request.

Each row is parsed like a request of its own; rejected rows are listed with the reason, and the others are scored.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import IO, Any

import numpy as np

from accidents.bundle import Bundle
from accidents.engine import LOCAL, Engine
from accidents.errors import DataError
from accidents.inference.batch import RejectedRow, ScoredBatch
from accidents.reading.decoding import SEPARATOR_LINE, decode_row, is_utf16
from accidents.reading.layout import SEPARATORS
from accidents.requests import ParseReport, parse_batch

_CONTENT_CHARACTERS = 1000  # of a rejected row that are listed
_PARQUET_ROWS = 1000  # converted to objects at a time


@dataclass(frozen=True)
class InputRow:
    """A row of a file: its number, its content, and an error if the content cannot be read."""

    number: int
    content: Any
    error: str = ""


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
    rows, done = _read(path, name), 0
    chunks = iter(lambda: list(islice(rows, chunk_size)), [])
    for batch in engine.map(_score, chunks, name, bundle, threads, derive):
        yield batch
        done += len(batch.ids) + len(batch.rejected)
        progress(f"{name}: {done:,} accidents")


def _read(path: str, name: str) -> Iterator[InputRow]:
    import fsspec  # slow to import

    try:
        with fsspec.open(path, "rb") as file:
            yield from READERS[PurePosixPath(path).suffix](file)
    except (OSError, csv.Error, ValueError) as error:
        raise DataError(f"{name}: cannot be read: {error}") from error


def _score(rows: list[InputRow], name: str, bundle: Bundle, threads: int, derive: bool) -> ScoredBatch:
    requests = parse_batch((row.content for row in rows if not row.error), derive=derive, report_missing=False)
    results = iter(requests.results)
    ids, rejected, derived = [], [], 0
    for row in rows:
        result = row.error or next(results)
        if isinstance(result, ParseReport):
            ids.append(row.number if result.accident_id is None else result.accident_id)
            derived += bool(result.derived)
        else:
            reason = result if isinstance(result, str) else "; ".join(map(str, result.problems))
            content = row.content if isinstance(row.content, str) else json.dumps(row.content, default=str)
            rejected.append(RejectedRow(name, row.number, None, reason, content[:_CONTENT_CHARACTERS]))
    probabilities = shares = np.empty(0)
    if ids:
        X = bundle.matrix(requests.arrays)
        probabilities, shares = bundle.predict_proba(X, threads), bundle.share_known(X, requests.arrays)
    return ScoredBatch(np.array(ids, dtype=np.int64), probabilities, shares, rejected, derived)


def _read_csv(file: IO[bytes]) -> Iterator[InputRow]:
    lines = _text_lines(file)
    header = next(lines, "").removeprefix("\ufeff")
    if SEPARATOR_LINE.match(header.encode()):
        header = next(lines, "")
    separator = max(SEPARATORS, key=header.count)
    names = _without_empty_end([name.strip() for name in next(csv.reader([header], delimiter=separator), [])], 0)
    if duplicates := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"columns occur twice in the header: {', '.join(sorted(duplicates))}")
    reader = csv.reader(lines, delimiter=separator)
    for record in reader:
        number = reader.line_num + 1
        cells = _without_empty_end(record, len(names))
        if not any(cell.strip() for cell in cells) or [cell.strip() for cell in cells] == names:
            continue  # nothing, or the header once more
        if len(cells) == len(names):
            yield InputRow(number, dict(zip(names, cells, strict=True)))
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


def _read_parquet(file: IO[bytes]) -> Iterator[InputRow]:
    import pyarrow.parquet as pq  # slow to import

    batches = pq.ParquetFile(file).iter_batches(batch_size=_PARQUET_ROWS)
    rows = chain.from_iterable(batch.to_pylist() for batch in batches)
    for number, row in enumerate(rows, start=1):
        yield InputRow(number, {name: None if cell != cell else cell for name, cell in row.items()})  # noqa: PLR0124 - NaN


def _read_json_lines(file: IO[bytes]) -> Iterator[InputRow]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield InputRow(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                yield InputRow(number, line.decode(errors="replace").strip(), f"no JSON: {error}")


READERS: Mapping[str, Callable[[IO[bytes]], Iterator[InputRow]]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".jsonl": _read_json_lines,
}
"""Readers of rows by file extension."""
