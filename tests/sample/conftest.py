"""Synthetic years that several tests look at."""

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.sample.writing import generate

Cells = dict[Table, pd.DataFrame]


@pytest.fixture(scope="session")
def year() -> Cells:
    """The default year, 20,000 accidents of 2024."""
    return generate()


@pytest.fixture(scope="session")
def old_year() -> Cells:
    """A small year in the old layout."""
    return generate(3_000, year=2013)
