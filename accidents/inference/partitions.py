"""Score a folder of partitions: one output file for each, and a record of those that are finished.

A partition is a folder with the four BAAC files, or one file of accidents. After a kill, the same command goes on with
the partitions that have no record; each accident is in the output once.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accidents.atomic_write import write_text
from accidents.bundle import Bundle
from accidents.errors import ConfigurationError, SourceError
from accidents.inference.files import READERS
from accidents.sources.file_names import parse_file_name

_OUTPUT, _RECORD = ".parquet", ".json"


@dataclass(frozen=True)
class Partition:
    """A part of the input: its name, and the path of its folder or file."""

    name: str
    path: Path

    def fingerprint(self, model: str) -> str:
        """SHA-256 of the digest of the model, and of names, sizes and times of the files."""
        files = sorted(self.path.rglob("*")) if self.path.is_dir() else [self.path]
        facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
        return hashlib.sha256(json.dumps([model, facts]).encode()).hexdigest()


def is_partitioned(output: Path) -> bool:
    """Whether an output is a folder, for one file a partition: it has no extension."""
    return not output.suffix


def find_partitions(source: str) -> list[Partition]:
    """The partitions of a local folder, by name.

    Raises:
        SourceError: it is no folder, or holds neither folders nor files of accidents.
        ConfigurationError: two partitions have the same name, so that their outputs would have it, too.
    """
    folder = Path(source)
    if not folder.is_dir():
        raise SourceError(f"{source}: there is no such local folder; an output folder needs a folder of partitions")
    partitions = [
        Partition(path.name if path.is_dir() else path.stem, path)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and (path.is_dir() or _is_file_of_accidents(path))
    ]
    if not partitions:
        raise SourceError(
            f"{source}: no partitions in it: a folder with the four BAAC files for each, or files of accidents "
            f"({', '.join(READERS)}). To score the files of this folder itself, name an output file."
        )
    names = [partition.name for partition in partitions]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"{source}: two partitions are named {', '.join(twice)}; rename one of each")
    return partitions


def _is_file_of_accidents(path: Path) -> bool:
    return path.suffix in READERS and parse_file_name(path.name) is None


def score_partitions(
    source: str,
    output: Path,
    bundle: Bundle,
    score: Callable[[str, str], Mapping[str, Any]],
    progress: Callable[[str], None],
) -> list[Mapping[str, Any]]:
    """Score every partition of `source` that has no record of this model and these files.

    Args:
        source: folder of partitions.
        output: folder for `<partition>.parquet` and `<partition>.json`, made if need be.
        bundle: the model.
        score: scores the source of a partition into a file, and returns what is recorded.
        progress: called with a message after each partition.

    Returns:
        The record of each partition.

    Raises:
        AccidentsError: of the first partition that cannot be scored; those before it are finished.
    """
    partitions, model = find_partitions(source), bundle.prediction_digest()
    output.mkdir(exist_ok=True)
    records: list[Mapping[str, Any]] = []
    for number, partition in enumerate(partitions, 1):
        target, record = output / f"{partition.name}{_OUTPUT}", output / f"{partition.name}{_RECORD}"
        fingerprint = partition.fingerprint(model)
        finished = _read_record(record) if target.exists() else {}
        if finished.get("fingerprint") != fingerprint:
            record.unlink(missing_ok=True)
            finished = {"fingerprint": fingerprint, **score(str(partition.path), str(target))}
            write_text(record, json.dumps(finished, indent=1))
            progress(f"{partition.name}: {finished['scored']:,} accidents, partition {number} of {len(partitions)}")
        else:
            progress(f"{partition.name}: finished before, partition {number} of {len(partitions)}")
        records.append(finished)
    return records


def _read_record(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
