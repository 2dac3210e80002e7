"""Shared fixtures: where the real files are, and what to do without them."""

import os
from pathlib import Path

import pytest

REAL = Path(os.environ.get("BAAC_FOLDER", Path(__file__).resolve().parents[2] / "shared" / "data" / "baac"))


@pytest.fixture(scope="session")
def real_baac() -> Path:
    """Folder with one folder a year of real BAAC files; the test is skipped where there is none."""
    if not (REAL / "2024").is_dir():
        pytest.skip(f"no real BAAC files at {REAL} (set BAAC_FOLDER)")
    return REAL
