"""How much may be wrong with a file before it is refused. The meaning of each rule lives in reading and cleaning."""

from pydantic import Field

from accidents.configuration.base import Settings


class DataQualityLimits(Settings):
    """Shares above which faults are no longer set aside one by one but stop the run."""

    bad_cells: float = Field(
        0.05,
        gt=0,
        le=1,
        description="Share of the cells of a column from which on cells that break its rule stop the run.",
    )
    bad_keys: float = Field(
        0.001, ge=0, le=1, description="Share of the rows of a table that may break one rule on keys or rows."
    )
    wrong_texts: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Share of the recorded cells of a text column that may be decoded wrongly; one cell always may.",
    )
    emptied: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of missing cells above which a column that is usually recorded counts as emptied.",
    )
    exchanged_evidence: float = Field(
        0.02,
        gt=0,
        description="How much better, in nats a cell, two columns must fit each other's usual contents than their own "
        "before they count as swapped. Real files stay below 0.01 by year, month and department.",
    )
