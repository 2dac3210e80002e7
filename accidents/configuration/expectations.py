"""Settings `expectations`: plausible ranges of the statistics of a year."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from accidents.columns import TABLES
from accidents.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class MissingLimits(Settings):
    """Largest share of missing cells of each column."""

    columns: dict[str, Share]
    """Limits of single columns, written table.column."""
    other: Share
    """Limit of every other column."""

    @model_validator(mode="after")
    def _known_columns(self) -> "MissingLimits":
        for name in self.columns:
            table, _, column = name.partition(".")
            if column not in next((TABLES[known] for known in TABLES if known == table), {}):
                raise ValueError(f"{name!r} is no column: write table.column, for example usagers.trajet")
        return self

    def limit_of(self, table: str, column: str) -> float:
        """The limit of one column."""
        return self.columns.get(f"{table}.{column}", self.other)


class ShareRange(Settings):
    """Range of plausible shares, both ends inclusive."""

    least: Share
    """Smallest plausible share."""
    most: Share
    """Largest plausible share."""

    @model_validator(mode="after")
    def _ordered(self) -> "ShareRange":
        if self.least > self.most:
            raise ValueError(f"least {self.least:g} is greater than most {self.most:g}")
        return self


_MISSING = tomllib.loads(Path(__file__).with_name("missing_limits.toml").read_text(encoding="utf-8"))


class ExpectationSettings(Settings):
    """Expectations on the data of a year, beyond types and codes."""

    whole_years: bool | None = None
    """Whether the files hold complete years, so that a wrong number of accidents stops the run; empty: those of the
    source datagouv do, others need not.
    """
    count_tolerance: Share = 0.01
    """How far the number of accidents of a year may be from the published one, as a share of it."""
    fewest_accidents: int = Field(1000, ge=1)
    """Years of fewer accidents are too small for the limits on labels, and only reported."""
    missing: MissingLimits = MissingLimits(**_MISSING["since_2019"])
    """Shares missing from 2019 on; a breach stops the run."""
    missing_until_2018: MissingLimits = MissingLimits(**_MISSING["until_2018"])
    """Shares missing up to 2018; a breach is a warning."""
    priority: ShareRange = ShareRange(least=0.2, most=0.6)
    """Share of accidents that are priority."""
    killed: ShareRange = ShareRange(least=0.005, most=0.08)
    """Share of people killed."""
    hospitalised: ShareRange = ShareRange(least=0.05, most=0.4)
    """Share of people hospitalised."""
    slightly_injured: ShareRange = ShareRange(least=0.2, most=0.6)
    """Share of people slightly injured."""
    unhurt: ShareRange = ShareRange(least=0.2, most=0.6)
    """Share of people unhurt."""
    nobody_hurt: Share = 0.01
    """Largest share of accidents with nobody hurt, which by definition there are none of."""
    unknown_injury: Share = 0.02
    """Largest share of people whose injury is not recorded."""
    afternoon: ShareRange = ShareRange(least=0.3, most=0.9)
    """Share of accidents from 13:00 on."""
    passengers: ShareRange = ShareRange(least=0.08, most=0.5)
    """Share of people who are passengers; a breach is a warning."""
    pedestrians: ShareRange = ShareRange(least=0.02, most=0.25)
    """Share of people who are pedestrians; a breach is a warning."""
    unmatched: Share = 0.001
    """Largest share of a table's rows whose accident another table lacks."""
