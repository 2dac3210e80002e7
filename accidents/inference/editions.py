"""Score BAAC editions in chunks: split, ingest, compute features, predict.

Reading and cleaning check whole files. The following rules make the predictions independent of the chunk size:

- Limits on the shares of bad cells and of quarantined rows apply to the edition: a chunk may have any share, and the
  edition is refused after its last chunk if its own shares are above the limits.
- A duplicate id of a vehicle or person is detected inside a chunk only. Across chunks it has no effect: features link
  people and vehicles inside one accident alone.
- Faults that no limit allows stop the run at the chunk that has them: an unreadable file, a date in the future, swapped
  columns, pasted rows, wrongly decoded text. The last three are detected by shares inside the chunk, which has hundreds
  of accidents (`InferenceSettings.chunk`), enough for that.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.columns import MISSING, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.ingestion import IngestionSettings
from accidents.engine import LOCAL, Engine
from accidents.errors import DataError
from accidents.features import feature_frame
from accidents.inference.batch import RejectedRow, ScoredBatch
from accidents.inference.chunks import Chunk, file_name, split_edition
from accidents.ingestion import IngestionResult, ingest
from accidents.reading.issues import Action, DataIssue, data_error, stop_above_limit
from accidents.sources.edition import Edition
from accidents.temporary_files import temporary_folder

_UNLIMITED = {**dict.fromkeys(("bad_cells", "bad_keys", "corrected", "ignored"), math.inf), "by_check": {}}


def score_editions(
    editions: Sequence[Edition],
    bundle: Bundle,
    *,
    chunk_size: int,
    limits: DataQualityLimits,
    threads: int,
    progress: Callable[[str], None],
    engine: Engine = LOCAL,
) -> Iterator[ScoredBatch]:
    """Score editions chunk by chunk, in order of `Num_Acc`.

    Args:
        editions: years in ascending order.
        bundle: the model.
        chunk_size: accidents in memory at a time.
        limits: shares of faults above which an edition is refused.
        threads: threads of the model.
        progress: called with a message after each chunk.
        engine: where; one call a chunk.

    Raises:
        DataError: an edition cannot be used; its last batch may have been yielded before.
    """
    settings = IngestionSettings(limits=limits.model_copy(update=_UNLIMITED))
    latest = 0
    for edition in editions:
        reports: list[pd.DataFrame] = []
        row_counts: Counter[str] = Counter()
        with temporary_folder(engine.shared_folder) as folder:
            chunks = split_edition(edition, chunk_size, folder)
            total, done = sum(chunk.accidents for chunk in chunks), 0
            if chunks[0].first <= latest:
                name = edition.files[Table.CARACTERISTIQUES]
                raise DataError(f"{name}: its accidents are not all later than those before it; give each year once")
            scored = engine.map(_score_chunk, chunks, bundle, settings, threads, len(chunks) == 1)
            for chunk, (batch, report, counts) in zip(chunks, scored, strict=True):
                reports.append(report)
                row_counts.update(counts)
                yield batch
                done += chunk.accidents
                progress(f"{chunk.edition.year}: {done:,} of {total:,} accidents")
            latest = chunks[-1].last
        issues = _edition_issues(edition, pd.concat(reports), row_counts, limits)
        if any(issue.action is Action.STOPPED for issue in issues):
            raise data_error(issues)
        for issue in issues:
            progress(f"{issue.message()}: {issue.action}")


def _score_chunk(
    chunk: Chunk, bundle: Bundle, settings: IngestionSettings, threads: int, whole: bool
) -> tuple[ScoredBatch, pd.DataFrame, dict[str, int]]:
    """The scored accidents of a chunk, with the report and the counts of its ingestion."""
    ingested = _ingest(chunk, settings, whole=whole)
    return _score(chunk, ingested, bundle, threads), ingested.report, ingested.counts


def _ingest(chunk: Chunk, settings: IngestionSettings, *, whole: bool) -> IngestionResult:
    try:
        return ingest([chunk.edition], settings, labelled=False)
    except DataError as error:
        if whole:
            raise
        note = f"Rows are counted from the accident {chunk.first} on, the first of {chunk.accidents:,} read together."
        raise DataError(f"{error}\n{note}", error.report) from None


def _score(chunk: Chunk, ingested: IngestionResult, bundle: Bundle, threads: int) -> ScoredBatch:
    ids = ingested.accidents.accidents["Num_Acc"].to_numpy()
    probabilities = bundle.predict(feature_frame(ingested.accidents), threads) if len(ids) else np.empty(0)
    rejected = []
    for row in ingested.quarantine.to_dict("records"):
        number = chunk.original_row(Table(row["table"]), row["row"])
        accident_id = None if row["Num_Acc"] == MISSING else row["Num_Acc"]
        rejected.append(RejectedRow(row["file"], number, accident_id, row["reason"], row["content"]))
    return ScoredBatch(ids, probabilities, np.ones(len(ids)), rejected)  # a file says what is not recorded


def _edition_issues(
    edition: Edition, report: pd.DataFrame, row_counts: Mapping[str, int], limits: DataQualityLimits
) -> list[DataIssue]:
    """Merge the issues of all chunks; those above the limits get the action `STOPPED`.

    An issue without a share is about a whole file: each chunk reports it with the same number of rows.
    """
    tables = {file_name(path): table for table, path in edition.files.items()}
    issues = []
    for identity, group in report.groupby(["file", "column", "check", "action"], sort=False):
        file, column, check, name = map(str, identity)
        has_share = group["share"].max() > 0
        rows = int(group["rows"].sum() if has_share else group["rows"].iloc[-1])
        share = min(rows / max(row_counts[f"{tables[file]}_in"], 1), 1.0) if has_share else 0.0
        action, values = Action(name), group["first_values"].iloc[0]
        issue = DataIssue(file, column, check, rows, share, action, (values,) if values else ())
        issues.append(stop_above_limit(issue, limits))
    return issues
