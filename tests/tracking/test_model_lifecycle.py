"""The life of a model in each of the three stores: registered, promoted, displaced, put back, deleted."""

from collections.abc import Iterator

import pytest

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGING
from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import NAME, archived, bare, forget, move, stages
from tracking import ledger, zenml_sync
from tracking.connection import connect
from tracking.errors import RegistryError
from tracking.registry import Registry
from tracking.stages import delete_model, delete_version, rollback, rollback_target
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(store: TrackingTarget) -> Iterator[Registry]:
    """An empty registry of each store."""
    with connect(TrackingSettings(), store) as found:
        forget(found)
        yield Registry(found)


def test_a_model_is_registered_promoted_displaced_put_back_and_deleted(registry: Registry) -> None:
    connection = registry.connection
    assert registry.models() == []
    one, two, three = (bare(connection) for _ in range(3))
    begun = len(ledger.read_entries(connection, NAME))
    assert stages(registry) == {"1": NONE, "2": NONE, "3": NONE}
    move(registry, one, STAGING)
    assert stages(registry) == {"1": STAGING, "2": NONE, "3": NONE}
    move(registry, one, PRODUCTION)
    assert stages(registry) == {"1": PRODUCTION, "2": NONE, "3": NONE}
    assert move(registry, two, PRODUCTION).previous == "1"
    assert stages(registry) == {"1": ARCHIVED, "2": PRODUCTION, "3": NONE}
    move(registry, three, PRODUCTION)
    assert stages(registry) == {"1": ARCHIVED, "2": ARCHIVED, "3": PRODUCTION}
    assert archived(registry) == ["1", "2"]
    assert rollback(registry, NAME).version == "2"
    assert stages(registry) == {"1": ARCHIVED, "2": PRODUCTION, "3": ARCHIVED}
    assert rollback(registry, NAME).version == "1"
    assert stages(registry) == {"1": PRODUCTION, "2": ARCHIVED, "3": ARCHIVED}
    with pytest.raises(RegistryError, match="no earlier Production version"):
        rollback(registry, NAME)
    history = ledger.read_entries(connection, NAME)[begun:]
    assert [(entry.action, entry.version, entry.previous) for entry in history] == [
        ("promote", "1", None),
        ("promote", "1", None),
        ("promote", "2", "1"),
        ("promote", "3", "2"),
        ("rollback", "2", "3"),
        ("rollback", "1", "2"),
    ]
    with pytest.raises(RegistryError, match="is in Production and is not deleted"):
        delete_version(registry, registry.version(NAME, "1"))
    delete_version(registry, registry.version(NAME, "3"))
    assert stages(registry) == {"1": PRODUCTION, "2": ARCHIVED}
    with pytest.raises(RegistryError, match="is in Production"):
        delete_model(registry, NAME)
    move(registry, registry.version(NAME, "1"), ARCHIVED, "archive")
    assert stages(registry) == {"1": ARCHIVED, "2": ARCHIVED}
    delete_model(registry, NAME)
    assert registry.models() == []
    assert zenml_sync.list_versions(NAME) == {}
    with pytest.raises(RegistryError, match=r"no model .* is registered"):
        registry.versions(NAME)


def test_a_model_made_anew_under_the_same_name_inherits_nothing(registry: Registry) -> None:
    """MLflow counts from 1 again, and the ledger still tells of the numbers before."""
    for _ in range(3):
        move(registry, bare(registry.connection), PRODUCTION)
    move(registry, registry.version(NAME, "3"), ARCHIVED)
    delete_model(registry, NAME)
    new, other = bare(registry.connection), bare(registry.connection)
    assert (new.version, other.version) == ("1", "2")
    move(registry, new, PRODUCTION)
    with pytest.raises(RegistryError, match="no earlier"):
        rollback_target(registry, NAME)
    assert stages(registry) == {"1": PRODUCTION, "2": NONE}


def test_a_version_rolled_back_from_is_not_gone_back_to(registry: Registry) -> None:
    """Also where a version between them is deleted in the meantime."""
    for _ in range(4):
        move(registry, bare(registry.connection), PRODUCTION)
    delete_version(registry, registry.version(NAME, "3"))
    assert [rollback(registry, NAME).version for _ in range(2)] == ["2", "1"]
    with pytest.raises(RegistryError, match="no earlier"):
        rollback(registry, NAME)
    assert stages(registry) == {"1": PRODUCTION, "2": ARCHIVED, "4": ARCHIVED}
