"""The file of predictions and the list of what was set aside: written batch by batch, visible once both are whole."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from accidents.errors import ConfigurationError
from accidents.inference.batch import Rejected

SCHEMA = pa.schema(
    {
        "Num_Acc": pa.int64(),
        "probability": pa.float64(),
        "prediction": pa.int8(),
        "interpretation": pa.string(),
        "threshold": pa.float64(),
        "model_type": pa.string(),
    }
)
"""Columns of the predictions, in every format."""

REJECTED_COLUMNS = ("file", "row", "Num_Acc", "reason", "content")

Append = Callable[[pd.DataFrame], None]
Write = Callable[[pd.DataFrame, Sequence[Rejected]], None]


def rejected_path(output: Path) -> Path:
    """Where the accidents that were not scored are listed."""
    return output.with_name(f"{output.name}.rejected.csv")


def check_output(output: Path) -> None:
    """Refuse what cannot be written.

    Raises:
        ConfigurationError: unknown extension, no such folder, or no right to write there.
    """
    if output.suffix not in _FORMATS:
        raise ConfigurationError(f"{output}: unknown extension of an output; allowed are {', '.join(_FORMATS)}")
    if output.is_dir():
        raise ConfigurationError(f"{output}: is a folder; name a file to write")
    if not output.parent.is_dir():
        raise ConfigurationError(f"{output}: there is no folder {output.parent}; make it, or choose another one")
    if not os.access(output.parent, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{output}: the folder {output.parent} cannot be written to; choose another one")


@contextmanager
def written(path: Path) -> Iterator[Write]:
    """Write predictions and what was set aside; the files appear when the block ends well, and not at all otherwise.

    Where nothing was set aside there is no list of it, and one that an earlier run left is removed.
    """
    with (
        _appearing(path) as predictions_file,
        _appearing(rejected_path(path)) as listing,
        _FORMATS[path.suffix](predictions_file) as append,
        listing.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(REJECTED_COLUMNS)
        nothing_yet = file.tell()

        def write(predictions: pd.DataFrame, rejected: Sequence[Rejected]) -> None:
            append(predictions)
            rows.writerows((one.file, one.row, one.accident, one.reason, one.content) for one in rejected)

        yield write
        if file.tell() == nothing_yet:
            listing.unlink()


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A temporary file beside `target` that takes its place; without one in the end, `target` is removed."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if temporary.exists():
            temporary.replace(target)
        else:
            target.unlink(missing_ok=True)
    finally:
        temporary.unlink(missing_ok=True)


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
    """`json` writes the shortest digits that give the same float64 again, which `DataFrame.to_json` does not."""
    with path.open("w", encoding="utf-8") as file:
        yield lambda frame: file.writelines(json.dumps(record) + "\n" for record in frame.to_dict("records"))


_FORMATS: dict[str, Callable[[Path], AbstractContextManager[Append]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonl": _json_lines,
}
