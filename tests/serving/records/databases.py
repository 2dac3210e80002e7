"""Empty SQLite and PostgreSQL databases for tests, and databases that are away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine, inspect, make_url, text

from accidents.configuration.serving import RecordSettings
from serving.records.database import migrate, open_database
from tests.tracking.servers import postgresql


@contextmanager
def postgresql_server() -> Iterator[str]:
    """URL of a real PostgreSQL."""
    with postgresql() as url:
        yield url


def new_postgresql_database(server: str) -> str:
    """URL of an empty database of a server."""
    name = f"records_{uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def new_sqlite_file(folder: Path) -> str:
    """URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{folder / 'records' / 'serving.db'}"


def migrated_database(url: str, **settings: object) -> tuple[Engine, RecordSettings]:
    """A migrated database, and settings that name it."""
    record_settings = RecordSettings.model_validate({"database_url": url, **settings})
    engine = open_database(record_settings, {})
    migrate(engine)
    return engine, record_settings


@contextmanager
def database_away(engine: Engine, server: str | None) -> Iterator[None]:
    """While PostgreSQL accepts no connections and has closed all; or while the tables of a SQLite file are renamed."""
    if server is None:
        tables = [name for name in inspect(engine).get_table_names() if not name.startswith("away_")]
        _rename(engine, {name: f"away_{name}" for name in tables})
        try:
            yield
        finally:
            _rename(engine, {f"away_{name}": name for name in tables})
        return
    name = engine.url.database
    _execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    _execute(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=name)
    try:
        yield
    finally:
        _execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def _rename(engine: Engine, names: dict[str, str]) -> None:
    with engine.begin() as connection:
        for old, new in names.items():
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def _execute(server: str, statement: str, **values: object) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement), values)
    engine.dispose()
