"""Open and migrate the database of the service; database errors become a `RecordsError` of one sentence."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.redaction import redact_credentials
from accidents.configuration.serving import RecordSettings
from accidents.errors import AccidentsError, ConfigurationError
from serving.environment import DATABASE_URL_ENV
from serving.records import sqlite_file

DEFAULT_FILE = PROJECT_ROOT / "records" / "serving.db"

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "postgresql+psycopg2": "postgresql+psycopg2",
}
_EXPECTED = "postgresql://USER:PASSWORD@HOST:5432/DATABASE or sqlite:///FILE"
_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 60  # on PostgreSQL
_MIGRATION_TIMEOUT = 120
_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_ADVISORY_LOCK = 0x6163_6369_6465_6E74
"""Id of the advisory lock of PostgreSQL that a migrating process holds."""

_POSTGRESQL_OPTIONS: dict[str, Any] = {
    "pool_size": 3,
    "pool_pre_ping": True,
    "pool_recycle": 1800,
    # A server that vanished without closing its connections is noticed within half a minute.
    "connect_args": {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "application_name": "accidents-serving",
    },
}


class RecordsError(AccidentsError):
    """The database cannot be opened, does not answer, or holds unusable content."""


def open_database(
    settings: RecordSettings, environment: Mapping[str, str] | None = None, *, create: bool = True
) -> Engine:
    """Open the database that `SERVING_DATABASE_URL` names, else the settings, else the SQLite file of the project.

    Args:
        settings: the configuration.
        environment: environment variables; `os.environ` by default.
        create: create a SQLite file that does not exist.

    Raises:
        ConfigurationError: the URL is invalid, or of a database that is not supported.
        RecordsError: the database cannot be opened, or does not exist.
    """
    url = resolve_database_url(settings, os.environ if environment is None else environment)
    if url.get_backend_name() == SQLITE:
        file = Path(str(url.database))
        if not create and not file.exists():
            raise RecordsError(f"{file}: there is no such database; name that of the service with {DATABASE_URL_ENV}")
        _create_file(file)
        engine = sqlite_file.create_file_engine(url)
    else:
        try:
            engine = create_engine(url, hide_parameters=True, **_POSTGRESQL_OPTIONS)
        except ModuleNotFoundError as error:
            raise RecordsError(
                f"{redacted_url(url)}: the package {error.name} is missing: pip install psycopg2-binary"
            ) from None
        event.listen(engine, "connect", _limit_waits)
    with database_errors(engine), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return engine


@contextmanager
def database_errors(engine: Engine) -> Iterator[None]:
    """Translate errors of SQLAlchemy: which database, what happened, and what to do.

    Raises:
        RecordsError: there was an error.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordsError(
            f"{redacted_url(engine.url)}: {error_summary(error)}; check the database, "
            f"or name another with {DATABASE_URL_ENV}"
        ) from None


def error_summary(error: Exception) -> str:
    """The first line of a database error, without parameter values."""
    message = str(error.orig if isinstance(error, DBAPIError) else error) or type(error).__name__
    return " ".join(message.partition("\n")[0].split()).rstrip(".")


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads and writes; on SQLite it takes the write lock at once, so that it cannot fail later.

    Raises:
        RecordsError: the file was replaced, moved or deleted before the transaction had ended; what was written is not
            in the database that the path names now.
    """
    with engine.execution_options(writes=True).connect() as connection:
        with connection.begin():
            yield connection
        if engine.dialect.name == SQLITE and not sqlite_file.is_current(connection):
            raise RecordsError(
                f"{redacted_url(engine.url)}: the file was replaced or deleted during the change; try again"
            )


def migrate(engine: Engine, revision: str = "head") -> None:
    """Migrate the database and keep its content; safe while other processes do the same.

    Args:
        engine: the database.
        revision: Alembic revision to migrate to.

    Raises:
        RecordsError: the database cannot be changed, or a later version of the project wrote it.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with database_errors(engine):
        if _current_revision(engine) == ScriptDirectory.from_config(config).get_current_head():
            return
        try:
            with _exclusive_transaction(engine) as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
        except CommandError:
            raise RecordsError(
                f"{redacted_url(engine.url)}: a later version of the project wrote it; update the project, "
                f"or name another database with {DATABASE_URL_ENV}"
            ) from None


def resolve_database_url(settings: RecordSettings, environment: Mapping[str, str]) -> URL:
    """The URL of the database, with its driver.

    Raises:
        ConfigurationError: the URL is invalid, or of a database that is not supported.
    """
    if text := environment.get(DATABASE_URL_ENV):
        return _parse(text, DATABASE_URL_ENV)
    if settings.database_url is not None:
        return _parse(settings.database_url.get_secret_value(), "records.database_url of the serving configuration")
    return URL.create(SQLITE, database=str(DEFAULT_FILE))


def redacted_url(url: URL) -> str:
    """The URL without user, password and options."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return redact_credentials(plain.render_as_string(hide_password=False))


def _parse(text: str, origin: str) -> URL:
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # The messages of these exceptions may contain parts of the password.
        raise ConfigurationError(f"{origin}: is not a database URL; write {_EXPECTED}") from None
    if url.drivername not in _DRIVERS:
        raise ConfigurationError(f"{origin}: {url.drivername} is not supported; write {_EXPECTED}")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.get_backend_name() == SQLITE:
        return _resolve_file(url, origin)
    if "@" in (url.host or ""):
        raise ConfigurationError(f"{origin}: a @ in user or password must be written as %40")
    return url


def _resolve_file(url: URL, origin: str) -> URL:
    if url.database in {None, "", ":memory:"} or url.query or url.database.startswith("file:"):
        raise ConfigurationError(f"{origin}: must name a plain file, such as sqlite:////var/lib/accidents/serving.db")
    return url.set(database=str(PROJECT_ROOT / url.database))


def _current_revision(engine: Engine) -> str | None:
    from alembic.migration import MigrationContext

    from serving.records.migrations.settings import VERSION_TABLE

    with engine.connect() as connection:
        return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


@contextmanager
def _exclusive_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction during which no other process migrates."""
    with engine.execution_options(writes=True).connect() as connection:
        if engine.dialect.name != SQLITE:
            with connection.begin():
                connection.execute(text(f"SET LOCAL lock_timeout = '{_MIGRATION_TIMEOUT}s'"))
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
                yield connection
            return
        # SQLite would delete referring rows when a table is rebuilt; foreign keys are checked at the end instead.
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute(f"PRAGMA busy_timeout = {_MIGRATION_TIMEOUT * 1000}")
        try:
            with connection.begin():
                yield connection
                if violations := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                    raise RecordsError(
                        f"{redacted_url(engine.url)}: {len(violations)} rows would lose what they refer to"
                    )
        finally:
            connection.invalidate()


def _create_file(file: Path) -> None:
    try:
        # The folder of another file may have other purposes.
        sqlite_file.create_file(file, private_folder=file == DEFAULT_FILE)
    except OSError as error:
        raise RecordsError(
            f"{file}: cannot be opened: {error.strerror}; make it writable, "
            f"or name another database with {DATABASE_URL_ENV}"
        ) from None


def _limit_waits(connection: Any, _: object) -> None:
    """Bound the time for which PostgreSQL waits for a lock or works on a statement."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{sqlite_file.LOCK_SECONDS}s'")
        cursor.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'")
    connection.autocommit = False
