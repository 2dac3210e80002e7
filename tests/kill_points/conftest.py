"""Commands of a test with databases of their own, and the registry that they write to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from accidents.configuration.tracking import TrackingSettings
from serving.environment import DATABASE_URL_ENV
from tests.kill_points.harness import Commands
from tracking.connection import connect
from tracking.registry import Registry
from tracking.tracking_uri import TrackingTarget


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Commands with an MLflow database and a database of the service of their own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(DATABASE_URL_ENV, f"sqlite:///{tmp_path}/serving.db")
    monkeypatch.delenv("ZENML_ACTIVE_STACK_ID", raising=False)
    return Commands(tmp_path)


@pytest.fixture
def registry(commands: Commands) -> Iterator[Registry]:
    target = TrackingTarget(os.environ["MLFLOW_TRACKING_URI"], "tests", None)
    with connect(TrackingSettings(), target) as connection:
        yield Registry(connection)
