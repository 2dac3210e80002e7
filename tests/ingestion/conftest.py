"""One clean synthetic year for all tests of faults, and what it amounts to."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.ingestion import IngestionResult, ingest
from tests.editions import Cells, as_text, synthetic_cells, write

TODAY = date(2025, 6, 1)
ACCIDENTS = 1500

Run = Callable[..., IngestionResult]


@pytest.fixture(scope="session")
def clean_cells() -> Cells:
    """Text cells of a clean year; tests copy what they change."""
    return synthetic_cells(ACCIDENTS)


@pytest.fixture(scope="session")
def clean_files(clean_cells: Cells) -> dict[Table, bytes]:
    """The same as the bytes of four files."""
    return {table: as_text(cells) for table, cells in clean_cells.items()}


@pytest.fixture(scope="session")
def clean(clean_files: dict[Table, bytes], tmp_path_factory: pytest.TempPathFactory) -> IngestionResult:
    """What the clean year amounts to."""
    edition = write(tmp_path_factory.mktemp("clean"), clean_files, 2024)
    return ingest([edition], IngestionSettings(), today=TODAY)


@pytest.fixture
def run(clean_files: dict[Table, bytes], tmp_path: Path) -> Run:
    """Ingest the clean year with some files replaced."""

    def ingest_with(changed: dict[Table, bytes], *, labelled: bool = True, year: int | None = 2024) -> IngestionResult:
        edition = write(tmp_path, clean_files | changed, year)
        return ingest([edition], IngestionSettings(), labelled=labelled, today=TODAY)

    return ingest_with
