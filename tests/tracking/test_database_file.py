"""A command killed while it creates the MLflow database leaves none that cannot be opened."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accidents.configuration.tracking import TrackingSettings
from tracking.connection import connect
from tracking.tracking_uri import embedded_target

CREATE_SCRIPT = """
import os, signal, sys
from pathlib import Path
from alembic.runtime.migration import MigrationContext
from accidents.configuration.tracking import TrackingSettings
from tracking.connection import connect
from tracking.tracking_uri import embedded_target

def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

MigrationContext.stamp = MigrationContext.run_migrations = killed
with connect(TrackingSettings(), embedded_target(TrackingSettings(folder=Path(sys.argv[1])))):
    pass
"""


def create(folder: Path) -> None:
    with connect(TrackingSettings(), embedded_target(TrackingSettings(folder=folder))) as connection:
        connection.client.search_registered_models()


@pytest.mark.slow
def test_a_command_killed_while_it_creates_the_database_leaves_none(project: Path, tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", CREATE_SCRIPT, str(tmp_path)], cwd=project)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "mlflow.db").exists()
    assert [path.name for path in tmp_path.glob(".mlflow.db.*.tmp")]
    create(tmp_path)
    assert not [path.name for path in tmp_path.glob(".mlflow.db.*.tmp")]


@pytest.mark.long
def test_commands_killed_at_any_moment_leave_no_half_of_a_database(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlflow.store.tracking.sqlalchemy_store", "tracking.connection"])
    started = time.monotonic()
    first = context.Process(target=create, args=(tmp_path / "first",))
    first.start()
    first.join()
    assert first.exitcode == 0
    seconds = time.monotonic() - started
    for number in range(12):
        folder = tmp_path / str(number)
        for moment in (seconds * number / 12, None):
            process = context.Process(target=create, args=(folder,))
            process.start()
            process.join(moment)
            if moment is not None and process.exitcode is None:
                os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
        assert process.exitcode == 0, folder


@pytest.mark.long
def test_two_commands_create_one_database(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=create, args=(tmp_path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
