"""`python run.py keys` and `python run.py predictions`, for people and scripts."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from accidents.configuration.serving import RecordSettings
from cli.main import main
from serving.auth.api_keys import list_keys
from serving.auth.key_cache import KeyCache
from serving.auth.roles import Caller, KeyRejection, Role
from serving.environment import DATABASE_URL_ENV
from serving.records.prediction_log import PredictionLog
from tests.serving.records.prediction_records import count, prediction_records

pytestmark = [pytest.mark.slow, pytest.mark.traced]

RunCommand = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_command(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Types a command; its exit code, and what stands on both outputs."""
    monkeypatch.setenv(DATABASE_URL_ENV, database_url)

    def run(command: str, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([command, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def as_json(answer: tuple[int, str, str]) -> Any:
    code, out, err = answer
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_key_that_cannot_be_printed_is_not_valid(engine: Engine, database_url: str, project: Path) -> None:
    command = [sys.executable, "run.py", "keys", "create", "--name", "x", "--role", "admin"]
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(command, cwd=project, env=os.environ | {DATABASE_URL_ENV: database_url}, stdout=full)
    assert process.returncode != 0
    assert list_keys(engine) == []


def test_keys_create_prints_the_key_once(run_command: RunCommand, engine: Engine) -> None:
    code, out, err = run_command("keys", "create", "--name", "control room [1]", "--role", "evaluate")
    assert code == 0
    key = out.removesuffix("\n")
    key_cache = KeyCache(engine, 600)
    caller = key_cache.verify(key)
    assert isinstance(caller, Caller)
    assert (caller.name, caller.role) == ("control room [1]", Role.EVALUATE)
    assert "not shown again" in err
    assert key not in err
    code, listed, _ = run_command("keys", "list")
    assert key not in listed
    assert all(text in listed for text in (caller.id, "control room [1]", "evaluate", "never", "active"))
    code, output, _ = run_command("keys", "revoke", caller.id)
    assert code == 0
    assert output == (
        f"{caller.id} (control room [1]) is revoked; a running service refuses it within 2 s, "
        "or 302 s if it cannot reach the database\n"
    )
    key_cache.refresh()
    assert key_cache.verify(key) == KeyRejection.REVOKED
    key_cache.close()


def test_json_output(run_command: RunCommand) -> None:
    made = as_json(run_command("keys", "create", "--json", "--name", "x", "--role", "admin", "--days", "1.5"))
    assert made["key"].startswith(f"acc_{made['id']}_")
    assert made["expires"] > made["created"]
    (key,) = as_json(run_command("keys", "list", "--json"))
    assert key == {name: value for name, value in made.items() if name != "key"}
    assert key["state"] == "active"
    revoked = as_json(run_command("keys", "revoke", made["id"], "--json"))
    assert revoked["state"] == "revoked"
    assert as_json(run_command("keys", "list", "--json")) == [revoked]


def test_predictions_are_counted_exported_and_deleted(run_command: RunCommand, engine: Engine, tmp_path: Path) -> None:
    empty = {"predictions": 0, "first": None, "last": None, "outcomes": 0}
    assert as_json(run_command("predictions", "count", "--json")) == empty
    assert run_command("predictions", "count")[1].startswith("0 predictions;")
    log = PredictionLog(engine, RecordSettings())
    log.add(prediction_records(range(1234)))
    assert log.close(60)
    assert as_json(run_command("predictions", "count", "--json"))["predictions"] == 1234
    assert run_command("predictions", "count")[1].startswith("1,234 predictions, 20")
    target = tmp_path / "out.jsonl"
    assert as_json(run_command("predictions", "export", "--output", str(target), "--json")) == {
        "predictions": 1234,
        "file": str(target),
    }
    assert len(target.read_text().splitlines()) == 1234
    assert run_command("predictions", "export", "--output", str(target), "--since", "2999-01-31T08:00")[0] == 0
    assert target.read_text() == ""
    assert run_command("predictions", "prune")[1].startswith("deleted 0 predictions made before 20")
    assert run_command("predictions", "prune", "--days", "0", "--dry-run")[1].startswith(
        "would delete 1,234 predictions"
    )
    assert count(engine) == 1234
    pruned = as_json(run_command("predictions", "prune", "--days", "0", "--json"))
    assert (pruned["predictions"], pruned["deleted"]) == (1234, True)
    assert count(engine) == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("keys create --name x", "--role"),
        ("keys create --name x --role owner", "not one of 'predict', 'evaluate', 'admin'"),
        ("keys create --name x --role admin --days 0", "must be a number above 0"),
        ("keys create --name x --role admin --days nan", "must be a number above 0"),
        ("keys revoke acc_x", "8 hexadecimal digits"),
        ("keys list --config nowhere.yaml", "nowhere.yaml: cannot be read"),
        ("keys", "COMMAND"),
        ("predictions prune --days soon", "must be a number from 0"),
        ("predictions export --output x.csv", "must end in .jsonl or .parquet"),
        ("predictions export --output x.jsonl --since yesterday", "write a day"),
    ],
)
def test_invalid_arguments_exit_with_2(run_command: RunCommand, command: str, message: str) -> None:
    code, out, err = run_command(*command.split())
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_unknown_key_and_database_exit_with_1(
    run_command: RunCommand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, _, err = run_command("keys", "revoke", "0123abcd")
    assert (code, err) == (1, "error: no API key has the id 0123abcd; python run.py keys list shows all keys\n")
    (tmp_path / "file").touch()
    monkeypatch.setenv(DATABASE_URL_ENV, f"sqlite:///{tmp_path}/file/serving.db")
    code, _, err = run_command("predictions", "count")
    assert code == 1
    assert "make it writable, or name another database" in err


def test_configuration_files_are_used(run_command: RunCommand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(DATABASE_URL_ENV)
    config = tmp_path / "serving.yaml"
    url = f"sqlite:///{tmp_path}/mine/serving.db"
    config.write_text(f"pipeline: serving\nrecords: {{database_url: '{url}', refresh_seconds: 7}}\n")
    made = as_json(
        run_command(
            "keys", "create", "--config", str(config), "--json", "--name", "x", "--role", "predict", "--days", "1"
        )
    )
    assert (tmp_path / "mine" / "serving.db").is_file()
    assert "within 7 s" in run_command("keys", "revoke", made["id"], "--config", str(config))[1]
