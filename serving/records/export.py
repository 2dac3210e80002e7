"""Predictions with their outcomes as a file, in constant memory."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import Engine, Select, func, select

from accidents.errors import ConfigurationError
from serving.records.database import told
from serving.records.errors import RecordsError
from serving.records.tables import feedback, predictions

_AT_A_TIME = 5_000

_NAMES = (*map(str, predictions.columns.keys()), "outcome", "outcome_at")
_Append = Callable[[Sequence[Mapping[str, Any]]], None]


def export(engine: Engine, path: Path, since: datetime | None = None) -> int:
    """Write predictions, oldest first, each with the outcome that was told last.

    Args:
        engine: the database.
        path: `.jsonl` (`inputs` is an object) or `.parquet` (`inputs` is text). The file is for the user alone, for it
            holds personal data, and it takes the place of one that is there only when it is whole.
        since: predictions of this moment and later; None for all.

    Returns:
        How many were written.

    Raises:
        ConfigurationError: the suffix is none of these.
        RecordsError: the database does not answer, or the file cannot be written.
    """
    if path.suffix not in _FORMATS:
        raise ConfigurationError(f"{path}: must end in {' or '.join(_FORMATS)}")
    written = 0
    with told(engine), engine.connect() as connection:
        rows = connection.execution_options(yield_per=_AT_A_TIME).execute(_query(since))
        with _appearing(path) as file, _FORMATS[path.suffix](file) as append:
            for part in rows.partitions():
                append([dict(zip(_NAMES, row, strict=True)) for row in part])
                written += len(part)
    return written


def _query(since: datetime | None) -> Select[Any]:
    last = select(func.max(feedback.c.id).label("id")).group_by(feedback.c.prediction_id).subquery()
    told_last = (
        select(feedback.c.prediction_id, feedback.c.outcome, feedback.c.at)
        .where(feedback.c.id.in_(select(last.c.id)))
        .subquery()
    )
    query = (
        select(predictions, told_last.c.outcome, told_last.c.at.label("outcome_at"))
        .outerjoin(told_last, told_last.c.prediction_id == predictions.c.id)
        .order_by(predictions.c.at, predictions.c.id)
    )
    return query if since is None else query.where(predictions.c.at >= since)


@contextmanager
def _appearing(target: Path) -> Iterator[IO[bytes]]:
    """A temporary file beside `target` that takes its place in the end."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        temporary.replace(target)
    except OSError as error:
        raise RecordsError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _json_lines(file: IO[bytes]) -> Iterator[_Append]:
    def append(rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            inputs = row["inputs"]
            content = None if inputs is None else orjson.Fragment(inputs)
            file.write(orjson.dumps({**row, "inputs": content}, option=orjson.OPT_APPEND_NEWLINE))

    yield append


@contextmanager
def _parquet(file: IO[bytes]) -> Iterator[_Append]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    moment = pa.timestamp("us", "UTC")
    kinds = {"at": moment, "outcome_at": moment, "prediction": pa.int8(), "outcome": pa.int8(), "missing": pa.int32()}
    kinds |= dict.fromkeys(("probability", "threshold", "latency_ms"), pa.float64())
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in _NAMES])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(list(rows), schema))


_FORMATS = {".jsonl": _json_lines, ".parquet": _parquet}
