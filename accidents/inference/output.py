"""Output files of batch scoring: predictions, and the list of rejected rows."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from accidents.atomic_write import atomic_write
from accidents.errors import ConfigurationError
from accidents.inference.batch import RejectedRow

SCHEMA = pa.schema(
    {
        "Num_Acc": pa.int64(),
        "probability": pa.float64(),
        "prediction": pa.int8(),
        "interpretation": pa.string(),
        "threshold": pa.float64(),
        "model_type": pa.string(),
        "share_known": pa.float64(),
    }
)
"""Columns of the predictions in every format, with their Arrow types."""

REJECTED_COLUMNS = ("file", "row", "Num_Acc", "reason", "content")

Append = Callable[[pd.DataFrame], None]
Write = Callable[[pd.DataFrame, Sequence[RejectedRow]], None]


def rejected_path(output: Path) -> Path:
    """Path of the list of rejected rows."""
    return output.with_name(f"{output.name}.rejected.csv")


def check_output(output: Path) -> None:
    """Check that an output, a file or a folder of files, can be written.

    Raises:
        ConfigurationError: unknown extension, missing folder, or no write permission.
    """
    if output.suffix and output.suffix not in _FORMATS:
        raise ConfigurationError(
            f"{output}: unknown extension of an output; allowed are {', '.join(_FORMATS)}, or a folder without one"
        )
    if output.exists() and output.is_dir() == bool(output.suffix):
        kind, other = ("folder", "name a file to write") if output.suffix else ("file", "name a folder to write")
        raise ConfigurationError(f"{output}: is a {kind}; {other}")
    if not output.parent.is_dir():
        raise ConfigurationError(f"{output}: there is no folder {output.parent}; make it, or choose another one")
    if not os.access(output.parent, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{output}: the folder {output.parent} cannot be written to; choose another one")


@contextmanager
def prediction_writer(path: Path) -> Iterator[Write]:
    """Write predictions and rejected rows batch by batch; the files are replaced when the block ends without an error.

    Without rejected rows there is no list of them, and that of an earlier run is deleted.

    Yields:
        A function that appends a frame of predictions, with the columns of `SCHEMA`, and a list of rejected rows.
    """
    listing, rejected_count = rejected_path(path), 0
    with (
        atomic_write(path) as predictions_file,
        atomic_write(listing) as listing_file,
        _FORMATS[path.suffix](predictions_file) as append,
        listing_file.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(REJECTED_COLUMNS)

        def write(predictions: pd.DataFrame, rejected: Sequence[RejectedRow]) -> None:
            nonlocal rejected_count
            append(predictions)
            rows.writerows((row.file, row.row, row.accident_id, row.reason, row.content) for row in rejected)
            rejected_count += len(rejected)

        yield write
    if not rejected_count:
        listing.unlink()


@contextmanager
def _csv(path: Path) -> Iterator[Append]:
    with path.open("w", encoding="utf-8", newline="") as file:
        yield lambda frame: frame.to_csv(file, index=False, header=file.tell() == 0)


@contextmanager
def _parquet(path: Path) -> Iterator[Append]:
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        yield lambda frame: writer.write_table(pa.Table.from_pandas(frame, SCHEMA, preserve_index=False))


@contextmanager
def _json_lines(path: Path) -> Iterator[Append]:
    """JSON lines by `json`, whose floats are exact; those of `DataFrame.to_json` are not."""
    with path.open("w", encoding="utf-8") as file:
        yield lambda frame: file.writelines(json.dumps(record) + "\n" for record in frame.to_dict("records"))


_FORMATS: dict[str, Callable[[Path], AbstractContextManager[Append]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonl": _json_lines,
}
