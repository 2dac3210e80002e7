"""Settings `expectations`: plausible ranges of the statistics of a year."""

from typing import Annotated

from pydantic import Field, model_validator

from accidents.columns import TABLES
from accidents.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class MissingLimits(Settings):
    """Largest share of missing cells of each column."""

    columns: dict[str, Share] = Field(description="limits of single columns, written table.column")
    other: Share = Field(description="limit of every other column")

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

    least: Share = Field(description="smallest plausible share")
    most: Share = Field(description="largest plausible share")

    @model_validator(mode="after")
    def _ordered(self) -> "ShareRange":
        if self.least > self.most:
            raise ValueError(f"least {self.least:g} is greater than most {self.most:g}")
        return self


# About one and a half times the larger share counted in January to September 2024 and in 2021 (`lieux`, `vehicules`),
# and 5 points; 1 where most accidents have nothing to record.
_MISSING = MissingLimits(
    other=0.05,
    columns={
        "caracteristiques.adr": 0.15,
        "lieux.voie": 0.3,
        "lieux.v1": 1,
        "lieux.v2": 1,
        "lieux.circ": 0.15,
        "lieux.nbv": 0.15,
        "lieux.vosp": 0.1,
        "lieux.pr": 0.55,
        "lieux.pr1": 0.55,
        "lieux.lartpc": 1,
        "lieux.larrout": 1,
        "lieux.infra": 0.1,
        "lieux.vma": 0.1,
        "vehicules.senc": 0.2,
        "vehicules.manv": 0.2,
        "vehicules.motor": 0.15,
        "vehicules.occutc": 1,
        "usagers.sexe": 0.1,
        "usagers.an_nais": 0.1,
        "usagers.trajet": 0.5,
        "usagers.secu1": 0.1,
        "usagers.secu2": 0.7,
        "usagers.secu3": 1,
        "usagers.locp": 0.98,
        "usagers.actp": 0.98,
        "usagers.etatp": 0.98,
    },
)

# The same from 2013 and 2018; `usagers` of these editions were not at hand and have wide limits.
_MISSING_UNTIL_2018 = MissingLimits(
    other=0.1,
    columns={
        "caracteristiques.adr": 0.35,
        "caracteristiques.lat": 1,
        "caracteristiques.long": 1,
        "caracteristiques.gps": 1,
        "lieux.voie": 0.65,
        "lieux.v1": 1,
        "lieux.v2": 1,
        "lieux.circ": 0.2,
        "lieux.nbv": 0.3,
        "lieux.pr": 0.9,
        "lieux.pr1": 0.9,
        "lieux.prof": 0.2,
        "lieux.plan": 0.2,
        "lieux.surf": 0.15,
        "lieux.lartpc": 1,
        "lieux.larrout": 1,
        "lieux.env1": 1,
        "vehicules.senc": 1,
        "vehicules.manv": 0.25,
        "vehicules.occutc": 1,
        "usagers.place": 0.3,
        "usagers.trajet": 0.6,
        "usagers.secu": 0.5,
        "usagers.locp": 1,
        "usagers.actp": 1,
        "usagers.etatp": 1,
    },
)


class ExpectationSettings(Settings):
    """Expectations on the data of a year, beyond types and codes."""

    whole_years: bool | None = Field(
        None,
        description="whether the files hold complete years, so that a wrong number of accidents stops the run; empty: "
        "those of the source datagouv do, others need not",
    )
    count_tolerance: Share = Field(
        0.01, description="how far the number of accidents of a year may be from the published one, as a share of it"
    )
    fewest_accidents: int = Field(
        1000, ge=1, description="years of fewer accidents are too small for the limits on labels, and only reported"
    )
    missing: MissingLimits = Field(_MISSING, description="shares missing from 2019 on; a breach stops the run")
    missing_until_2018: MissingLimits = Field(
        _MISSING_UNTIL_2018, description="shares missing in the editions up to 2018; a breach is a warning"
    )
    priority: ShareRange = Field(ShareRange(least=0.2, most=0.6), description="share of accidents that are priority")
    killed: ShareRange = Field(ShareRange(least=0.005, most=0.08), description="share of people killed")
    hospitalised: ShareRange = Field(ShareRange(least=0.05, most=0.4), description="share of people hospitalised")
    slightly_injured: ShareRange = Field(
        ShareRange(least=0.2, most=0.6), description="share of people slightly injured"
    )
    unhurt: ShareRange = Field(ShareRange(least=0.2, most=0.6), description="share of people unhurt")
    nobody_hurt: Share = Field(
        0.01, description="largest share of accidents with nobody hurt, which by definition there are none of"
    )
    unknown_injury: Share = Field(0.02, description="largest share of people whose injury is not recorded")
    afternoon: ShareRange = Field(ShareRange(least=0.3, most=0.9), description="share of accidents from 13:00 on")
    passengers: ShareRange = Field(
        ShareRange(least=0.08, most=0.5), description="share of people who are passengers; a breach is a warning"
    )
    pedestrians: ShareRange = Field(
        ShareRange(least=0.02, most=0.25), description="share of people who are pedestrians; a breach is a warning"
    )
    unmatched: Share = Field(0.001, description="largest share of a table's rows whose accident another table lacks")
