"""Commands that write to the database of the service, killed at random moments."""

import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from accidents.configuration.serving import RecordSettings
from serving.records.database import open_database
from serving.records.prediction_log import PredictionLog
from tests.kill_points.harness import Commands, kill_again_and_again
from tests.serving.records.prediction_records import count, prediction_record

pytestmark = pytest.mark.long


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


def test_killed_revocations_revoke_one_key_or_none(request: pytest.FixtureRequest, commands: Commands) -> None:
    kept = commands.run("keys", "create", "--name", "kept", "--role", "admin").out.strip()[4:12]
    first = commands.run("keys", "create", "--name", "x", "--role", "predict").out.strip()[4:12]
    commands.run("keys", "revoke", first)

    def active() -> set[str]:
        with sqlite3.connect(commands.folder / "serving.db") as database:
            return {row[0] for row in database.execute("SELECT id FROM api_keys WHERE revoked_at IS NULL")}

    def attempt(random: np.random.Generator) -> bool:
        key = commands.run("keys", "create", "--name", "x", "--role", "predict").out.strip()[4:12]
        ended = commands.kill(random, "keys", "revoke", key)
        assert active() in ({kept}, {kept, key})
        if ended.code == 0 or "revoked" in ended.out:
            assert active() == {kept}
        elif key in active():
            commands.run("keys", "revoke", key)
        assert active() == {kept}
        return ended.was_killed

    kill_again_and_again(request, "revoke", 20, attempt)


def test_killed_deletions_and_exports_of_predictions_leave_the_young_ones(
    request: pytest.FixtureRequest, commands: Commands
) -> None:
    commands.run("predictions", "count")
    engine = open_database(RecordSettings())
    target = commands.folder / "exported.jsonl"
    now = datetime.now(UTC)

    def add(number: int, at: datetime) -> None:
        log = PredictionLog(engine, RecordSettings(inputs="full"))
        log.add([prediction_record(one, at=at) for one in range(number)])
        assert log.close(60)

    add(5, now)
    commands.run("predictions", "prune", "--days", "10")

    def attempt(random: np.random.Generator) -> bool:
        add(200, now - timedelta(days=20))
        ended = commands.kill(random, "predictions", "prune", "--days", "10")
        assert 5 <= count(engine) <= 205
        target.write_text("old\n")
        commands.kill(random, "predictions", "export", "--output", str(target))
        assert target.read_text() == "old\n" or len(target.read_text().splitlines()) == count(engine)
        commands.run("predictions", "prune", "--days", "10")
        assert count(engine) == 5
        return ended.was_killed

    kill_again_and_again(request, "predictions", 10, attempt)
    engine.dispose()
