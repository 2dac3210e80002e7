"""Embedded databases: created in one go, complete without their log, and never made less safe than they were."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from accidents.sqlite_files import database_creation, sync_at_checkpoints, use_write_ahead_log


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_only_connections_of_the_creation_do_not_sync(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with database_creation(file):
        engine = create_engine(f"sqlite:///{file}")
        with engine.begin() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 0
            connection.execute(text("CREATE TABLE facts (name TEXT)"))
        engine.dispose()
    with create_engine(f"sqlite:///{file}").connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("SELECT count(*) FROM facts")).scalar() == 0
    with pytest.raises(FileNotFoundError), database_creation(tmp_path / "none.db"):
        pass


@pytest.mark.parametrize(("log", "same", "expected"), [(True, True, 1), (False, True, 2), (True, False, 2)])
def test_only_the_named_database_with_a_log_syncs_less(tmp_path: Path, log: bool, same: bool, expected: int) -> None:
    file = tmp_path / "zenml.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE facts (name TEXT)")
    if log:
        use_write_ahead_log(file)
    with closing(sqlite3.connect(file)) as connection:
        sync_at_checkpoints(connection, file if same else tmp_path / "other.db")
        assert pragma(connection, "synchronous") == expected
        assert pragma(connection, "journal_mode") == ("wal" if log else "delete")
