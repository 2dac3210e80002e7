"""Inconsistencies after changes by hand and killed processes are found and repaired."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from zenml.client import Client

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGING
from accidents.process_owner import ProcessOwner
from tests.tracking.helpers import NAME, consistent_stages, register_version, transition_to
from tracking import ledger, lock, reconcile, zenml_sync
from tracking.connection import Connection
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.registry import Registry

Change = Callable[[Connection], object]

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(connection: Connection) -> Registry:
    """Version 1 archived, 2 in Production, 3 in Staging, 4 without a stage."""
    found = Registry(connection)
    one, two, three, _ = (register_version(connection) for _ in range(4))
    for version, stage in ((one, PRODUCTION), (two, PRODUCTION), (three, STAGING)):
        transition_to(found, version, stage)
    assert consistent_stages(found) == {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE}
    return found


def alias(stage: str, version: str) -> Change:
    return lambda connection: connection.client.set_registered_model_alias(NAME, stage, version)


def tag(version: str, text: str) -> Change:
    return lambda connection: connection.client.set_model_version_tag(NAME, version, "stage", text)


def deleted(version: str) -> Change:
    return lambda connection: connection.client.delete_model_version(NAME, version)


CHANGES = {
    "production by hand": (
        alias("production", "4"),
        ["version 4 is in Production, its tag", "version 4 is in Production, and the ledger", "in ZenML in None"],
        {"1": ARCHIVED, "2": ARCHIVED, "3": STAGING, "4": PRODUCTION},
    ),
    "staging by hand": (
        alias("staging", "1"),
        ["version 1 is in Staging, its tag is Archived", "version 3 is in Archived, its tag is Staging"],
        {"1": STAGING, "2": PRODUCTION, "3": ARCHIVED, "4": NONE},
    ),
    "alias taken away": (
        lambda connection: connection.client.delete_registered_model_alias(NAME, "production"),
        ["version 2 is in Archived, its tag is Production", "version 2 is in Archived, in ZenML in Production"],
        {"1": ARCHIVED, "2": ARCHIVED, "3": STAGING, "4": NONE},
    ),
    "both aliases": (
        alias("staging", "2"),
        ["version 2 is in Staging and in Production at once"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": ARCHIVED, "4": NONE},
    ),
    "tag of a holder": (
        tag("2", "Staging"),
        ["version 2 is in Production, its tag is Staging"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "a tag that is no stage": (
        tag("4", "Champion"),
        ["version 4 is in None, its tag is Champion"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "stage in ZenML": (
        lambda _: zenml_sync.set_stage(NAME, "4", PRODUCTION),
        ["version 2 is in Production, in ZenML in Archived", "version 4 is in None, in ZenML in Production"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "missing in ZenML": (
        lambda _: zenml_sync.delete_version(NAME, "2"),
        ["version 2 is in Production, and missing in ZenML"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "model missing in ZenML": (
        lambda _: zenml_sync.delete_model(NAME),
        ["version 3 is in Staging, and missing in ZenML"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "only in ZenML": (
        lambda _: zenml_sync.add_version(NAME, "9", "models:/m-9"),
        ["version 9 exists in ZenML and not in the MLflow registry"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "an old name in ZenML": (
        lambda _: Client().update_model_version(NAME, zenml_sync.version_id(NAME, "2"), name="v2"),
        ["version 2 is in Production, and named v2 in ZenML"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "of another store in ZenML": (
        lambda _: zenml_sync.add_version(NAME, "2", "models:/m-of-another-store"),
        ["version 2 is in Production, and ZenML has a model of another MLflow store"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
    "version deleted in MLflow": (
        deleted("2"),
        ["version 2 exists in ZenML and not in the MLflow registry"],
        {"1": ARCHIVED, "3": STAGING, "4": NONE},
    ),
    "unknown to the ledger": (
        lambda connection: ledger.append(connection, LedgerEntry("delete", NAME, ledger.ALL_VERSIONS, NONE)),
        ["version 2 is in Production, and the ledger has no entry of it"],
        {"1": ARCHIVED, "2": PRODUCTION, "3": STAGING, "4": NONE},
    ),
}
OF_EACH_PLACE = ("production by hand", "a tag that is no stage", "missing in ZenML", "unknown to the ledger")
"""One change each of an alias, a tag, ZenML and the ledger: those of `make test`."""


@pytest.mark.parametrize(
    "change", [name if name in OF_EACH_PLACE else pytest.param(name, marks=pytest.mark.long) for name in CHANGES]
)
def test_changes_by_hand_are_found_and_repaired(registry: Registry, change: str) -> None:
    apply, descriptions, repaired = CHANGES[change]
    apply(registry.connection)
    found = [inconsistency.description for inconsistency in reconcile.find_inconsistencies(registry)]
    for text in descriptions:
        assert any(text in description for description in found), found
    assert {inconsistency.description for inconsistency in reconcile.repair_inconsistencies(registry)} == set(found)
    assert consistent_stages(registry) == repaired
    assert reconcile.find_inconsistencies(registry) == []


def test_the_ledger_records_the_repair_for_a_rollback(registry: Registry) -> None:
    alias("production", "4")(registry.connection)
    reconcile.repair_inconsistencies(registry)
    entry = ledger.read_entries(registry.connection, NAME)[-1]
    assert (entry.action, entry.version, entry.previous, entry.stage) == ("repair", "4", "2", PRODUCTION)
    assert ledger.production_history(ledger.read_entries(registry.connection, NAME)) == ["1", "2", "4"]


def test_a_consistent_registry_is_left_unchanged(registry: Registry) -> None:
    before = ledger.read_entries(registry.connection, NAME)
    assert reconcile.find_inconsistencies(registry) == reconcile.repair_inconsistencies(registry) == []
    assert ledger.read_entries(registry.connection, NAME) == before


def test_a_model_deleted_in_mlflow_is_deleted_in_zenml(registry: Registry) -> None:
    registry.connection.client.delete_registered_model(NAME)
    (inconsistency,) = reconcile.find_inconsistencies(registry)
    assert "exists in ZenML" in inconsistency.description
    reconcile.repair_inconsistencies(registry)
    assert Client().list_models(name=NAME).items == []
    assert reconcile.find_inconsistencies(registry) == []
    assert ledger.production_history(ledger.read_entries(registry.connection, NAME)) == []


def test_a_lock_left_behind_is_removed_and_one_in_use_respected(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LEASE_SECONDS", 0.3)
    with lock.model_lock(registry.connection, NAME):
        alias("production", "4")(registry.connection)
        assert not any(
            "lock" in inconsistency.description for inconsistency in reconcile.find_inconsistencies(registry)
        )
        with pytest.raises(RegistryError, match=r"is being changed by .* since"):
            reconcile.repair_inconsistencies(registry)
    ended = replace(ProcessOwner.current(), started=1)
    registry.connection.client.create_registered_model(
        f"{NAME}{lock.LOCK_SUFFIX}", tags={"owner": "ann@sea, process 7", "process": str(ended), "lock_id": "17"}
    )
    found = [one.description for one in reconcile.find_inconsistencies(registry)]
    assert "has a lock that was left behind by ann@sea, process 7" in found
    reconcile.repair_inconsistencies(registry)
    assert consistent_stages(registry)["4"] == PRODUCTION
    transition_to(registry, registry.version(NAME, "1"), STAGING)


def test_the_lock_of_a_deleted_model_is_removed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    client = registry.connection.client
    client.create_registered_model(f"{NAME}{lock.LOCK_SUFFIX}")  # as an earlier version of the project made it
    client.delete_registered_model(NAME)
    monkeypatch.setattr(lock, "STALE_AFTER", timedelta(0))
    reconcile.repair_inconsistencies(registry)
    assert client.search_registered_models() == []


def test_runs_of_killed_processes_are_ended_and_others_left_alone(registry: Registry) -> None:
    connection = registry.connection
    client, current = connection.client, ProcessOwner.current()
    owners = {
        "killed": str(replace(current, started=1)),
        "running": str(current),
        "elsewhere": str(replace(current, machine="0" * 12)),
        "unknown": "",
    }
    runs = {
        name: client.create_run(connection.experiment_id, run_name=name, tags={"process": process}).info.run_id
        for name, process in owners.items()
    }
    model = client.create_logged_model(connection.experiment_id, name="half", source_run_id=runs["killed"])
    entry = client.create_run(ledger.experiment_id(connection), run_name="entry", tags={"process": owners["killed"]})
    assert {one.model for one in reconcile.find_inconsistencies(registry)} == {"MLflow run killed", "MLflow run entry"}
    reconcile.repair_inconsistencies(registry)
    assert reconcile.find_inconsistencies(registry) == []
    statuses = {name: client.get_run(run_id).info.status for name, run_id in runs.items()}
    assert statuses == {"killed": "KILLED", "running": "RUNNING", "elsewhere": "RUNNING", "unknown": "RUNNING"}
    assert client.get_run(entry.info.run_id).info.status == "FINISHED"
    assert str(client.get_logged_model(model.model_id).status) == "FAILED"
    for run_id in runs.values():
        client.set_terminated(run_id)


def test_a_version_that_was_not_registered_to_its_end_is_deleted(registry: Registry) -> None:
    number = register_version(registry.connection).version
    with sqlite3.connect(registry.connection.target.uri.removeprefix("sqlite:///")) as database:
        change = "UPDATE model_versions SET status = 'PENDING_REGISTRATION', creation_time = ? WHERE version = ?"
        database.execute(change, (int(time.time() * 1000), number))
        database.commit()
        assert reconcile.find_inconsistencies(registry) == []  # it may be going on
        database.execute(change, (0, number))
    (inconsistency,) = reconcile.find_inconsistencies(registry)
    assert f"version {number} was not registered to its end (PENDING_REGISTRATION)" in inconsistency.description
    reconcile.repair_inconsistencies(registry)
    assert number not in consistent_stages(registry)
