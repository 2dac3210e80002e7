"""Differences between the MLflow registry, its own tags and ledger, and ZenML; found, and mended on request."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tracking import ledger, lock, zenml_sync
from tracking.ledger import Entry
from tracking.names import registered_names
from tracking.registry import ALIASES, NONE, PRODUCTION, STAGE_TAG, STAGING, Registry, Version
from tracking.stages import show_in_zenml


@dataclass(frozen=True)
class Fault:
    """Something that does not fit, and how it is mended: the aliases of the MLflow registry are what counts."""

    model: str
    what: str
    mend: Callable[[], None]


def faults(registry: Registry) -> list[Fault]:
    """Everything that does not fit, model by model."""
    return [fault for name in _names() for fault in (*_locks(registry, name), *_faults(registry, name))]


def mended(registry: Registry) -> list[Fault]:
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
            with lock.locked(registry.connection, name):
                for fault in _faults(registry, name):
                    fault.mend()
                    done.append(fault)
    return done


def _names() -> list[str]:
    """Every name a model can have, also of those that MLflow has lost."""
    return sorted(registered_names().values())


def _faults(registry: Registry, name: str) -> list[Fault]:
    if name not in registry.models():
        return _lost(registry, name) if zenml_sync.known(name) else []
    found = registry.versions(name)
    return [
        *(fault for version in found for fault in _aliases(registry, version)),
        *(fault for version in found for fault in _tags(registry, version)),
        *_history(registry, name),
        *_mirrored(name, found),
    ]


def _lost(registry: Registry, name: str) -> list[Fault]:
    """A model that was deleted in MLflow itself; the ledger is told, since MLflow counts the next from 1 again."""

    def mend() -> None:
        ledger.add(registry.connection, Entry("delete", name, ledger.ALL, NONE, reasons=("found deleted",)))
        zenml_sync.delete_model(name)

    return [Fault(name, "ZenML knows it, and the MLflow registry does not", mend)]


def _locks(registry: Registry, name: str) -> list[Fault]:
    owner = lock.abandoned(registry.connection, name)
    return (
        [Fault(name, f"locked by {owner}, long ago", lambda: lock.release(registry.connection, name))] if owner else []
    )


def _aliases(registry: Registry, version: Version) -> list[Fault]:
    if not set(ALIASES.values()) <= set(version.aliases):
        return []

    def mend() -> None:
        registry.connection.client.delete_registered_model_alias(version.name, ALIASES[STAGING])

    return [Fault(version.name, f"version {version.version} is in Staging and in Production at once", mend)]


def _tags(registry: Registry, version: Version) -> list[Fault]:
    tag = version.tags.get(STAGE_TAG, NONE)
    if tag == version.stage:
        return []

    def mend() -> None:
        registry.connection.client.set_model_version_tag(version.name, version.version, STAGE_TAG, version.stage)

    what = f"version {version.version} is in {version.stage} and its tag says {tag}"
    return [Fault(version.name, what, mend)]


def _history(registry: Registry, name: str) -> list[Fault]:
    holder = registry.holder(name, PRODUCTION)
    held = ledger.held_production(ledger.entries(registry.connection, name))
    if holder is None or (held and held[-1] == holder.version):
        return []
    previous = held[-1] if held else None
    entry = Entry("mend", name, holder.version, PRODUCTION, previous, reasons=("found in Production",))
    what = f"version {holder.version} is in Production and the ledger does not know of it"
    return [Fault(name, what, lambda: ledger.add(registry.connection, entry))]


def _mirrored(name: str, found: list[Version]) -> list[Fault]:
    theirs = zenml_sync.known(name)
    faults = []
    # Holders of Production and Staging come last: ZenML archives whoever held a stage when another version takes it.
    for version in sorted(found, key=lambda one: one.stage in ALIASES):
        told = _told(version, theirs.get(version.version))
        if told:
            what = f"version {version.version} is in {version.stage} and ZenML {told}"
            faults.append(Fault(name, what, partial(show_in_zenml, version, version.stage)))
    numbers = {version.version for version in found}
    for number in theirs.keys() - numbers:
        what = f"version {number} is in ZenML and not in the MLflow registry"
        faults.append(Fault(name, what, partial(zenml_sync.delete_version, name, number)))
    return faults


def _told(version: Version, known: zenml_sync.Known | None) -> str | None:
    """What ZenML says wrongly of a version."""
    if known is None:
        return "does not know it"
    if known.uri != version.model_uri:
        return "has a model of another store under this number"
    return None if known.stage == version.stage else f"says {known.stage}"
