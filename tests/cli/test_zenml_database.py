"""A command killed while it creates ZenML's database leaves none that cannot be opened."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CREATE_SCRIPT = """
import os, signal, sys
from cli.zenml_session import prepare_zenml
from zenml.zen_stores.sql_zen_store import SqlZenStore

if sys.argv[1:]:
    SqlZenStore._initialize_database = lambda self: os.kill(os.getpid(), signal.SIGKILL)
print("stack", prepare_zenml(None, debug=False))
"""


@pytest.mark.long
def test_a_command_killed_while_it_creates_the_database_leaves_none(project: Path, tmp_path: Path) -> None:
    folders = {"ZENML_CONFIG_PATH": f"{tmp_path}/config", "ZENML_LOCAL_STORES_PATH": f"{tmp_path}/stores"}
    command = [sys.executable, "-c", CREATE_SCRIPT]

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | folders
        return subprocess.run([*command, *arguments], cwd=project, env=environment, capture_output=True, text=True)

    assert run("killed").returncode == -signal.SIGKILL
    store = tmp_path / "stores" / "default_zen_store"
    assert not (store / "zenml.db").exists()
    ended = run()
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("stack default\n")
    assert sorted(path.name for path in store.iterdir()) == [".zenml.db.lock", "zenml.db"]
