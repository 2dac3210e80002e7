"""One file of many accidents as batches: CSV or Parquet of the flat form, or JSON lines of either form of a request.

Each row is a request of its own, held to the same rules as one that is sent alone: what is refused is listed with the
reason, and the others are scored.
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
from accidents.errors import DataError
from accidents.inference.batch import Batch, Rejected
from accidents.requests import InvalidRequestError, ParseReport, parse_batch

_SHOWN = 1000  # characters of a refused line that are listed
_DECODED = 1000  # rows of a Parquet file turned into objects at a time


@dataclass(frozen=True)
class Line:
    """One accident as it stands in a file: where, and what it says, or why that cannot be read."""

    number: int
    content: Any
    fault: str = ""


def batches(path: str, bundle: Bundle, *, chunk: int, threads: int, progress: Callable[[str], None]) -> Iterator[Batch]:
    """Score the accidents of a file in their order.

    An accident without `Num_Acc` bears the number of its line (Parquet: of its row) instead.

    Args:
        path: local path or fsspec URL; the extension is one of `FORMATS`.
        bundle: the model.
        chunk: accidents held in memory at a time.
        threads: threads of the model.
        progress: hears a line of text after each batch.

    Raises:
        DataError: the file cannot be read.
    """
    name = PurePosixPath(path).name
    done = 0
    for lines in _chunked(_lines(path, name), chunk):
        yield _scored(lines, name, bundle, threads)
        done += len(lines)
        progress(f"{name}: {done:,} accidents")


def _lines(path: str, name: str) -> Iterator[Line]:
    import fsspec  # slow to import

    try:
        with fsspec.open(path, "rb") as file:
            yield from FORMATS[PurePosixPath(path).suffix](file)
    except (OSError, csv.Error, ValueError) as error:
        raise DataError(f"{name}: cannot be read: {error}") from error


def _chunked(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    while chunk := list(islice(lines, size)):
        yield chunk


def _scored(lines: list[Line], name: str, bundle: Bundle, threads: int) -> Batch:
    requests = parse_batch(line.content for line in lines if not line.fault)
    outcomes = iter(requests.results)
    ids, rejected = [], []
    for line in lines:
        outcome = line.fault or next(outcomes)
        if isinstance(outcome, ParseReport):
            ids.append(line.number if outcome.accident_id is None else outcome.accident_id)
        else:
            text = line.content if isinstance(line.content, str) else json.dumps(line.content, default=str)
            rejected.append(Rejected(name, line.number, None, _reason(outcome), text[:_SHOWN]))
    probabilities = bundle.predict(requests.arrays, threads) if ids else np.empty(0)
    return Batch(np.array(ids, dtype=np.int64), probabilities, rejected)


def _reason(fault: InvalidRequestError | str) -> str:
    return fault if isinstance(fault, str) else "; ".join(str(problem) for problem in fault.problems)


def _csv_lines(file: IO[bytes]) -> Iterator[Line]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    header = text.readline()
    separator = max(",;\t", key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=separator), [])]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"columns occur twice in the header: {', '.join(sorted(twice))}")
    reader = csv.reader(text, delimiter=separator)
    for cells in reader:
        number = reader.line_num + 1
        if len(cells) == len(names):
            yield Line(number, dict(zip(names, cells, strict=True)))
        elif cells:
            yield Line(number, separator.join(cells), f"{len(cells)} fields; the header has {len(names)}")


def _parquet_rows(file: IO[bytes]) -> Iterator[Line]:
    import pyarrow.parquet as pq  # slow to import

    batches = pq.ParquetFile(file).iter_batches(batch_size=_DECODED)
    rows = chain.from_iterable(batch.to_pylist() for batch in batches)
    for number, row in enumerate(rows, start=1):
        yield Line(number, {name: None if cell != cell else cell for name, cell in row.items()})  # noqa: PLR0124 - NaN


def _json_lines(file: IO[bytes]) -> Iterator[Line]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield Line(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                yield Line(number, line.decode(errors="replace").strip(), f"no JSON: {error}")


FORMATS: Mapping[str, Callable[[IO[bytes]], Iterator[Line]]] = {
    ".csv": _csv_lines,
    ".parquet": _parquet_rows,
    ".jsonl": _json_lines,
}
"""Readers of lines by extension."""
