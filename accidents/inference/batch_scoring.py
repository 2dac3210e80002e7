"""Batch scoring: predictions for the accidents of a source, written to a file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.inference import InferenceSettings
from accidents.engine import LOCAL, Engine
from accidents.errors import ConfigurationError, DataError, SourceError
from accidents.inference.batch import ScoredBatch
from accidents.inference.editions import score_editions
from accidents.inference.files import READERS, score_file
from accidents.inference.output import check_output, prediction_writer, rejected_path
from accidents.inference.partitions import is_partitioned, score_partitions
from accidents.sources.file_names import parse_file_name
from accidents.sources.folder import folder_editions
from accidents.tables import classify


@dataclass(frozen=True)
class ScoringSummary:
    """Counts of a batch scoring.

    `scored` accidents have a row in `output`, a file or a folder of files; `priority` of these are predicted priority;
    of `derived` light or department were derived. `rejected` rows of the input are listed in `rejected_file`, None if
    there are none.
    """

    output: str
    scored: int
    priority: int
    derived: int
    rejected: int
    rejected_file: str | None
    model_type: str
    threshold: float


def score_accidents(
    source: str,
    output: str,
    bundle: Bundle,
    settings: InferenceSettings,
    *,
    limits: DataQualityLimits,
    engine: Engine = LOCAL,
    progress: Callable[[str], None] = print,
) -> ScoringSummary:
    """Predict the accidents of a source and write them to a file.

    Args:
        source: a folder or fsspec URL with the four BAAC files of one or more years, or one file of accidents: CSV or
            Parquet of the flat form, or JSON lines. `grav` is ignored.
        output: a local file, `.csv`, `.parquet` or `.jsonl`, with the columns of `inference.output.SCHEMA`; it is
            written atomically. Accidents of a folder are in order of `Num_Acc`, those of a file in their own order.
            Rows that cannot be scored are listed beside it in `<output>.rejected.csv`. Or a folder: `source` is then a
            folder of partitions, and each has an output of its own (`inference.partitions`).
        bundle: the model.
        settings: number of accidents in memory at a time, threads.
        limits: limits of faulty data in BAAC files.
        engine: where accidents are read and scored; the predictions are the same anywhere.
        progress: called with a message after each batch.

    Raises:
        ConfigurationError: the output cannot be written, or the kind of the input is unknown.
        SourceError: there is no input.
        DataError: the input or all of its rows are rejected.
    """
    target = Path(output)
    check_output(target)
    if is_partitioned(target):
        return _score_partitions(source, target, bundle, settings, limits, engine, progress)
    batches = _score_source(source.removeprefix("file://"), target, bundle, settings, limits, engine, progress)
    scored = priority = derived = rejected = 0
    first_reason = ""
    with prediction_writer(target) as write:
        for batch in batches:
            predictions = _predictions(batch, bundle)
            write(predictions, batch.rejected)
            scored += len(predictions)
            priority += int(predictions["prediction"].sum())
            derived += batch.derived
            rejected += len(batch.rejected)
            first_reason = first_reason or next((f"; row {row.row}: {row.reason}" for row in batch.rejected), "")
        if not scored:
            raise DataError(f"{source}: no accident in it that can be scored{first_reason}")
    return ScoringSummary(
        output=str(target),
        scored=scored,
        priority=priority,
        derived=derived,
        rejected=rejected,
        rejected_file=str(rejected_path(target)) if rejected else None,
        model_type=bundle.model_type,
        threshold=bundle.threshold,
    )


def _score_partitions(
    source: str,
    target: Path,
    bundle: Bundle,
    settings: InferenceSettings,
    limits: DataQualityLimits,
    engine: Engine,
    progress: Callable[[str], None],
) -> ScoringSummary:
    def score(partition: str, output: str) -> dict[str, Any]:
        options: dict[str, Any] = {"limits": limits, "engine": engine, "progress": progress}
        return asdict(score_accidents(partition, output, bundle, settings, **options))

    records = score_partitions(source.removeprefix("file://"), target, bundle, score, progress)
    total = {name: sum(record[name] for record in records) for name in ("scored", "priority", "derived", "rejected")}
    listed = str(target / f"*{rejected_path(Path('.parquet')).name}") if total["rejected"] else None
    return ScoringSummary(
        output=str(target), rejected_file=listed, model_type=bundle.model_type, threshold=bundle.threshold, **total
    )


def _score_source(
    source: str,
    target: Path,
    bundle: Bundle,
    settings: InferenceSettings,
    limits: DataQualityLimits,
    engine: Engine,
    progress: Callable[[str], None],
) -> Iterator[ScoredBatch]:
    local, suffix = "://" not in source, PurePosixPath(source).suffix
    options: dict[str, Any] = {
        "chunk_size": settings.chunk,
        "threads": settings.threads,
        "engine": engine,
        "progress": progress,
    }
    if local and not Path(source).exists():
        raise SourceError(f"{source}: there is no such file or folder to score")
    if Path(source).is_dir() or (not local and not suffix):
        years = folder_editions(source, None)
        _refuse_overwriting([path for edition in years for path in edition.files.values()], target)
        return score_editions(years, bundle, limits=limits, **options)
    if parse_file_name(PurePosixPath(source).name):
        raise ConfigurationError(f"{source}: is one of the four BAAC files of a year; give the folder that holds all")
    if suffix not in READERS:
        raise ConfigurationError(
            f"{source}: unknown extension of an input; allowed are {', '.join(READERS)}, or a folder"
        )
    _refuse_overwriting([source], target)
    return score_file(source, bundle, derive=settings.derive_facts, **options)


def _refuse_overwriting(inputs: Sequence[str], target: Path) -> None:
    """Neither output file may replace an input."""
    for path in inputs:
        if Path(path).resolve() in {target.resolve(), rejected_path(target).resolve()}:
            raise ConfigurationError(f"{path}: would be overwritten by the output; choose another output")


def _predictions(batch: ScoredBatch, bundle: Bundle) -> pd.DataFrame:
    """A frame with the columns of `output.SCHEMA`."""
    classes = [classify(probability, bundle.threshold) for probability in batch.probabilities.tolist()]
    return pd.DataFrame(
        {
            "Num_Acc": batch.ids,
            "probability": batch.probabilities,
            "prediction": np.array([prediction for prediction, _ in classes], dtype=np.int8),
            "interpretation": [interpretation for _, interpretation in classes],
            "threshold": bundle.threshold,
            "model_type": bundle.model_type,
            "share_known": batch.shares_known,
        }
    )
