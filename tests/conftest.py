"""Shared fixtures: a ZenML world of the tests' own, where the real files are, and what to do without them."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

# Before anything imports zenml: tests never see or touch the user's own configuration and stores.
_WORLD = tempfile.mkdtemp(prefix="accidents-tests-")
atexit.register(shutil.rmtree, _WORLD, ignore_errors=True)
os.environ.update(
    ZENML_CONFIG_PATH=f"{_WORLD}/config",
    ZENML_LOCAL_STORES_PATH=f"{_WORLD}/stores",
    ZENML_ANALYTICS_OPT_IN="false",
    ZENML_LOGGING_COLORS_DISABLED="true",
    GX_ANALYTICS_ENABLED="false",
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_TRACKING_URI=f"sqlite:///{_WORLD}/mlflow/mlflow.db",
)
for name in ("ZENML_ACTIVE_STACK_ID", "DAGSHUB_REPO"):
    os.environ.pop(name, None)

PROJECT = Path(__file__).resolve().parents[1]
# ZenML finds the project by the main program, and a worker of a parallel run has none.
vars(sys.modules["__main__"]).setdefault("__file__", str(PROJECT / "run.py"))
REAL = Path(os.environ.get("BAAC_FOLDER", PROJECT.parent / "shared" / "data" / "baac"))


@pytest.fixture(scope="session")
def real_baac() -> Path:
    """Folder with one folder a year of real BAAC files; the test is skipped where there is none."""
    if not (REAL / "2024").is_dir():
        pytest.skip(f"no real BAAC files at {REAL} (set BAAC_FOLDER)")
    return REAL


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return PROJECT
