"""BAAC editions as batches of scored accidents: cut into parts, ingested, turned into features, scored.

Reading and cleaning judge whole files. How that carries over to parts is decided here, so that the same files give the
same predictions whatever the size of the parts:

- Shares of bad cells and of rows set aside are limited over all parts of an edition together: a part takes any share,
  and the edition is refused after its last part if the shares of the whole are above the limits.
- An id of a vehicle or person that occurs twice is noticed within a part. In two parts it does no harm: features link
  people and vehicles inside one accident alone.
- What no share can excuse stops the part in which it shows, and with it the run: a file that cannot be read, a date in
  the future, columns with each other's contents, rows pasted twice, texts in a wrong encoding. The last three are told
  from shares within the part; parts have hundreds of accidents (`InferenceSettings.chunk`), enough to tell them.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from accidents.bundle import Bundle
from accidents.columns import MISSING, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.features import feature_frame
from accidents.inference.batch import Batch, Rejected
from accidents.inference.chunks import Chunk, cut, file_name
from accidents.ingestion import IngestionResult, ingest
from accidents.reading.issues import Action, DataIssue, data_error, exceeds_limit
from accidents.sources.edition import Edition

_NO_SHARE = {"bad_cells": math.inf, "bad_keys": math.inf}


def batches(
    editions: Sequence[Edition],
    bundle: Bundle,
    *,
    chunk: int,
    limits: DataQualityLimits,
    threads: int,
    progress: Callable[[str], None],
) -> Iterator[Batch]:
    """Score editions part by part, in order of `Num_Acc`.

    Args:
        editions: years in ascending order.
        bundle: the model.
        chunk: accidents held in memory at a time.
        limits: shares of faults above which an edition is refused.
        threads: threads of the model.
        progress: hears a line of text after each part.

    Raises:
        DataError: an edition cannot be used; its last batch may have been given out before that shows.
    """
    settings = IngestionSettings(limits=limits.model_copy(update=_NO_SHARE))
    latest = 0
    for edition in editions:
        account = _Account(edition)
        with tempfile.TemporaryDirectory(prefix="accidents-") as folder:
            parts = cut(edition, chunk, Path(folder))
            total, done = sum(part.accidents for part in parts), 0
            if parts[0].first <= latest:
                name = edition.files[Table.CARACTERISTIQUES]
                raise DataError(f"{name}: its accidents are not all later than those before it; give each year once")
            for part in parts:
                ingested = _ingested(part, settings, alone=len(parts) == 1)
                account.add(ingested)
                yield _scored(part, ingested, bundle, threads)
                done += part.accidents
                progress(f"{parts[0].edition.year}: {done:,} of {total:,} accidents")
            latest = parts[-1].last
        findings = account.findings(limits)
        if any(finding.action is Action.STOPPED for finding in findings):
            raise data_error(findings)
        for finding in findings:
            progress(f"{finding.message()}: {finding.action}")


def _ingested(part: Chunk, settings: IngestionSettings, *, alone: bool) -> IngestionResult:
    try:
        return ingest([part.edition], settings, labelled=False)
    except DataError as error:
        if alone:
            raise
        where = f"Rows are counted from the accident {part.first} on, the first of {part.accidents:,} read together."
        raise DataError(f"{error}\n{where}", error.report) from None


def _scored(part: Chunk, ingested: IngestionResult, bundle: Bundle, threads: int) -> Batch:
    ids = ingested.accidents.accidents["Num_Acc"].to_numpy()
    return Batch(
        ids,
        bundle.predict(feature_frame(ingested.accidents), threads) if len(ids) else np.empty(0),
        [
            Rejected(
                file=row["file"],
                row=part.file_row(Table(row["table"]), row["row"]),
                accident=None if row["Num_Acc"] == MISSING else row["Num_Acc"],
                reason=row["reason"],
                content=row["content"],
            )
            for row in ingested.quarantine.to_dict("records")
        ],
    )


class _Account:
    """What was found in the parts of an edition, added up."""

    def __init__(self, edition: Edition) -> None:
        self.tables = {file_name(path): table for table, path in edition.files.items()}
        self.read: Counter[str] = Counter()
        self.found: dict[tuple[str, str, str, str], tuple[int, bool, str]] = {}

    def add(self, ingested: IngestionResult) -> None:
        """Add the findings of a part; one without a share is about a whole file and counts once."""
        self.read.update({name: rows for name, rows in ingested.counts.items() if name.endswith("_in")})
        for row in ingested.report.to_dict("records"):
            key = (row["file"], row["column"], row["check"], row["action"])
            rows, _, values = self.found.get(key, (0, False, row["first_values"]))
            counted = row["share"] > 0
            self.found[key] = (rows + row["rows"] if counted else row["rows"], counted, values)

    def findings(self, limits: DataQualityLimits) -> list[DataIssue]:
        """The findings on the edition as a whole; those with shares above the limits say "stopped"."""
        findings = []
        for (file, column, check, what), (rows, counted, values) in self.found.items():
            share = rows / max(self.read[f"{self.tables[file]}_in"], 1) if counted else 0.0
            action = Action(what)
            if action is Action.QUARANTINED and share > limits.bad_keys:
                action = Action.STOPPED
            if action is Action.MISSING and exceeds_limit(share, limits):
                action = Action.STOPPED
            findings.append(DataIssue(file, column, check, rows, share, action, (values,) if values else ()))
        return findings
