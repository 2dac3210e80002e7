"""Settings `source`: location of the published files."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from accidents.configuration.project_path import ProjectPath
from accidents.settings import Settings

SAMPLE = "sample"
"""Location of synthetic accidents; those of every other location are real."""

DATAGOUV = "datagouv"
"""Location of the files published on data.gouv.fr."""

Year = Annotated[int, Field(ge=2005, le=2099)]


def parse_years(value: Any) -> Any:
    """Parse years and ranges of years; other types are returned as they are, for pydantic to validate.

    >>> parse_years("2018,2021-2023"), parse_years(2021)
    ((2018, 2021, 2022, 2023), (2021,))
    """
    if isinstance(value, int):
        return (value,)
    if not isinstance(value, str):
        return value
    years: list[int] = []
    for part in value.split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if not first.isdecimal() or not last.isdecimal() or int(last) < int(first):
            raise ValueError(f"{value!r} are no years: write 2021, 2019-2024 or 2018,2021-2024")
        years.extend(range(int(first), int(last) + 1))
    return tuple(sorted(set(years)))


class SampleSettings(Settings):
    """The embedded synthetic year."""

    accidents: int = Field(20_000, ge=1)
    """Accidents in each synthetic year."""
    year: Year = 2024
    """The synthetic year, where no years are given."""
    seed: int = Field(0, ge=0)
    """Seed of the generator; the same seed gives the same files."""


class DatagouvSettings(Settings):
    """Settings of downloads from data.gouv.fr."""

    catalogue: str = "https://www.data.gouv.fr/api/1/datasets/53698f4ca3a729239d2036df/"
    """Address of the data set in the API of data.gouv.fr, which lists files and checksums."""
    mirrors: dict[Year, str] = Field(
        {2021: "https://mlops-project-db.s3.eu-west-1.amazonaws.com/accidents/{table}-{year}.csv"}
    )
    """Another address of all four files of a year, used when data.gouv.fr does not deliver them."""
    timeout_seconds: float = Field(30, gt=0)
    """Longest silence of a server before a download is given up."""
    deadline_seconds: float = Field(1800, gt=0)
    """Longest time that one file may take in all."""
    attempts: int = Field(4, ge=1, le=20)
    """How often a download is tried when the network fails."""
    pause_seconds: float = Field(1, ge=0)
    """Pause before the second attempt, doubled before each further one."""
    largest_megabytes: float = Field(200, gt=0)
    """Size from which on a file is refused."""

    @field_validator("mirrors")
    @classmethod
    def _tables_in_mirrors(cls, mirrors: dict[int, str]) -> dict[int, str]:
        for template in mirrors.values():
            if "{table}" not in template or set(re.findall(r"{(.*?)}", template)) - {"table", "year"}:
                raise ValueError(f"{template!r} has to hold {{table}}, may hold {{year}}, and nothing else in braces")
        return mirrors


def is_local(location: str) -> bool:
    """Whether a location is a local folder, and not `sample`, `datagouv` or a URL.

    >>> [is_local(location) for location in ("baac/2023", "sample", "datagouv:2021", "s3://bucket/2023")]
    [True, False, False, False]
    """
    return (
        bool(location)
        and location not in {SAMPLE, DATAGOUV}
        and not location.startswith(f"{DATAGOUV}:")
        and ("://" not in location)
    )


class SourceSettings(Settings):
    """Location and years of the files."""

    location: str = Field(SAMPLE, min_length=1)
    """Sample, datagouv, a folder, or an fsspec URL such as s3://bucket/folder; datagouv:2021-2023 is datagouv with its
    years.
    """
    years: Annotated[tuple[Year, ...], BeforeValidator(parse_years)] | None = Field(None, min_length=1)
    """Years to use, such as 2019-2024; empty: all years that the folder holds."""
    data_folder: ProjectPath = Field(Path("data/raw"), validate_default=True)
    """Folder for generated and downloaded files."""
    sample: SampleSettings = SampleSettings()
    datagouv: DatagouvSettings = DatagouvSettings()

    @model_validator(mode="before")
    @classmethod
    def _years_in_location(cls, given: Any) -> Any:
        location = given.get("location") if isinstance(given, dict) else None
        if not isinstance(location, str) or not location.startswith(f"{DATAGOUV}:"):
            return given
        years = location.removeprefix(f"{DATAGOUV}:")
        if given.get("years") is not None:
            raise ValueError(f"{location} and the years {given['years']} say the same twice: leave one out")
        return given | {"location": DATAGOUV, "years": years}

    @model_validator(mode="after")
    def _years_to_download(self) -> "SourceSettings":
        if self.location == DATAGOUV and self.years is None:
            raise ValueError("datagouv needs years, for example --years 2021 or --years 2019-2024")
        return self
