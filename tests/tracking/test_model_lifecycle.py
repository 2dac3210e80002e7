"""Lifecycle of a model in each store: registered, promoted, displaced, rolled back, deleted."""

from collections.abc import Iterator

import pytest

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGING
from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import (
    NAME,
    archived_versions,
    consistent_stages,
    delete_all_models,
    register_version,
    transition_to,
)
from tracking import ledger, zenml_sync
from tracking.connection import connect
from tracking.errors import RegistryError
from tracking.registry import Registry
from tracking.stages import delete_model, delete_version, rollback, rollback_target
from tracking.tracking_uri import TrackingTarget

pytestmark = [pytest.mark.slow, pytest.mark.traced]


@pytest.fixture
def registry(store: TrackingTarget) -> Iterator[Registry]:
    """An empty registry of each store."""
    with connect(TrackingSettings(), store) as found:
        delete_all_models(found)
        yield Registry(found)


def test_a_model_is_registered_promoted_displaced_rolled_back_and_deleted(registry: Registry) -> None:
    connection = registry.connection
    assert registry.models() == []
    one, two, three = (register_version(connection) for _ in range(3))
    begun = len(ledger.read_entries(connection, NAME))
    assert consistent_stages(registry) == {"1": NONE, "2": NONE, "3": NONE}
    transition_to(registry, one, STAGING)
    assert consistent_stages(registry) == {"1": STAGING, "2": NONE, "3": NONE}
    transition_to(registry, one, PRODUCTION)
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE, "3": NONE}
    assert transition_to(registry, two, PRODUCTION).previous == "1"
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION, "3": NONE}
    transition_to(registry, three, PRODUCTION)
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": ARCHIVED, "3": PRODUCTION}
    assert archived_versions(registry) == ["1", "2"]
    assert rollback(registry, NAME).version == "2"
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION, "3": ARCHIVED}
    assert rollback(registry, NAME).version == "1"
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": ARCHIVED, "3": ARCHIVED}
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
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": ARCHIVED}
    with pytest.raises(RegistryError, match="is in Production"):
        delete_model(registry, NAME)
    transition_to(registry, registry.version(NAME, "1"), ARCHIVED, "archive")
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": ARCHIVED}
    delete_model(registry, NAME)
    assert registry.models() == []
    assert zenml_sync.list_versions(NAME) == {}
    with pytest.raises(RegistryError, match=r"no model .* is registered"):
        registry.versions(NAME)


def test_a_deleted_model_registered_again_starts_without_history(registry: Registry) -> None:
    """MLflow counts versions from 1 again, and the ledger still has entries of the same numbers."""
    for _ in range(3):
        transition_to(registry, register_version(registry.connection), PRODUCTION)
    transition_to(registry, registry.version(NAME, "3"), ARCHIVED)
    delete_model(registry, NAME)
    new, other = register_version(registry.connection), register_version(registry.connection)
    assert (new.version, other.version) == ("1", "2")
    transition_to(registry, new, PRODUCTION)
    with pytest.raises(RegistryError, match="no earlier"):
        rollback_target(registry, NAME)
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE}


def test_a_rollback_skips_versions_that_were_rolled_back(registry: Registry) -> None:
    """Also where a version between them is deleted in the meantime."""
    for _ in range(4):
        transition_to(registry, register_version(registry.connection), PRODUCTION)
    delete_version(registry, registry.version(NAME, "3"))
    assert [rollback(registry, NAME).version for _ in range(2)] == ["2", "1"]
    with pytest.raises(RegistryError, match="no earlier"):
        rollback(registry, NAME)
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": ARCHIVED, "4": ARCHIVED}
