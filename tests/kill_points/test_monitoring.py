"""Monitoring, retraining, decisions and publication, killed at random moments: the next command ends what was begun."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.bundle.publication import fetch_model
from accidents.configuration.serving import RecordSettings
from accidents.configuration.stages import ARCHIVED, PRODUCTION
from accidents.sample.writer import write_sample
from serving.records.database import open_database
from serving.records.retrainings import WAITING, list_retrainings, set_state, start_retraining
from tests.kill_points.harness import Commands, kill_again_and_again
from tests.kill_points.leftovers import assert_nothing_is_left, temporary_files
from tests.kill_points.test_registry import NAME, register_trained
from tests.pipelines.conftest import configure, small_tracked_training
from tests.tracking.helpers import consistent_stages, transition_to
from tracking import ledger
from tracking.names import registered_name
from tracking.registry import Registry

pytestmark = pytest.mark.long

TRAINED = registered_name("logistic_regression")
EVERY_MODEL_IS_GOOD = {
    "accidents_at_least": 50,
    "floors": dict.fromkeys(("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy"), 0.0),
    "ceilings": {"brier": 1.0, "ece": 1.0},
    "guards": {"ece_worse_by_at_most": 1.0, "worst_department_worse_by_at_most": 1.0},
    "improvement": {"at_least": -1.0},
}


def stored(commands: Commands, query: str) -> list[tuple[object, ...]]:
    """Rows of the database of the service, which is whole."""
    with sqlite3.connect(commands.folder / "serving.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return database.execute(query).fetchall()


def test_killed_monitorings_leave_whole_reports_and_are_stored_once(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    options = small_tracked_training(commands.folder) + configure(commands.folder, monitoring={"pictures": 0})
    commands.run("--training", *options)
    write_sample(commands.folder / "2023", accidents=1000, year=2023)
    model = commands.folder / "models" / "logistic_regression_model.zip"
    arguments = ["--monitoring", "--no-cache", "--model-path", str(model), "--source", str(commands.folder / "2023")]
    for _ in range(2):
        commands.run(*arguments, *options)
    result = commands.folder / "reports" / "monitoring" / "monitoring.json"
    expected = result.read_bytes()

    def attempt(random: np.random.Generator) -> bool:
        before = len(stored(commands, "SELECT id FROM monitorings"))
        ended = commands.kill(random, *arguments, *options)
        after = len(stored(commands, "SELECT id FROM monitorings"))
        assert after - before in ({0, 1} if ended.was_killed else {1})
        assert result.read_bytes() == expected
        commands.run(*arguments, *options)
        assert len(stored(commands, "SELECT id FROM monitorings")) == after + 1
        assert all(json.loads(str(row[0])) for row in stored(commands, "SELECT result FROM monitorings"))
        assert temporary_files(commands.folder) == []
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "monitoring", 5, attempt)


def test_a_killed_retraining_is_ended_by_the_next_and_promotes_once(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    options = small_tracked_training(commands.folder) + configure(
        commands.folder,
        promotion=EVERY_MODEL_IS_GOOD,
        monitoring={"retraining": {"days_at_most": 1e-6, "cool_down_days": 1, "approved_candidate": PRODUCTION}},
    )
    commands.run("--training", *options)
    commands.run("registry", "promote", "--model-name", TRAINED, "--version", "1")
    commands.run("registry", "retrainings")  # migrates the database
    engine = open_database(RecordSettings())
    year = commands.folder / "2023"

    def retrain(seed: int) -> list[str]:
        write_sample(year, accidents=1500, year=2023, seed=seed)
        stored(commands, "DELETE FROM retrainings")  # and the cool-down with them
        return ["retrain", "--model-name", TRAINED, "--source", str(year), *options]

    commands.run(*retrain(0))
    commands.run(*retrain(1))

    def attempt(random: np.random.Generator) -> bool:
        before = registry.in_stage(TRAINED, PRODUCTION).version
        arguments = retrain(int(random.integers(2, 10**6)))
        ended = commands.kill(random, *arguments)
        commands.run(*arguments)
        commands.run(*arguments)
        (event,) = list_retrainings(engine)
        assert event.state == PRODUCTION
        stages = consistent_stages(registry, TRAINED)
        assert stages[before] == ARCHIVED
        assert [number for number, stage in stages.items() if stage == PRODUCTION] == [event.version]
        promoted = [one for one in ledger.read_entries(registry.connection, TRAINED) if one.action == "promote"]
        assert [one.version for one in promoted].count(str(event.version)) == 1
        assert temporary_files(commands.folder) == []
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "retrain", 5, attempt)
    engine.dispose()


def test_a_killed_approval_is_ended_by_the_next(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    for _ in range(2):
        register_trained(registry)
    transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
    commands.run("keys", "list")  # migrates the database
    engine = open_database(RecordSettings())

    def approve(number: int) -> list[str]:
        event = f"lightgbm-1-{number:08x}"
        start_retraining(engine, event, NAME, ["the label has changed"])
        set_state(engine, event, WAITING, ["better"], version="2")
        return ["registry", "approve", event, "--reason", "seen"]

    for number in range(2):
        commands.run(*approve(number))
        transition_to(registry, registry.version(NAME, "1"), PRODUCTION)

    def attempt(random: np.random.Generator) -> bool:
        arguments = approve(int(random.integers(2, 10**6)))
        before = len(ledger.read_entries(registry.connection, NAME))
        ended = commands.kill(random, *arguments)
        if list_retrainings(engine)[0].state == WAITING:
            commands.run(*arguments)
        assert list_retrainings(engine)[0].state == PRODUCTION
        assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION}
        new = ledger.read_entries(registry.connection, NAME)[before:]
        assert sum("approved by a person: seen" in entry.reasons for entry in new) == 1
        assert_nothing_is_left(registry)
        transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
        return ended.was_killed

    kill_again_and_again(request, "approve", 8, attempt)
    engine.dispose()


def test_a_killed_publication_leaves_a_whole_model(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    for _ in range(2):
        register_trained(registry)
    published, cache = commands.folder / "published", commands.folder / "fetched"
    arguments = ("registry", "publish", "--to", str(published))

    def holds(version: str) -> None:
        transition_to(registry, registry.version(NAME, version), PRODUCTION)

    def version_published() -> str:
        fetched = fetch_model(str(published), cache)
        Bundle.load(fetched.model_file)
        return str(fetched.published.version)

    for version in ("1", "2"):
        holds(version)
        commands.run(*arguments)

    def attempt(random: np.random.Generator) -> bool:
        before = version_published()
        other = "1" if before == "2" else "2"
        holds(other)
        ended = commands.kill(random, *arguments)
        assert version_published() in {before, other}
        commands.run(*arguments)
        assert version_published() == other
        assert temporary_files(published) == []
        return ended.was_killed

    kill_again_and_again(request, "publish", 8, attempt)


def test_a_killed_schedule_leaves_whole_files(
    request: pytest.FixtureRequest, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".config" / "systemd" / "user"

    def arguments(hour: int) -> list[str]:
        own = ["retrain", "--cron", f"0 {hour} * * *", "--as", "systemd", "--", "--model-name", "lightgbm"]
        return ["schedule", *own]

    def written() -> dict[str, str]:
        return {path.name: path.read_text() for path in folder.iterdir()}

    expected = []
    for hour in (3, 4):
        commands.run(*arguments(hour))
        expected.append(written())

    def attempt(random: np.random.Generator) -> bool:
        hour = int(random.integers(2))
        ended = commands.kill(random, *arguments(3 + hour))
        assert all(text in {one[name] for one in expected} for name, text in written().items() if name[0] != ".")
        commands.run(*arguments(3 + hour))
        assert written() == expected[hour]
        return ended.was_killed

    kill_again_and_again(request, "schedule", 8, attempt)
