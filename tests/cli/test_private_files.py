"""Files with secrets and personal data are for their owner alone, and `stack check` names those that are not."""

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from accidents.private_files import make_private
from cli import private_files
from cli.main import main
from cli.private_files import exposed_files
from pipelines import zenml_store


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.slow
def test_store_that_a_command_creates_is_private(tmp_path: Path, project: Path) -> None:
    environment = {**os.environ, "ZENML_CONFIG_PATH": str(tmp_path / "zenml")}
    del environment["ZENML_LOCAL_STORES_PATH"]
    command = [sys.executable, "run.py", "stack", "check"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, umask=0, check=False)
    assert done.returncode == 0, done.stderr
    database = tmp_path / "zenml" / "local_stores" / "default_zen_store" / "zenml.db"
    assert database.stat().st_size > 0
    assert mode(database) == 0o600
    assert mode(tmp_path / "zenml") == mode(database.parent) == 0o700
    assert not [line for line in done.stdout.splitlines() if "other users" in line and str(tmp_path) in line]


@pytest.fixture
def exposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Everything that should be private, readable by others, with a folder whose name a shell would split."""
    folder = tmp_path / "of a user"
    store = folder / "zenml" / "local_stores" / "default_zen_store"
    files = [folder / ".env", folder / "zenml" / "credentials.yaml", store / "zenml.db", folder / "serving.db"]
    store.mkdir(parents=True)
    for file in files:
        file.touch()
        file.chmod(0o644)
    (folder / "zenml").chmod(0o755)
    monkeypatch.setattr(private_files, "PROJECT_ROOT", folder)
    monkeypatch.setattr("serving.records.database.DEFAULT_FILE", folder / "records" / "serving.db")
    monkeypatch.setenv("SERVING_DATABASE_URL", f"sqlite:///{folder}/serving.db")
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(folder / "zenml"))
    monkeypatch.delenv("ZENML_LOCAL_STORES_PATH")
    return [*files, folder / "zenml"]


def test_commands_make_the_exposed_files_private(exposed: list[Path]) -> None:
    found = exposed_files()
    assert {file["path"] for file in found} == {str(path) for path in exposed}
    for file in found:
        subprocess.run(shlex.split(file["command"]), check=True)
    assert exposed_files() == []
    assert {mode(path) for path in exposed} == {0o600, 0o700}


def test_existing_zenml_store_stays_as_it_is(exposed: list[Path]) -> None:
    (exposed[-1] / "config.yaml").touch()
    zenml_store.create_folders()
    assert {mode(path) for path in exposed} == {0o644, 0o755}


@pytest.mark.slow
def test_stack_check_prints_a_line_for_each_exposed_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    found = [{"path": "/x/.env", "contains": "passwords", "command": "chmod 600 /x/.env"}]
    monkeypatch.setattr(private_files, "exposed_files", lambda: found)
    assert main(["stack", "check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "/x/.env: other users have access (passwords): chmod 600 /x/.env"


def test_files_of_other_users_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o664)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    make_private(file)
    assert mode(file) == 0o664
    monkeypatch.undo()
    make_private(file)
    assert mode(file) == 0o600
    make_private(tmp_path / "nothing")
