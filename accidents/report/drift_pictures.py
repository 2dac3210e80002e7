"""Pictures of the columns with the largest effects, drawn by Evidently, which decides nothing here.

Evidently draws rows. A reference has counts alone, so that both sides are drawn from the shares of their values, each
column for itself.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle.reference import MISSING_BIN, Reference
from accidents.features.arrays import Arrays
from accidents.monitoring.columns import monitored_columns
from accidents.monitoring.counts import bin_accidents
from accidents.monitoring.drift import InputComparison
from accidents.monitoring.season import matched_shares

_ROWS = 1_000


def drift_pictures(
    inputs: InputComparison, accidents: Arrays, reference: Reference, level: str, most: int
) -> str | None:
    """An HTML page with the distributions of columns in the window and in the reference matched by season and hour.

    Args:
        inputs: the comparison.
        accidents: those that were compared.
        reference: that of the model.
        level: of the model.
        most: number of columns.

    Returns:
        None where Evidently is not installed (`pip install '.[monitoring]'`), or nothing is to be drawn.
    """
    if not most or find_spec("evidently") is None:
        return None
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    described = {column.name: column for column in monitored_columns(level)}
    worst = sorted(inputs.columns, key=lambda one: (not one.changes, -one.effect))[:most]
    window = bin_accidents(accidents, monitored_columns(level), None)
    counts = window.count()
    frames: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for one in worst:
        own = counts[window.columns.index(one.column)][:, :, :MISSING_BIN].astype(float)
        theirs = reference.counts[reference.columns.index(one.column)][:, :, :MISSING_BIN].astype(float)
        expected, _ = matched_shares(theirs, own.sum(axis=2))
        if not own.sum() or not expected.sum():
            continue
        for frame, shares in zip(frames, (own.sum(axis=(0, 1)) / own.sum(), expected), strict=True):
            frame[one.column] = [described[one.column].describe(value) for value in _rows(shares)]
    if not frames[0]:
        return None
    definition = DataDefinition(categorical_columns=list(frames[0]))
    current, before = (Dataset.from_pandas(pd.DataFrame(frame), data_definition=definition) for frame in frames)
    with np.errstate(all="ignore"):  # of statistics that nothing here uses
        snapshot = Report([DataDriftPreset()]).run(current, before)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "drift.html"
        snapshot.save_html(str(file))
        return file.read_text(encoding="utf-8")


def _rows(shares: npt.NDArray[np.float64]) -> list[int]:
    """`_ROWS` values with these shares."""
    ends = np.cumsum(shares / shares.sum())
    return [int(value) for value in np.searchsorted(ends, (np.arange(_ROWS) + 0.5) / _ROWS)]
