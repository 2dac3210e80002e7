"""The faults that the sample can inject, in editions of both layouts and in real files."""

from pathlib import Path

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import IngestionResult, ingest
from accidents.sample.writer import write_sample
from accidents.sources.edition import Edition
from tests.faults import FAULTS
from tests.ingestion.conftest import TODAY

pytestmark = pytest.mark.slow
YEARS = (2009, 2022, 2024)
ACCIDENTS = 1500


def ingested(folder: Path, year: int | None) -> IngestionResult:
    starts = {table: table.value[:4] for table in Table} | {Table.CARACTERISTIQUES: "car"}
    files = {table: str(next(folder.glob(f"{start}*.csv"))) for table, start in starts.items()}
    return ingest([Edition(year, files)], IngestionSettings(), today=TODAY)


@pytest.fixture(scope="session")
def years(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Path, IngestionResult]]:
    """Folder and accidents of a clean sample of each year."""
    result = {}
    for year in YEARS:
        folder = tmp_path_factory.mktemp(str(year))
        write_sample(folder, accidents=ACCIDENTS, year=year, seed=year)
        result[year] = folder, ingested(folder, year)
    return result


def assert_outcome(fault: str, folder: Path, damaged: Path, clean: IngestionResult, year: int) -> None:
    FAULTS[fault].inject(folder, damaged)
    if FAULTS[fault].outcome == "corrected":
        result = ingested(damaged, year)
        for name in ("accidents", "vehicles", "people"):
            pd.testing.assert_frame_equal(getattr(result.accidents, name), getattr(clean.accidents, name))
    else:
        for known_year in (year, None):
            with pytest.raises(DataError, match=r"\.csv.*: "):
                ingested(damaged, known_year)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_samples(
    fault: str, year: int, years: dict[int, tuple[Path, IngestionResult]], tmp_path: Path
) -> None:
    folder, clean = years[year]
    if fault == "swapped_coordinates" and year < 2019:
        pytest.skip("most accidents before 2019 have no coordinates to swap")
    assert_outcome(fault, folder, tmp_path / "damaged", clean, year)


@pytest.mark.real
@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_real_months(fault: str, real_baac: Path, tmp_path: Path) -> None:
    if fault == "latin1":
        pytest.skip("real addresses hold characters that Latin-1 lacks")
    folder = real_baac / "2024"
    assert_outcome(fault, folder, tmp_path / "damaged", ingested(folder, 2024), 2024)
