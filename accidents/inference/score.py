"""Scoring of many accidents: finds out what the input is, and takes its batches to the output."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.inference import InferenceSettings
from accidents.errors import ConfigurationError, DataError, SourceError
from accidents.inference import editions, files
from accidents.inference.batch import Batch
from accidents.inference.output import SCHEMA, check_output, rejected_path, written
from accidents.schemas.predictions import predictions_frame
from accidents.sources.file_names import parse_file_name
from accidents.sources.folder import folder_editions


@dataclass(frozen=True)
class Summary:
    """What became of the accidents of an input.

    `scored` of them have a line in `output`, and `priority` of these are predicted so. `set_aside` counts the rows of
    the input that are listed with their reasons in `rejected_file`, which is None where there are none.
    """

    output: str
    scored: int
    priority: int
    set_aside: int
    rejected_file: str | None
    model_type: str
    threshold: float

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def score(
    source: str,
    output: str,
    bundle: Bundle,
    settings: InferenceSettings,
    *,
    limits: DataQualityLimits,
    progress: Callable[[str], None] = print,
) -> Summary:
    """Score the accidents of `source` into the file `output`, `settings.chunk` of them in memory at a time.

    Args:
        source: a folder or fsspec URL with the four BAAC files of one or more years, or one file of accidents: CSV or
            Parquet of the flat form, or JSON lines. `grav` is ignored.
        output: a local file, `.csv`, `.parquet` or `.jsonl`, with the columns of `inference.output.SCHEMA`; it appears
            when it is complete. Accidents of a folder are in order of `Num_Acc`, those of a file in their own order.
            Rows that cannot be scored are listed beside it in `<output>.rejected.csv`.
        bundle: the model.
        settings: accidents held in memory, threads.
        limits: what is tolerated in BAAC files.
        progress: hears a line of text now and then.

    Raises:
        ConfigurationError: the output cannot be written, or the input is of no known kind.
        SourceError: there is no input.
        DataError: the input cannot be used, or none of its accidents can.
    """
    target = Path(output)
    check_output(target)
    batches = _batches(source.removeprefix("file://"), target, bundle, settings, limits, progress)
    scored = priority = set_aside = 0
    reason = ""
    with written(target) as write:
        for batch in batches:
            predictions = _predictions(batch, bundle)
            write(predictions, batch.rejected)
            scored += len(predictions)
            priority += int(predictions["prediction"].sum())
            set_aside += len(batch.rejected)
            reason = reason or next((f"; row {one.row}: {one.reason}" for one in batch.rejected), "")
        if not scored:
            raise DataError(f"{source}: no accident in it that can be scored{reason}")
    return Summary(
        output=str(target),
        scored=scored,
        priority=priority,
        set_aside=set_aside,
        rejected_file=str(rejected_path(target)) if set_aside else None,
        model_type=bundle.model_type,
        threshold=bundle.threshold,
    )


def _batches(
    source: str,
    target: Path,
    bundle: Bundle,
    settings: InferenceSettings,
    limits: DataQualityLimits,
    progress: Callable[[str], None],
) -> Iterator[Batch]:
    local, chunk, threads = "://" not in source, settings.chunk, settings.threads
    suffix = PurePosixPath(source).suffix
    if local and not Path(source).exists():
        raise SourceError(f"{source}: there is no such file or folder to score")
    if Path(source).is_dir() or (not local and not suffix):
        found = folder_editions(source, None)
        _refuse_overwriting([path for edition in found for path in edition.files.values()], target)
        return editions.batches(found, bundle, chunk=chunk, limits=limits, threads=threads, progress=progress)
    if parse_file_name(PurePosixPath(source).name):
        raise ConfigurationError(f"{source}: is one of the four BAAC files of a year; give the folder that holds all")
    if suffix not in files.FORMATS:
        raise ConfigurationError(
            f"{source}: unknown extension of an input; allowed are {', '.join(files.FORMATS)}, or a folder"
        )
    _refuse_overwriting([source], target)
    return files.batches(source, bundle, chunk=chunk, threads=threads, progress=progress)


def _refuse_overwriting(inputs: Sequence[str], target: Path) -> None:
    """Neither the predictions nor the list beside them may replace a file that is read."""
    for path in inputs:
        if Path(path).resolve() in {target.resolve(), rejected_path(target).resolve()}:
            raise ConfigurationError(f"{path}: would be overwritten by the output; choose another output")


def _predictions(batch: Batch, bundle: Bundle) -> pd.DataFrame:
    """A frame with the columns of `output.SCHEMA`."""
    predictions = predictions_frame(pd.Series(batch.ids), batch.probabilities, bundle.threshold)
    return predictions.assign(model_type=bundle.model_type)[SCHEMA.names]
