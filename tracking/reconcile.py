"""Differences between the MLflow registry, its own tags and ledger, and ZenML; found, and mended on request."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from accidents.configuration.stages import NONE, PRODUCTION, STAGING
from tracking import ledger, lock, zenml_sync
from tracking.ledger import LedgerEntry
from tracking.names import registered_names
from tracking.registry import ALIASES, STAGE_TAG, RegisteredVersion, Registry
from tracking.stages import sync_to_zenml


@dataclass(frozen=True)
class Inconsistency:
    """Something that does not fit, and how it is mended: the aliases of the MLflow registry are what counts."""

    model: str
    what: str
    mend: Callable[[], None]


def find_inconsistencies(registry: Registry) -> list[Inconsistency]:
    """Everything that does not fit, model by model."""
    return [fault for name in _names() for fault in (*_locks(registry, name), *_faults(registry, name))]


def repair_inconsistencies(registry: Registry) -> list[Inconsistency]:
    """Mend everything that does not fit, each model under its lock, and say what it was.

    Raises:
        RegistryError: somebody is changing a model at this moment.
    """
    done = []
    for name in _names():
        for fault in _locks(registry, name):
            fault.mend()
            done.append(fault)
        if _faults(registry, name):
            with lock.model_lock(registry.connection, name):
                for fault in _faults(registry, name):
                    fault.mend()
                    done.append(fault)
    return done


def _names() -> list[str]:
    """Every name a model can have, also of those that MLflow has lost."""
    return sorted(registered_names().values())


def _faults(registry: Registry, name: str) -> list[Inconsistency]:
    if name not in registry.models():
        return _lost(registry, name) if zenml_sync.list_versions(name) else []
    found = registry.versions(name)
    return [
        *(fault for version in found for fault in _aliases(registry, version)),
        *(fault for version in found for fault in _tags(registry, version)),
        *_history(registry, name),
        *_mirrored(name, found),
    ]


def _lost(registry: Registry, name: str) -> list[Inconsistency]:
    """A model that was deleted in MLflow itself; the ledger is told, since MLflow counts the next from 1 again."""

    def mend() -> None:
        ledger.append(
            registry.connection, LedgerEntry("delete", name, ledger.ALL_VERSIONS, NONE, reasons=("found deleted",))
        )
        zenml_sync.delete_model(name)

    return [Inconsistency(name, "ZenML knows it, and the MLflow registry does not", mend)]


def _locks(registry: Registry, name: str) -> list[Inconsistency]:
    owner = lock.stale_lock_owner(registry.connection, name)
    return (
        [Inconsistency(name, f"locked by {owner}, long ago", lambda: lock.release_lock(registry.connection, name))]
        if owner
        else []
    )


def _aliases(registry: Registry, version: RegisteredVersion) -> list[Inconsistency]:
    if not set(ALIASES.values()) <= set(version.aliases):
        return []

    def mend() -> None:
        registry.connection.client.delete_registered_model_alias(version.name, ALIASES[STAGING])

    return [Inconsistency(version.name, f"version {version.version} is in Staging and in Production at once", mend)]


def _tags(registry: Registry, version: RegisteredVersion) -> list[Inconsistency]:
    tag = version.tags.get(STAGE_TAG, NONE)
    if tag == version.stage:
        return []

    def mend() -> None:
        registry.connection.client.set_model_version_tag(version.name, version.version, STAGE_TAG, version.stage)

    what = f"version {version.version} is in {version.stage} and its tag says {tag}"
    return [Inconsistency(version.name, what, mend)]


def _history(registry: Registry, name: str) -> list[Inconsistency]:
    holder = registry.holder(name, PRODUCTION)
    held = ledger.production_history(ledger.read_entries(registry.connection, name))
    if holder is None or (held and held[-1] == holder.version):
        return []
    previous = held[-1] if held else None
    entry = LedgerEntry("mend", name, holder.version, PRODUCTION, previous, reasons=("found in Production",))
    what = f"version {holder.version} is in Production and the ledger does not know of it"
    return [Inconsistency(name, what, lambda: ledger.append(registry.connection, entry))]


def _mirrored(name: str, found: list[RegisteredVersion]) -> list[Inconsistency]:
    theirs = zenml_sync.list_versions(name)
    find_inconsistencies = []
    # Holders of Production and Staging come last: ZenML archives whoever held a stage when another version takes it.
    for version in sorted(found, key=lambda one: one.stage in ALIASES):
        told = _told(version, theirs.get(version.version))
        if told:
            what = f"version {version.version} is in {version.stage} and ZenML {told}"
            find_inconsistencies.append(Inconsistency(name, what, partial(sync_to_zenml, version, version.stage)))
    numbers = {version.version for version in found}
    for number in theirs.keys() - numbers:
        what = f"version {number} is in ZenML and not in the MLflow registry"
        find_inconsistencies.append(Inconsistency(name, what, partial(zenml_sync.delete_version, name, number)))
    return find_inconsistencies


def _told(version: RegisteredVersion, known: zenml_sync.ZenmlVersion | None) -> str | None:
    """What ZenML says wrongly of a version."""
    if known is None:
        return "does not know it"
    if known.uri != version.model_uri:
        return "has a model of another store under this number"
    return None if known.stage == version.stage else f"says {known.stage}"
