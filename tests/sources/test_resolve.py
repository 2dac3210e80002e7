"""Settings of the source, and what resolving costs to import."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from accidents.configuration.source import SourceSettings
from accidents.errors import ConfigurationError
from accidents.sources.resolve import resolve_editions


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (2021, (2021,)),
        ("2021", (2021,)),
        ("2019-2021", (2019, 2020, 2021)),
        ("2018, 2021-2022", (2018, 2021, 2022)),
        ("2022,2021,2022", (2021, 2022)),
        ([2024, 2021], (2024, 2021)),
        (None, None),
    ],
)
def test_years_as_people_write_them(written: object, meant: tuple[int, ...] | None) -> None:
    assert SourceSettings.model_validate({"years": written}).years == meant


@pytest.mark.parametrize("written", ["2022-2019", "last", "", "2019-", "-2019", "1999", 3000, []])
def test_invalid_years_are_rejected(written: object) -> None:
    with pytest.raises(ValidationError, match="years"):
        SourceSettings.model_validate({"years": written})


def test_datagouv_needs_years() -> None:
    with pytest.raises(ValidationError, match="--years"):
        SourceSettings(location="datagouv")


def test_datagouv_may_be_named_with_its_years() -> None:
    short = SourceSettings(location="datagouv:2021-2023")
    assert short == SourceSettings.model_validate({"location": "datagouv", "years": "2021-2023"})
    with pytest.raises(ValidationError, match="no years"):
        SourceSettings(location="datagouv:recent")


def test_a_synthetic_year_has_to_be_over(tmp_path: Path) -> None:
    settings = SourceSettings.model_validate({"years": datetime.now(UTC).year, "data_folder": tmp_path})
    with pytest.raises(ConfigurationError, match="is not over"):
        resolve_editions(settings)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("template", ["https://host/file.csv", "https://host/{table}-{month}.csv"])
def test_a_mirror_has_the_placeholder_of_the_table_and_no_unknown_one(template: str) -> None:
    with pytest.raises(ValidationError, match="braces"):
        SourceSettings.model_validate({"datagouv": {"mirrors": {2021: template}}})


def test_importing_the_sources_imports_nothing_heavy() -> None:
    code = "import sys, accidents.sources.resolve, accidents.sources.edition; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "pandas", "pyarrow", "requests", "fsspec", "pooch"} & set(loaded)
