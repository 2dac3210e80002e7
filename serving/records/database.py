"""The database of the service: opened, brought up to date, and asked so that failures are told in one sentence."""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from accidents.configuration.records import RecordSettings
from serving.environment import DATABASE
from serving.records.database_url import SQLITE, address, shown
from serving.records.errors import RecordsError

_PATIENCE = 5  # seconds for a connection, or for another process to end its transaction
_MIGRATION_PATIENCE = 120
_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_LOCK = 0x6163_6369_6465_6E74
"""Number of the advisory lock of PostgreSQL that one process at a time holds to migrate."""

_POSTGRESQL: dict[str, Any] = {
    "pool_size": 3,
    "pool_pre_ping": True,
    "pool_recycle": 1800,
    # A server that vanished without a word is noticed within half a minute.
    "connect_args": {
        "connect_timeout": _PATIENCE,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "application_name": "accidents-serving",
    },
}


def opened(settings: RecordSettings, environment: Mapping[str, str] | None = None) -> Engine:
    """The database that `SERVING_DATABASE_URL` names, else the settings, else the SQLite file of the project.

    Args:
        settings: the configuration.
        environment: environment variables; those of the process where not given.

    Raises:
        ConfigurationError: the address is none, or of a kind of database that is not supported.
        RecordsError: the database cannot be opened.
    """
    url = address(settings, os.environ if environment is None else environment)
    if url.get_backend_name() == SQLITE:
        _make_file(Path(str(url.database)))
        # Parameters are accidents and names: they belong in no message.
        engine = create_engine(url, hide_parameters=True)
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
    else:
        try:
            engine = create_engine(url, hide_parameters=True, **_POSTGRESQL)
        except ModuleNotFoundError as error:
            raise RecordsError(
                f"{shown(url)}: the package {error.name} is missing: pip install psycopg2-binary"
            ) from None
    with told(engine), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return engine


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """Errors of the database as one sentence: which database, what, and the remedy.

    Raises:
        RecordsError: there was an error.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordsError(
            f"{shown(engine.url)}: {reason(error)}; see to the database, or name another with {DATABASE}"
        ) from None


def reason(error: Exception) -> str:
    """What an error of the database says, in one line and without values."""
    said = str(error.orig if isinstance(error, DBAPIError) else error) or type(error).__name__
    return " ".join(said.partition("\n")[0].split()).rstrip(".")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads and writes; on SQLite it holds the lock from its beginning, so that it never fails."""
    with engine.execution_options(writes=True).begin() as connection:
        yield connection


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to the present form, and keep what is in it; safe while other processes do the same.

    Args:
        engine: the database.
        revision: an earlier form to stop at.

    Raises:
        RecordsError: the database cannot be changed, or a later version of the project wrote it.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with told(engine):
        if _version(engine) == ScriptDirectory.from_config(config).get_current_head():
            return
        try:
            with _alone(engine) as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
        except CommandError:
            raise RecordsError(
                f"{shown(engine.url)}: a later version of the project wrote it; update the project, "
                f"or name another database with {DATABASE}"
            ) from None


def _version(engine: Engine) -> str | None:
    from alembic.migration import MigrationContext

    from serving.records.migrations.settings import VERSION_TABLE

    with engine.connect() as connection:
        return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction in which no other process migrates."""
    with engine.execution_options(writes=True).connect() as connection:
        if engine.dialect.name != SQLITE:
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection
            return
        # Rebuilding a table, SQLite would delete the rows that refer to it; this is checked at the end instead.
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute(f"PRAGMA busy_timeout = {_MIGRATION_PATIENCE * 1000}")
        try:
            with connection.begin():
                yield connection
                if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                    raise RecordsError(f"{shown(engine.url)}: {len(broken)} rows would lose what they refer to")
        finally:
            connection.invalidate()


def _make_file(file: Path) -> None:
    """Make the file and its folder for the user alone; those that are there keep their permissions."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never opens one that is there: closing it again would release the locks of SQLite in this process.
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise RecordsError(
            f"{file}: cannot be opened: {error.strerror}; make it writable, or name another database with {DATABASE}"
        ) from None


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # `_begin` begins transactions, not the driver
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What retention deletes is overwritten, not just forgotten.
    connection.execute("PRAGMA secure_delete = ON")
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Change to write-ahead logging; SQLite does not wait by itself where another process does the same."""
    end = time.monotonic() + _PATIENCE
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
