"""Databases of the two kinds for tests: empty ones, and what happens while one is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine, inspect, make_url, text

from accidents.configuration.records import RecordSettings
from serving.records.database import migrate, opened
from tests.tracking.servers import postgresql


@contextmanager
def server() -> Iterator[str]:
    """The address of a real PostgreSQL."""
    with postgresql() as address:
        yield address


def new_database(of_server: str) -> str:
    """The address of an empty database of a server."""
    name = f"records_{uuid4().hex[:12]}"
    _as_owner(of_server, f"CREATE DATABASE {name}")
    return make_url(of_server).set(database=name).render_as_string(hide_password=False)


def new_file(folder: Path) -> str:
    """The address of a SQLite file that is not there yet."""
    return f"sqlite:///{folder / 'records' / 'serving.db'}"


def ready(address: str, **settings: object) -> tuple[Engine, RecordSettings]:
    """The database of an address, brought up to date, and settings that name it."""
    found = RecordSettings.model_validate({"database_url": address, **settings})
    engine = opened(found, {})
    migrate(engine)
    return engine, found


@contextmanager
def away(engine: Engine, of_server: str | None) -> Iterator[None]:
    """While PostgreSQL takes no connection and has ended those it had; while a SQLite file has lost its tables."""
    if of_server is None:
        tables = [name for name in inspect(engine).get_table_names() if not name.startswith("away_")]
        _rename(engine, {name: f"away_{name}" for name in tables})
        try:
            yield
        finally:
            _rename(engine, {f"away_{name}": name for name in tables})
        return
    name = engine.url.database
    _as_owner(of_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    _as_owner(of_server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=name)
    try:
        yield
    finally:
        _as_owner(of_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def _rename(engine: Engine, names: dict[str, str]) -> None:
    with engine.begin() as connection:
        for old, new in names.items():
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def _as_owner(of_server: str, statement: str, **values: object) -> None:
    owner = create_engine(of_server, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(statement), values)
    owner.dispose()
