"""Inconsistencies between MLflow registry, its tags, the ledger and ZenML, and their repair.

The aliases of the MLflow registry are the source of truth; everything else is changed to match them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from accidents.configuration.stages import NONE, PRODUCTION, STAGING
from accidents.temporary_files import temporary_folder
from tracking import ledger, lock, zenml_sync
from tracking.errors import RegistryError
from tracking.interrupted_runs import end_run, interrupted_runs
from tracking.ledger import LedgerEntry
from tracking.model_files import FILES_SHA256, MODEL_FILE_SHA256, digests
from tracking.registry import (
    ALIASES,
    STAGE_TAG,
    RegisteredVersion,
    Registry,
    download_files,
    download_unverified,
)
from tracking.stages import sync_to_zenml, versions_in_use

_READY = "READY"
_REGISTRATION_TIME = timedelta(minutes=10)
"""Time after which the registration of a version, of seconds, is not going on any more."""


@dataclass(frozen=True)
class Inconsistency:
    """One inconsistency of a registered model.

    Attributes:
        model: registered model name, or name of a run.
        description: what differs, for the user.
        repair: makes it consistent with the aliases of the MLflow registry.
    """

    model: str
    description: str
    repair: Callable[[], None]


def find_inconsistencies(registry: Registry) -> list[Inconsistency]:
    """All inconsistencies: of the runs, then by registered model; changes nothing."""
    by_model = [
        one
        for name in registry.possible_names()
        for one in (*_check_lock(registry, name), *_check_model(registry, name))
    ]
    return [*_check_runs(registry), *by_model]


def repair_inconsistencies(registry: Registry) -> list[Inconsistency]:
    """Repair all inconsistencies, each model under its lock, and return them.

    Raises:
        RegistryError: another process is changing a model.
    """
    repaired = _check_runs(registry)
    for interrupted in repaired:
        interrupted.repair()
    for name in registry.possible_names():
        for abandoned_lock in _check_lock(registry, name):
            abandoned_lock.repair()
            repaired.append(abandoned_lock)
        if _check_model(registry, name):
            with lock.model_lock(registry.connection, name):
                for inconsistency in _check_model(registry, name):
                    inconsistency.repair()
                    repaired.append(inconsistency)
    return repaired


def find_changed_files(registry: Registry) -> list[str]:
    """Versions in use whose files in the artifact store are not those that were registered: a sentence for each."""
    changed = []
    for version in [one for name in registry.models() for one in versions_in_use(registry, name)]:
        try:
            with temporary_folder() as folder:
                download_files(version, folder)
        except RegistryError as error:
            changed.append(str(error))
    return changed


def _check_runs(registry: Registry) -> list[Inconsistency]:
    """Runs of processes that were killed; an entry of the ledger is complete from its start."""
    connection = registry.connection
    ledger_id = ledger.experiment_id(connection)
    result = []
    for run in interrupted_runs(connection, [connection.experiment_id, ledger_id]):
        status = "FINISHED" if run.info.experiment_id == ledger_id else "KILLED"
        repair = partial(end_run, connection, run, status)
        result.append(Inconsistency(f"MLflow run {run.info.run_name}", "is RUNNING, and its process has ended", repair))
    return result


def _check_model(registry: Registry, name: str) -> list[Inconsistency]:
    if name not in registry.models():
        return _check_deleted_model(registry, name)
    versions = registry.versions(name)
    return [
        *(one for version in versions for one in _check_aliases(registry, version)),
        *(one for version in versions for one in _check_stage_tag(registry, version)),
        *(one for version in versions for one in _check_digests(registry, version)),
        *_check_registration(registry, name),
        *_check_ledger(registry, name),
        *_check_zenml(name, versions),
    ]


def _check_deleted_model(registry: Registry, name: str) -> list[Inconsistency]:
    """A model deleted in MLflow alone. The ledger records it, since MLflow numbers new versions from 1 again."""
    if not zenml_sync.list_versions(name):
        return []

    def repair() -> None:
        ledger.append(registry.connection, LedgerEntry("delete", name, ledger.ALL_VERSIONS, NONE, reasons=("repair",)))
        zenml_sync.delete_model(name)

    return [Inconsistency(name, "exists in ZenML and not in the MLflow registry", repair)]


def _check_lock(registry: Registry, name: str) -> list[Inconsistency]:
    owners = sorted({one.owner for one in lock.abandoned_locks(registry.connection, name)})
    if not owners:
        return []
    repair = partial(lock.delete_abandoned_locks, registry.connection, name)
    return [Inconsistency(name, f"has a lock that was left behind by {'; '.join(owners)}", repair)]


def _check_aliases(registry: Registry, version: RegisteredVersion) -> list[Inconsistency]:
    if not set(ALIASES.values()) <= set(version.aliases):
        return []
    client = registry.connection.client
    repair = partial(client.delete_registered_model_alias, version.name, ALIASES[STAGING])
    return [Inconsistency(version.name, f"version {version.version} is in Staging and in Production at once", repair)]


def _check_stage_tag(registry: Registry, version: RegisteredVersion) -> list[Inconsistency]:
    tag = version.tags.get(STAGE_TAG, NONE)
    if tag == version.stage:
        return []
    client = registry.connection.client
    repair = partial(client.set_model_version_tag, version.name, version.version, STAGE_TAG, version.stage)
    return [Inconsistency(version.name, f"version {version.version} is in {version.stage}, its tag is {tag}", repair)]


def _check_digests(registry: Registry, version: RegisteredVersion) -> list[Inconsistency]:
    if {MODEL_FILE_SHA256, FILES_SHA256} <= version.tags.keys():
        return []

    def repair() -> None:
        with temporary_folder() as folder:
            files = download_unverified(version, folder)
            for tag, digest in digests(version.title, files).items():
                registry.connection.client.set_model_version_tag(version.name, version.version, tag, digest)

    return [Inconsistency(version.name, f"version {version.version} has no SHA-256 of its files", repair)]


def _check_registration(registry: Registry, name: str) -> list[Inconsistency]:
    """Versions whose registration was begun and not finished; nothing can be loaded from them."""
    client = registry.connection.client
    return [
        Inconsistency(
            name,
            f"version {version.version} was not registered to its end ({version.status})",
            partial(_delete_version, registry, name, str(version.version)),
        )
        for version in client.search_model_versions(f"name = '{name}'", max_results=10_000)
        if version.status != _READY and _is_old(version.creation_timestamp)
    ]


def _delete_version(registry: Registry, name: str, number: str) -> None:
    registry.connection.client.delete_model_version(name, number)
    zenml_sync.delete_version(name, number)


def _is_old(milliseconds: int) -> bool:
    return datetime.now(UTC) - datetime.fromtimestamp(milliseconds / 1000, tz=UTC) >= _REGISTRATION_TIME


def _check_ledger(registry: Registry, name: str) -> list[Inconsistency]:
    holder = registry.holder(name, PRODUCTION)
    history = ledger.production_history(ledger.read_entries(registry.connection, name))
    if holder is None or (history and history[-1] == holder.version):
        return []
    entry = LedgerEntry(
        "repair",
        name,
        holder.version,
        PRODUCTION,
        previous=history[-1] if history else None,
        reasons=("Production alias was set outside of the registry commands",),
    )
    description = f"version {holder.version} is in Production, and the ledger has no entry of it"
    return [Inconsistency(name, description, partial(ledger.append, registry.connection, entry))]


def _check_zenml(name: str, versions: list[RegisteredVersion]) -> list[Inconsistency]:
    zenml_versions = zenml_sync.list_versions(name)
    result = []
    # Holders of Production and Staging come last: ZenML archives the version that another one displaces from a stage.
    for version in sorted(versions, key=lambda one: one.stage in ALIASES):
        difference = _zenml_difference(version, zenml_versions.get(version.version))
        if difference:
            description = f"version {version.version} is in {version.stage}, {difference}"
            result.append(Inconsistency(name, description, partial(sync_to_zenml, version, version.stage)))
    for number in zenml_versions.keys() - {version.version for version in versions}:
        description = f"version {number} exists in ZenML and not in the MLflow registry"
        result.append(Inconsistency(name, description, partial(zenml_sync.delete_version, name, number)))
    return result


def _zenml_difference(version: RegisteredVersion, zenml_version: zenml_sync.ZenmlVersion | None) -> str | None:
    if zenml_version is None:
        return "and missing in ZenML"
    if zenml_version.uri != version.model_uri:
        return "and ZenML has a model of another MLflow store under this number"
    return None if zenml_version.stage == version.stage else f"in ZenML in {zenml_version.stage}"
