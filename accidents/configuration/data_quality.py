"""Settings `limits`: limits of data quality, above which a file is rejected."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from accidents.settings import Settings

_Share = Annotated[float, Field(ge=0, le=1)]
_PositiveShare = Annotated[float, Field(gt=0, le=1)]


class DataQualityLimits(Settings):
    """Shares of bad cells and rows above which they stop the run, instead of becoming missing or quarantined."""

    bad_cells: _PositiveShare = 0.05
    """Cells of a column from which on invalid ones stop the run."""
    bad_keys: _Share = 0.001
    """Rows of a table that may break one rule on keys or rows."""
    wrong_texts: _Share = 0.001
    """Recorded cells of a text column that may be decoded wrongly; one cell always may."""
    corrected: _Share = 1
    """Cells or rows of a table above which a correction stops the run."""
    ignored: _Share = 0.6
    """Rows of a table above which an issue that is ignored stops the run."""
    by_check: Mapping[str, _Share] = {"text in an unknown encoding": 0.05, "most rows occur twice, of too few": 1}
    """Shares in place of `corrected` and `ignored`, by the beginning of the text of a check."""
    emptied: _PositiveShare = 0.5
    """Missing cells above which a column that is usually recorded counts as emptied."""
    exchanged_evidence: float = Field(0.02, gt=0)
    """Gain in log likelihood, in nats a cell, of exchanging the reference distributions of two columns above which they
    count as swapped; real files stay below 0.01 by year, month and department.
    """
