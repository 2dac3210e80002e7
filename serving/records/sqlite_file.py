"""Connections to a SQLite file that may be replaced, moved, deleted or restored while the service runs.

- A connection lives for one transaction, so that each opens the file that the path names now.
- A transaction counts as committed only if the path still names the file into which it was written.
- Connections never create the file: a folder that was unmounted is an error, not an empty database.
- Changes are journaled in a rollback journal, which exists during a transaction only. A write-ahead log stays beside
  the file; SQLite would apply it to a file that replaces this one, and corrupt that.
"""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from accidents.private_files import create_private_file, create_private_folder, make_private

LOCK_SECONDS = 5
"""How long a connection waits for the lock of another process."""

_POLL_SECONDS = 0.005
_JOURNAL_SECONDS = 2.0
"""After this time a journal is taken for that of a killed process, which SQLite rolls back."""


class _FileConnection(sqlite3.Connection):
    """A connection that knows the file it opened: its path, and device and inode."""

    path: Path
    identity: tuple[int, int]


def create_file(file: Path, *, private_folder: bool) -> None:
    """Create an empty database and its folder for this user alone, or make an existing file private.

    Args:
        file: the database.
        private_folder: make an existing folder private, too.

    Raises:
        OSError: it cannot be created.
    """
    create_private_folder(file.parent)
    if private_folder:
        make_private(file.parent)
    with suppress(FileExistsError):
        os.close(create_private_file(file))
    make_private(file)


def create_file_engine(url: URL) -> Engine:
    """The engine of an existing file; `url` has its absolute path."""
    file = Path(str(url.database))
    # Parameters are accidents and names, which do not belong in error messages.
    engine = create_engine(url, creator=lambda: _connect(file), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def is_current(connection: Connection) -> bool:
    """Whether the path of the database still names the file that a connection has open."""
    raw: Any = connection.connection.driver_connection
    return _identity(raw.path) == raw.identity


def _connect(file: Path) -> _FileConnection:
    identity = _identity(file)
    if identity is None:
        raise sqlite3.OperationalError("the file does not exist")
    make_private(file)  # whoever replaced it may have left it open to others
    _wait_for_journal(file)
    uri = f"{file.as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, LOCK_SECONDS, uri=True, check_same_thread=False, factory=_FileConnection)
    if _identity(file) != identity:
        connection.close()
        raise sqlite3.OperationalError("the file was replaced while it was opened")
    connection.path, connection.identity = file, identity
    return connection


def _identity(file: Path) -> tuple[int, int] | None:
    """Device and inode; the inode is not used again while a connection has the file open."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _wait_for_journal(file: Path) -> None:
    """Wait for the end of a transaction that another connection may have begun in a file that was since replaced.

    SQLite finds a journal by name, and would roll this file back with the journal of the other one.
    """
    journal = Path(f"{file.resolve()}-journal")  # beside the file to which a link leads
    deadline = time.monotonic() + _JOURNAL_SECONDS
    while journal.exists() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions are started by `_begin`, not by the driver
    connection.execute("PRAGMA foreign_keys = ON")
    # Deleted rows are overwritten, for the sake of retention.
    connection.execute("PRAGMA secure_delete = ON")
    _disable_wal(connection)


def _disable_wal(connection: sqlite3.Connection) -> None:
    """Leave write-ahead logging, which earlier versions used; SQLite's busy timeout does not apply to the change."""
    deadline = time.monotonic() + LOCK_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
