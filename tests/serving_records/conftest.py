"""Every test that asks for `address` runs on SQLite and on a real PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from serving.environment import DATABASE
from tests.serving_records.databases import away, new_database, new_file, ready, server

Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def no_database_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests say themselves which database they mean."""
    monkeypatch.delenv(DATABASE, raising=False)


@pytest.fixture(scope="session")
def of_server() -> Iterator[str]:
    """The address of a PostgreSQL for the session."""
    pytest.importorskip("pgserver", reason="PostgreSQL comes with the package pgserver, which is not for every machine")
    with server() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of either kind in turn."""
    if request.param == "sqlite":
        return new_file(tmp_path)
    return new_database(request.getfixturevalue("of_server"))


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    """A database that is up to date."""
    found, _ = ready(address)
    yield found
    found.dispose()


@pytest.fixture
def unreachable(engine: Engine, request: pytest.FixtureRequest) -> Away:
    """A context in which `engine` does not answer."""
    of_postgresql = engine.dialect.name == "postgresql"
    owner = request.getfixturevalue("of_server") if of_postgresql else None
    return lambda: away(engine, owner)
