"""Export predictions with their outcomes to a file, in constant memory.

Each page is a query of its own: a long one would keep SQLite from writing.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import Column, Engine, Row, ScalarSelect, Select, select, tuple_

from accidents.atomic_write import atomic_write
from accidents.errors import ConfigurationError
from accidents.private_files import create_private_file
from serving.records.database import RecordsError, database_errors
from serving.records.tables import feedback, predictions

_PAGE_ROWS = 5_000

_COLUMNS = (*map(str, predictions.columns.keys()), "outcome", "outcome_at")
_Append = Callable[[Sequence[Mapping[str, Any]]], None]


def export_predictions(engine: Engine, path: Path, since: datetime | None = None) -> int:
    """Write predictions, oldest first, each with its last outcome.

    Args:
        engine: the database.
        path: `.jsonl` (`inputs` and `derived` are JSON) or `.parquet` (they are text). The file holds personal data and
            is readable by the user only; it replaces an existing one atomically.
        since: time of the first prediction; None for all.

    Returns:
        The number of predictions written.

    Raises:
        ConfigurationError: the suffix is neither of these.
        RecordsError: the database does not answer, or the file cannot be written.
    """
    if path.suffix not in _FORMATS:
        raise ConfigurationError(f"{path}: must end in {' or '.join(_FORMATS)}")
    written = 0
    with database_errors(engine), _private_file(path) as file, _FORMATS[path.suffix](file) as append:
        for page in _pages(engine, since):
            append([dict(zip(_COLUMNS, row, strict=True)) for row in page])
            written += len(page)
    return written


def _pages(engine: Engine, since: datetime | None) -> Iterator[Sequence[Row[Any]]]:
    position = tuple_(predictions.c.at, predictions.c.id)
    query = _query(since)
    while True:
        with engine.connect() as connection:
            page = connection.execute(query).all()
        if page:
            yield page
        if len(page) < _PAGE_ROWS:
            return
        query = _query(since).where(position > tuple_(page[-1].at, page[-1].id, types=[*position.type.types]))


def _query(since: datetime | None) -> Select[Any]:
    def latest(column: Column[Any]) -> ScalarSelect[Any]:
        query = select(column).where(feedback.c.prediction_id == predictions.c.id)
        return query.order_by(feedback.c.id.desc()).limit(1).scalar_subquery()

    columns = (latest(feedback.c.outcome).label("outcome"), latest(feedback.c.at).label("outcome_at"))
    query = select(predictions, *columns).order_by(predictions.c.at, predictions.c.id).limit(_PAGE_ROWS)
    return query if since is None else query.where(predictions.c.at >= since)


@contextmanager
def _private_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is written atomically and readable by the user only."""
    try:
        with atomic_write(path) as temporary:
            temporary.unlink(missing_ok=True)
            with os.fdopen(create_private_file(temporary), "wb") as file:
                yield file
    except OSError as error:
        raise RecordsError(f"{path}: cannot be written: {error.strerror}") from None


@contextmanager
def _json_lines(file: IO[bytes]) -> Iterator[_Append]:
    def append(rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            parts = {name: row[name] and orjson.Fragment(row[name]) for name in ("inputs", "derived")}
            file.write(orjson.dumps({**row, **parts}, option=orjson.OPT_APPEND_NEWLINE))

    yield append


@contextmanager
def _parquet(file: IO[bytes]) -> Iterator[_Append]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    timestamp = pa.timestamp("us", "UTC")
    types = {
        "at": timestamp,
        "outcome_at": timestamp,
        "prediction": pa.int8(),
        "outcome": pa.int8(),
        "missing": pa.int32(),
    }
    types |= dict.fromkeys(("probability", "threshold", "latency_ms"), pa.float64())
    schema = pa.schema([(name, types.get(name, pa.string())) for name in _COLUMNS])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(list(rows), schema))


_FORMATS = {".jsonl": _json_lines, ".parquet": _parquet}
