"""A small model, a synthetic year, and its predictions without chunks."""

from dataclasses import dataclass

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.sources.edition import Edition
from tests.editions import Cells, as_text, synthetic_cells, write
from tests.trained import small_models

ACCIDENTS = 1200


def quiet(line: str) -> None:
    """Progress without output."""


@dataclass(frozen=True)
class Whole:
    """Accidents of a year and their probabilities, read in one piece."""

    ids: np.ndarray
    probabilities: np.ndarray


def in_one_piece(edition: Edition, bundle: Bundle) -> Whole:
    accidents = ingest([edition], IngestionSettings(), labelled=False).accidents
    return Whole(accidents.accidents["Num_Acc"].to_numpy(), bundle.predict(feature_frame(accidents)))


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return small_models()["lightgbm"].trained.bundle


@pytest.fixture(scope="session")
def cells() -> Cells:
    """Tests copy what they change."""
    return synthetic_cells(ACCIDENTS, seed=3)


@pytest.fixture(scope="session")
def year_files(cells: Cells) -> dict[Table, bytes]:
    return {table: as_text(frame) for table, frame in cells.items()}


@pytest.fixture(scope="session")
def year(year_files: dict[Table, bytes], tmp_path_factory: pytest.TempPathFactory) -> Edition:
    return write(tmp_path_factory.mktemp("inference") / "2024", year_files, 2024)


@pytest.fixture(scope="session")
def whole(year: Edition, bundle: Bundle) -> Whole:
    return in_one_piece(year, bundle)
