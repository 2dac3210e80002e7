"""`run.py prune`: what old trainings leave is deleted, and what a version that stays needs is kept."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accidents.configuration.stages import PRODUCTION
from accidents.configuration.tracking import PruningSettings, TrackingSettings
from cli.main import main
from tests.pipelines.conftest import configure
from tests.tracking.helpers import NAME, delete_all_models, single_model_training, transition_to
from tracking.connection import connect
from tracking.pruning import find_expired
from tracking.registration import record_and_register
from tracking.registry import Registry
from tracking.tracking_uri import embedded_target

pytestmark = pytest.mark.slow


def test_old_trainings_go_and_those_of_kept_versions_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SERVING_DATABASE_URL", f"sqlite:///{tmp_path}/serving.db")
    mlruns = tmp_path / "mlruns"
    options = configure(
        tmp_path,
        tracking={"folder": str(mlruns), "pruning": {"keep_latest": 1, "older_than_days": 0}},
        training={"models_folder": str(tmp_path / "models")},
    )
    settings = TrackingSettings(folder=mlruns)
    with connect(settings, embedded_target(settings)) as connection:
        delete_all_models(connection)
        for _ in range(3):
            record_and_register(connection, single_model_training("lightgbm"), TrackingSettings())
        registry = Registry(connection)
        transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
        expired = find_expired(registry, PruningSettings(keep_latest=1, older_than_days=0), datetime.now(UTC))
        assert [one.version for one in expired.versions] == ["2"]
        assert len(expired.runs) == 2  # of the training, and of its model
        later = PruningSettings(keep_latest=1, older_than_days=1)
        assert find_expired(registry, later, datetime.now(UTC)).runs == []
        assert len(find_expired(registry, later, datetime.now(UTC) + timedelta(days=2)).runs) == 2

    files = sum(path.is_file() for path in mlruns.rglob("*"))
    assert main(["prune", "--dry-run", *options]) == 0
    assert "nothing was deleted" in capsys.readouterr().out
    assert sum(path.is_file() for path in mlruns.rglob("*")) == files

    old_copy = tmp_path / "cache" / "accidents" / "code" / "0123"
    old_copy.mkdir(parents=True)
    os.utime(old_copy, (0, 0))
    assert main(["prune", "--yes", *options]) == 0
    assert "deleted" in capsys.readouterr().out
    assert not old_copy.exists()
    assert sum(path.is_file() for path in mlruns.rglob("*")) < 0.75 * files
    with connect(settings, embedded_target(settings)) as connection:
        registry = Registry(connection)
        assert [one.version for one in registry.versions(NAME)] == ["3", "1"]
        for version in registry.versions(NAME):
            assert registry.load_bundle(version).model_type == "lightgbm"
            connection.client.get_run(version.run_id)
    assert main(["prune", "--yes", *options]) == 0
    assert "nothing to delete" in capsys.readouterr().out
