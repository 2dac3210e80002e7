"""Runs, experiments, models and credentials of others, in the environment or in this process, stay as they are."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run

from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import single_model_training
from tracking.connection import Connection, connect
from tracking.registration import record_and_register
from tracking.tracking_uri import TrackingTarget, embedded_target

pytestmark = pytest.mark.slow
SETTINGS = TrackingSettings()


@dataclass(frozen=True)
class Stranger:
    """A run with a logged model in another experiment of the same store."""

    target: TrackingTarget
    client: mlflow.MlflowClient
    experiment: str
    run: str
    model: str

    def state(self) -> tuple[dict[str, Any], dict[str, Any], int]:
        run, model = self.client.get_run(self.run), self.client.get_logged_model(self.model)
        return run.to_dictionary(), model.to_dictionary(), len(self.client.search_runs([self.experiment]))


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    target = embedded_target(TrackingSettings(folder=tmp_path))
    with connect(SETTINGS, target) as connection:
        client = connection.client
        experiment = client.create_experiment("of-a-stranger", artifact_location=target.artifacts)
        run = client.create_run(experiment, run_name="theirs")
        model = client.create_logged_model(experiment, name="theirs")
    return Stranger(target, client, experiment, run.info.run_id, model.model_id)


def train(stranger: Stranger) -> tuple[Connection, list[Run]]:
    with connect(SETTINGS, stranger.target) as connection:
        record_and_register(connection, single_model_training("lightgbm"), SETTINGS)
        return connection, list(connection.client.search_runs([connection.experiment_id]))


def test_a_training_makes_runs_of_its_own(stranger: Stranger, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "MLFLOW_RUN_ID": stranger.run,
        "MLFLOW_EXPERIMENT_ID": stranger.experiment,
        "MLFLOW_EXPERIMENT_NAME": "another-name",
        "MLFLOW_ACTIVE_MODEL_ID": stranger.model,
        "MLFLOW_REGISTRY_URI": "http://127.0.0.1:9",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "true",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = stranger.state()
    connection, runs = train(stranger)
    assert stranger.state() == before
    assert {run.info.run_name for run in runs} == {"LightGBM", single_model_training("lightgbm").name}
    assert {run.info.status for run in runs} == {"FINISHED"}
    models = connection.client.search_logged_models([connection.experiment_id])
    assert {model.source_run_id for model in models} <= {run.info.run_id for run in runs}
    assert {name: os.environ[name] for name in variables} == variables


@pytest.mark.parametrize("run_id", [pytest.param("0" * 32, marks=pytest.mark.long), "not an id"])
def test_a_run_id_that_does_not_exist_stops_nothing(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch, run_id: str
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    assert len(train(stranger)[1]) == 2


@pytest.mark.long
def test_an_active_run_of_the_caller_stays_active_and_unchanged(stranger: Stranger) -> None:
    mlflow.set_tracking_uri(stranger.target.uri)
    with mlflow.start_run(run_id=stranger.run) as theirs:
        before = stranger.state()
        _, runs = train(stranger)
        assert stranger.state() == before
        assert mlflow.active_run() is theirs
    assert not any(run.data.tags.get("mlflow.parentRunId") == stranger.run for run in runs)


@pytest.mark.long
def test_the_tracking_uri_of_the_caller_is_restored(stranger: Stranger, tmp_path: Path) -> None:
    theirs = f"sqlite:///{tmp_path}/theirs.db"
    mlflow.set_tracking_uri(theirs)
    with connect(SETTINGS, stranger.target):
        assert mlflow.get_tracking_uri() == stranger.target.uri
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == (theirs, theirs)


def test_credentials_of_a_target_are_not_mixed_with_those_of_another(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "theirs")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "theirs")
    own = TrackingTarget(stranger.target.uri, "tests", stranger.target.artifacts, {"MLFLOW_TRACKING_PASSWORD": "ours"})
    with connect(SETTINGS, own):
        inside = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_TRACKING_")}
    assert inside == {"MLFLOW_TRACKING_URI": own.uri, "MLFLOW_TRACKING_PASSWORD": "ours"}
