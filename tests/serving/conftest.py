"""Shared services and databases. Tests with the fixture `database_url` run on SQLite and, as slow ones, PostgreSQL."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from serving.environment import DATABASE_URL_ENV, METRICS_FOLDER_ENV
from tests.serving.in_process import ApiClient, in_process_service
from tests.serving.records.databases import (
    database_away,
    migrated_database,
    new_postgresql_database,
    new_sqlite_file,
    postgresql_server,
)
from tests.serving.service_process import save_small_model

DatabaseAway = Callable[[], AbstractContextManager[None]]


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> Iterator[None]:
    """Tests name their database themselves, and proxies do not apply."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (DATABASE_URL_ENV, METRICS_FOLDER_ENV, *(name for name in os.environ if "PROXY" in name.upper())):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    """A service with default settings."""
    folder = tmp_path_factory.mktemp("serving")
    with in_process_service(folder, save_small_model(folder)) as client:
        yield client


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of a PostgreSQL server."""
    pytest.importorskip("pgserver", reason="PostgreSQL comes with the package pgserver, which is not for every machine")
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    if request.param == "sqlite":
        return new_sqlite_file(tmp_path)
    return new_postgresql_database(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated database."""
    engine, _ = migrated_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def unreachable(engine: Engine, request: pytest.FixtureRequest) -> DatabaseAway:
    """A context in which `engine` does not answer."""
    server = request.getfixturevalue("postgresql_url") if engine.dialect.name == "postgresql" else None
    return lambda: database_away(engine, server)
