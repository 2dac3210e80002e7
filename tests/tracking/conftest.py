"""The three kinds of MLflow stores: a server on PostgreSQL, a server on SQLite, and the embedded store."""

from collections.abc import Iterator

import pytest

from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import delete_all_models
from tests.tracking.servers import mlflow_server, postgresql
from tracking.connection import Connection, connect
from tracking.registry import Registry
from tracking.tracking_uri import TrackingTarget, embedded_target


@pytest.fixture(autouse=True)
def no_tracking_uri_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests choose the tracking target themselves."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingTarget]:
    """A server whose database is PostgreSQL."""
    pytest.importorskip("pgserver", reason="PostgreSQL comes with the package pgserver, which is not for every machine")
    with postgresql() as database, mlflow_server(tmp_path_factory.mktemp("postgresql"), database) as address:
        yield TrackingTarget(address, "tests")


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingTarget]:
    """A server whose database is SQLite."""
    folder = tmp_path_factory.mktemp("sqlite")
    with mlflow_server(folder, f"sqlite:///{folder}/mlflow.db") as address:
        yield TrackingTarget(address, "tests")


@pytest.fixture(scope="session")
def embedded_store(tmp_path_factory: pytest.TempPathFactory) -> TrackingTarget:
    """The embedded store, in a folder of the tests."""
    return embedded_target(TrackingSettings(folder=tmp_path_factory.mktemp("mlruns")))


@pytest.fixture(
    scope="module",
    params=["embedded_store", *(pytest.param(name, marks=pytest.mark.long) for name in ("on_postgresql", "on_sqlite"))],
)
def store(request: pytest.FixtureRequest) -> TrackingTarget:
    """Each of the three in turn; mark a test with indirect parameters to choose."""
    found: TrackingTarget = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def connection(embedded_store: TrackingTarget) -> Iterator[Connection]:
    """An empty embedded registry."""
    with connect(TrackingSettings(), embedded_store) as found:
        delete_all_models(found)
        yield found


@pytest.fixture
def registry(connection: Connection) -> Registry:
    return Registry(connection)
