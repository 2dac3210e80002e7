"""Tracking target, its credentials, and errors where MLflow does not answer."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.redaction import redact_credentials
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import ConfigurationError
from scripts.team.processes import free_port
from tracking.connection import connect
from tracking.errors import TrackingError
from tracking.tracking_uri import TrackingTarget, embedded_target, resolve_target

CONFIGURED = TrackingSettings.model_validate({"mlflow": {"tracking_uri": "http://configured:5000"}})
NOTHING = TrackingSettings()
STACK = TrackingTarget("http://stack:5000", "stack team", environment={"MLFLOW_TRACKING_PASSWORD": "hush"})
ENVIRONMENT = {"MLFLOW_TRACKING_URI": "http://environment:5000", "DAGSHUB_REPO": "ann/roads"}
HUB = {"DAGSHUB_REPO": "ann/roads", "DAGSHUB_TOKEN": "hush"}


@pytest.mark.parametrize(
    ("environment", "tracker", "settings", "uri"),
    [
        (ENVIRONMENT, None, CONFIGURED, "http://environment:5000"),
        (HUB, None, CONFIGURED, "https://dagshub.com/ann/roads.mlflow"),
        ({}, STACK, CONFIGURED, "http://stack:5000"),
        ({}, None, CONFIGURED, "http://configured:5000"),
        ({}, None, NOTHING, embedded_target(NOTHING).uri),
        ({"MLFLOW_TRACKING_URI": "http://stack:5000/"}, STACK, CONFIGURED, "http://stack:5000/"),
    ],
)
def test_the_first_configured_target_is_used(
    environment: dict[str, str], tracker: TrackingTarget | None, settings: TrackingSettings, uri: str
) -> None:
    assert resolve_target(settings, tracker, environment).uri == uri


def test_a_relative_database_has_an_absolute_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configured = TrackingSettings.model_validate({"mlflow": {"tracking_uri": "sqlite:///ml.db"}})
    assert resolve_target(configured, None, {}).uri == f"sqlite:///{PROJECT_ROOT}/ml.db"
    assert (
        resolve_target(NOTHING, None, {"MLFLOW_TRACKING_URI": "sqlite:///ml.db"}).uri == f"sqlite:///{tmp_path}/ml.db"
    )


def test_a_folder_whose_name_has_a_question_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="question mark"):
        embedded_target(TrackingSettings(folder=tmp_path / "really?"))


@pytest.mark.parametrize("environment", [ENVIRONMENT, HUB])
def test_two_different_servers_are_refused_and_both_named(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="http://stack:5000") as error:
        resolve_target(NOTHING, STACK, environment)
    assert str(resolve_target(NOTHING, None, environment)) in str(error.value)
    assert "team" in str(error.value)


@pytest.mark.parametrize("repository", ["ann", "ann/", "/roads", "ann/roads/more", "ann/my roads"])
def test_a_dagshub_repository_is_a_user_and_a_name(repository: str) -> None:
    with pytest.raises(ConfigurationError, match="user/repo"):
        resolve_target(NOTHING, None, {"DAGSHUB_REPO": repository})


def test_credentials_come_from_the_environment_and_are_never_shown() -> None:
    own = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "secret"}
    for given, expected in ((HUB, ("hush", "hush")), (HUB | own, ("ann", "secret"))):
        found = resolve_target(NOTHING, None, given)
        assert tuple(found.environment[name] for name in own) == expected
        assert not any(word in f"{found} {found!r}" for word in ("hush", "secret"))
    assert "hush" not in f"{resolve_target(NOTHING, STACK, {})!r} {STACK!r}"
    named = resolve_target(NOTHING, None, {"MLFLOW_TRACKING_URI": "https://ann:secret@host:5000/mlflow"})
    assert str(named) == "https://host:5000/mlflow (MLFLOW_TRACKING_URI)"
    assert redact_credentials("postgresql://h/db?user=ann&password=secret") == "postgresql://h/db?user=ann&password=…"
    assert redact_credentials("sqlite:////home/ann@sea/mlflow.db") == "sqlite:////home/ann@sea/mlflow.db"


@pytest.mark.slow
def test_the_environment_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "before")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD", raising=False)
    before = dict(os.environ)
    to = embedded_target(TrackingSettings(folder=tmp_path))
    login = {"MLFLOW_TRACKING_USERNAME": "inside", "MLFLOW_TRACKING_PASSWORD": "hush"}
    with connect(NOTHING, TrackingTarget(to.uri, "tests", to.artifacts, login)):
        assert os.environ["MLFLOW_TRACKING_USERNAME"] == "inside"
    assert dict(os.environ) == before
    with pytest.raises(KeyError), connect(NOTHING, to):
        raise KeyError
    assert dict(os.environ) == before


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening.getsockname()[1]


def refused(uri: str, settings: TrackingSettings = NOTHING) -> str:
    begun = time.monotonic()
    with pytest.raises(TrackingError) as error, connect(settings, TrackingTarget(uri, "tests")):
        pass
    assert time.monotonic() - begun < 30
    assert "--allow-untracked" in str(error.value)
    assert "secret" not in str(error.value)
    return str(error.value)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["http://ann:secret@127.0.0.1:{}", "postgresql://ann:secret@127.0.0.1:{}/db"])
def test_a_server_that_is_down_is_reported_at_once(kind: str) -> None:
    port = free_port()
    assert str(port) in refused(kind.format(port))


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["http://ann:secret@127.0.0.1:{}", "postgresql://ann:secret@127.0.0.1:{}/db"])
def test_a_server_that_never_answers_times_out(kind: str, silent: int) -> None:
    assert str(silent) in refused(kind.format(silent), TrackingSettings(timeout_seconds=2))


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["http://127.0.0.1:{}", "postgresql://127.0.0.1:{}/db"])
def test_the_default_timeout_is_under_half_a_minute(kind: str, silent: int) -> None:
    refused(kind.format(silent))


def corrupted(folder: Path) -> None:
    (folder / "mlflow.db").write_bytes(b"no database, but long enough to be looked at" * 100)


def a_folder(folder: Path) -> None:
    (folder / "mlflow.db").mkdir()


def half_gone(folder: Path) -> None:
    with connect(NOTHING, embedded_target(TrackingSettings(folder=folder))):
        pass
    whole = (folder / "mlflow.db").read_bytes()
    (folder / "mlflow.db").write_bytes(whole[: len(whole) // 3])


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("harm", [corrupted, a_folder, half_gone])
def test_a_broken_database_is_refused_at_once(tmp_path: Path, harm: Any) -> None:
    harm(tmp_path)
    assert "mlflow.db" in refused(embedded_target(TrackingSettings(folder=tmp_path)).uri)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("no folder")
    assert "mlruns" in refused(embedded_target(TrackingSettings(folder=tmp_path / "mlruns")).uri)


@pytest.mark.slow
def test_a_deleted_experiment_is_reported_with_the_remedy(tmp_path: Path) -> None:
    to = embedded_target(TrackingSettings(folder=tmp_path))
    with connect(NOTHING, to) as connection:
        connection.client.delete_experiment(connection.experiment_id)
    with pytest.raises(TrackingError, match="mlflow experiments restore --experiment-id"), connect(NOTHING, to):
        pass
