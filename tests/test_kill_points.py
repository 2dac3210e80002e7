"""Every writing command, killed at random moments: the next command finds a state that is whole, and is not refused."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from accidents.bundle import Bundle
from accidents.configuration.stages import ARCHIVED, PRODUCTION, STAGING
from accidents.configuration.tracking import TrackingSettings
from serving.environment import DATABASE_URL_ENV
from tests.kill_points import Commands, kill_again_and_again
from tests.pipelines.conftest import small_tracked_training
from tests.tracking.helpers import consistent_stages, register_version, transition_to
from tests.trained import small_models
from tracking import ledger
from tracking.connection import connect
from tracking.names import registered_name
from tracking.registry import Registry
from tracking.service_processes import MARKER
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.long

NAME = registered_name("lightgbm")
TRAINED = registered_name("logistic_regression")
ON_MLFLOW = ("--stack", "local-mlflow")


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Commands with an MLflow database and a database of the service of their own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv(DATABASE_URL_ENV, f"sqlite:///{tmp_path}/serving.db")
    monkeypatch.delenv("ZENML_ACTIVE_STACK_ID", raising=False)
    return Commands(tmp_path)


@pytest.fixture
def registry(commands: Commands) -> Iterator[Registry]:
    target = TrackingTarget(os.environ["MLFLOW_TRACKING_URI"], "tests", None)
    with connect(TrackingSettings(), target) as connection:
        yield Registry(connection)


def assert_nothing_is_left(registry: Registry) -> None:
    """No lock, no MLflow run that is RUNNING, no ZenML run that runs."""
    from zenml.client import Client

    client = registry.connection.client
    assert [model.name for model in client.search_registered_models() if ".lock" in model.name] == []
    experiments = [one.experiment_id for one in client.search_experiments()]
    assert client.search_runs(experiments, "attributes.status = 'RUNNING'") == []
    unfinished = Client().list_pipeline_runs(status='oneof:["initializing", "provisioning", "running"]').items
    assert [run.name for run in unfinished] == []


def temporary_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*.tmp") if "mlruns" not in path.parts]


def test_killed_changes_of_stages_block_nothing_and_are_repaired(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    model = ("--model-name", NAME)
    for _ in range(3):
        transition_to(registry, register_version(registry.connection, NAME), PRODUCTION)
    for _ in range(2):
        commands.run("registry", "promote", *model, "--version", "1")  # the second time libraries are on no cold disk
        commands.run("registry", "rollback", *model)

    def attempt(random: np.random.Generator) -> bool:
        held = registry.in_stage(NAME, PRODUCTION).version
        others = [one for one in registry.versions(NAME) if one.version != held]
        if len(others) < 3:
            others.append(register_version(registry.connection, NAME))
        number = str(random.choice([one.version for one in others]))
        stage = str(random.choice([one for one in (STAGING, ARCHIVED) if one != registry.version(NAME, number).stage]))
        changes = {
            "promote": ["--version", number],
            "rollback": [],
            "transition": ["--version", number, "--stage", stage],
            "delete-version": ["--version", number, "--yes"],
            "check": [],
        }
        action = str(random.choice(list(changes)))
        chosen = changes[action] if action == "check" else [*model, *changes[action]]
        ended = commands.kill(random, "registry", action, *chosen)
        _next_change_is_not_refused(commands, registry, random)
        commands.run("registry", "check")
        consistent_stages(registry, NAME)
        history = ledger.production_history(ledger.read_entries(registry.connection, NAME))
        assert history[-1] == registry.in_stage(NAME, PRODUCTION).version
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "registry", 100, attempt)


def _next_change_is_not_refused(commands: Commands, registry: Registry, random: np.random.Generator) -> None:
    """A promotion, and the rollback of it, directly after the kill."""
    held = registry.in_stage(NAME, PRODUCTION).version
    number = next(one.version for one in registry.versions(NAME) if one.version != held)
    for action in (["promote", "--version", number], ["rollback"]):
        ended = commands.run("registry", *action, "--model-name", NAME)
        assert "waiting" not in ended.err
    assert registry.in_stage(NAME, PRODUCTION).version == held


def test_every_valid_key_was_shown(request: pytest.FixtureRequest, commands: Commands) -> None:
    shown: set[str] = set()
    for name in ("first", "second"):
        shown.add(commands.run("keys", "create", "--name", name, "--role", "admin").out.strip()[4:12])

    def attempt(random: np.random.Generator) -> bool:
        ended = commands.kill(random, "keys", "create", "--name", f"key {len(shown)}", "--role", "predict")
        if ended.out.endswith("\n"):
            shown.add(ended.out.strip()[4:12])
        listed = commands.run("keys", "list").out
        with sqlite3.connect(commands.folder / "serving.db") as database:
            stored = {row[0] for row in database.execute("SELECT id FROM api_keys")}
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert stored <= shown
        assert all(key in listed for key in stored)
        if ended.code == 0:
            assert ended.out.strip()[4:12] in stored
        return ended.was_killed

    kill_again_and_again(request, "keys", 60, attempt)


def test_killed_scoring_leaves_the_old_output_or_the_new_one(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    from accidents.sample.writer import write_sample

    folder = commands.folder / "scores"
    folder.mkdir()
    model, output = commands.folder / "lightgbm_model.zip", folder / "scores.csv"
    small_models()["lightgbm"].trained.bundle.save(model)
    write_sample(commands.folder / "2023", accidents=2000, year=2023, seed=1)
    arguments = ["--inference", "--no-cache", "--model-path", str(model), "--input", str(commands.folder / "2023")]
    arguments += ["--output", str(output)]
    for _ in range(2):
        commands.run(*arguments)
    expected = output.read_bytes()

    def attempt(random: np.random.Generator) -> bool:
        old = random.choice([b"old\n", expected])
        output.write_bytes(old)
        ended = commands.kill(random, *arguments)
        assert output.read_bytes() in (old, expected)
        commands.run(*arguments)
        assert output.read_bytes() == expected
        assert temporary_files(folder) == []
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "inference", 20, attempt)


def test_killed_trainings_leave_whole_models_and_no_running_runs(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    arguments = ("--training", "--no-cache", *small_tracked_training(commands.folder))
    for _ in range(2):
        commands.run(*arguments)
    models = commands.folder / "models"

    def attempt(random: np.random.Generator) -> bool:
        ended = commands.kill(random, *arguments)
        for file in models.glob("*_model.zip"):
            Bundle.load(file)
        before = len(registry.versions(TRAINED))
        commands.run(*arguments)
        assert len(registry.versions(TRAINED)) == before + 1
        commands.run("registry", "check")
        consistent_stages(registry, TRAINED)
        for version in registry.versions(TRAINED)[:2]:
            registry.load_bundle(version)
        assert temporary_files(commands.folder) == []
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "training", 15, attempt)


def service_processes() -> set[int]:
    """Ids of all processes of services that these tests have deployed."""
    found = set()
    for process in psutil.process_iter():
        try:
            if os.environ["ZENML_LOCAL_STORES_PATH"] in process.environ().get(MARKER, ""):
                found.add(process.pid)
        except psutil.Error:
            continue
    return found


def test_no_model_answers_that_nobody_knows(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    options = small_tracked_training(commands.folder)
    for _ in range(2):
        commands.run("--training", "--no-cache", *options)
    commands.run("registry", "promote", "--model-name", TRAINED, "--version", "1")
    commands.run("stack", "register", "local-mlflow")
    deploy = ("--deployment", "--model-name", TRAINED, *ON_MLFLOW, *options)
    address = _address(commands.run(*deploy).out)
    commands.run(*deploy)

    def attempt(random: np.random.Generator) -> bool:
        ended = commands.kill(random, *deploy, "--version", str(random.integers(1, 3)))
        status = commands.run("--deployment", "--status", *ON_MLFLOW).out
        running = service_processes()
        assert not running or any(f"(process {pid})" in status for pid in running), status
        if random.random() < 0.5:
            stopped = commands.run("--deployment", "--stop", *ON_MLFLOW).out
            assert not running or "stopped" in stopped
            assert service_processes() == set()
            assert "nothing is deployed" in commands.run("--deployment", "--status", *ON_MLFLOW).out
        assert _address(commands.run(*deploy).out) == address
        assert commands.run("--deployment", "--status", *ON_MLFLOW).out.count(" answers ") == 1
        assert_nothing_is_left(registry)
        return ended.was_killed

    try:
        kill_again_and_again(request, "deployment", 10, attempt)
    finally:
        commands.run("--deployment", "--stop", *ON_MLFLOW)
        shutil.rmtree(commands.folder / "data", ignore_errors=True)
    assert service_processes() == set()


def _address(text: str) -> Any:
    return next(word for word in text.split() if word.startswith("http://"))
