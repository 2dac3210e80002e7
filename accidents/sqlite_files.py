"""How the embedded databases of ZenML and MLflow are created and written to: as fast as is safe."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def database_creation(file: Path) -> Iterator[None]:
    """Let the block create a database under a temporary name, and reach the disk once at the end.

    Args:
        file: the database, which the block creates and closes.

    Raises:
        FileNotFoundError: the block has created no database.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    event.listen(Engine, "connect", _do_not_sync)
    try:
        yield
    finally:
        event.remove(Engine, "connect", _do_not_sync)
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def use_write_ahead_log(file: Path) -> None:
    """Let every connection to a database commit to a write-ahead log, in a third of the time; the file remembers it.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def sync_at_checkpoints(connection: Any, file: Path) -> None:
    """Let commits of a connection to one database survive the end of the process, but not always that of the machine.

    Without the write-ahead log nothing changes, as the database could then be damaged.

    Args:
        connection: a new connection to any database.
        file: the database that this is for.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    opened = [row[2] for row in connection.execute("PRAGMA database_list")]
    if str(file.resolve()) in opened and connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        connection.execute("PRAGMA synchronous = NORMAL")


def _do_not_sync(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")
