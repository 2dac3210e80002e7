"""A clean synthetic year as typed tables."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from accidents.columns.specification import Table
from accidents.reading.edition import read_edition
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions
from accidents.tables import Tables

YEAR = 2023
ACCIDENTS = 3000


def read_sample(folder: Path, year: int, accidents: int = ACCIDENTS) -> Tables:
    write_sample(folder, accidents=accidents, year=year, seed=0)
    (edition,) = folder_editions(str(folder), [year])
    return read_edition(edition).tables


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return read_sample(tmp_path_factory.mktemp("clean"), YEAR)


@pytest.fixture
def changed(clean: Tables) -> Callable[[Table, Callable[[pd.DataFrame], pd.DataFrame]], Tables]:
    """Make tables of which one has been changed."""

    def change(table: Table, how: Callable[[pd.DataFrame], pd.DataFrame]) -> Tables:
        return replace(clean, **{table.value: how(getattr(clean, table))})

    return change
