"""Synthetic years that several tests look at."""

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.sample.writer import generate_sample

Cells = dict[Table, pd.DataFrame]


@pytest.fixture(scope="session")
def year() -> Cells:
    """The default year, 20,000 accidents of 2024."""
    return generate_sample()


@pytest.fixture(scope="session")
def old_year() -> Cells:
    """A small year in the old layout."""
    return generate_sample(3_000, year=2013)
