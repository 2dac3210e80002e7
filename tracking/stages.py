"""Changes of stages: one at a time, against what was seen before, in MLflow and in ZenML, and into the ledger."""

from dataclasses import replace

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION
from tracking import ledger, zenml_sync
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.lock import model_lock
from tracking.registry import ALIASES, STAGE_TAG, RegisteredVersion, Registry


def transition(
    registry: Registry, version: RegisteredVersion, stage: str, entry: LedgerEntry, seen: RegisteredVersion | None
) -> LedgerEntry:
    """Give a version a stage; whoever held Staging or Production before is archived.

    Args:
        registry: the registry.
        version: the version.
        stage: one of `registry.STAGES`.
        entry: what the ledger is to say; `previous` is filled in here.
        seen: who held the stage when this change was decided; None for nobody.

    Returns:
        The entry as it stands in the ledger.

    Raises:
        RegistryError: somebody else is changing the model, another version has taken the stage since, or nothing would
            change.
    """
    name = version.name
    with model_lock(registry.connection, name):
        current = registry.version(name, version.version)
        if current.stage == stage:
            raise RegistryError(f"{version.title} is in {stage} already")
        holder = registry.holder(name, stage) if stage in ALIASES else None
        if stage in ALIASES and _number(holder) != _number(seen):
            raise RegistryError(
                f"{stage} of {name} has changed since this was decided, from {_told(seen)} to {_told(holder)}: "
                "look again (python run.py registry list-versions) and decide anew"
            )
        _switch(registry, current, stage, holder)
        entry = replace(entry, previous=_number(holder))
        ledger.append(registry.connection, entry)
        if holder:
            sync_to_zenml(holder, ARCHIVED)
        sync_to_zenml(current, stage)
    return entry


def sync_to_zenml(version: RegisteredVersion, stage: str) -> None:
    """Let ZenML know a version and its stage."""
    zenml_sync.add_version(version.name, version.version, version.model_uri, version.metrics)
    zenml_sync.set_stage(version.name, version.version, stage)


def rollback_target(registry: Registry, name: str) -> RegisteredVersion:
    """The version that was in Production before the present one, by the ledger.

    Raises:
        RegistryError: there was none, or none that is still registered.
    """
    there = {one.version: one for one in registry.versions(name)}
    current = registry.holder(name, PRODUCTION)
    held = ledger.production_history(ledger.read_entries(registry.connection, name))
    for number in reversed(held):
        if number in there and number != _number(current):
            return there[number]
    raise RegistryError(f"{name} has no earlier Production version to go back to (python run.py registry history)")


def rollback(registry: Registry, name: str) -> LedgerEntry:
    """Put the previous Production version back.

    Raises:
        RegistryError: there is none, or the model is being changed.
    """
    target, current = rollback_target(registry, name), registry.holder(name, PRODUCTION)
    why = (f"back to {target.version} from {_told(current)}",)
    entry = LedgerEntry("rollback", name, target.version, PRODUCTION, reasons=why)
    return transition(registry, target, PRODUCTION, entry, current)


def _switch(registry: Registry, version: RegisteredVersion, stage: str, holder: RegisteredVersion | None) -> None:
    """Move aliases and tags. The alias comes first: from then on the stage is held."""
    client, name = registry.connection.client, version.name
    if stage in ALIASES:
        client.set_registered_model_alias(name, ALIASES[stage], version.version)
    for held, alias in ALIASES.items():
        if held != stage and alias in version.aliases:
            client.delete_registered_model_alias(name, alias)
    if holder:
        client.set_model_version_tag(name, holder.version, STAGE_TAG, ARCHIVED)
    client.set_model_version_tag(name, version.version, STAGE_TAG, stage)


def delete_version(registry: Registry, version: RegisteredVersion, action: str = "delete") -> None:
    """Delete a version, here and in ZenML.

    Raises:
        RegistryError: it is in Production.
    """
    with model_lock(registry.connection, version.name):
        current = registry.version(version.name, version.version)
        if current.stage == PRODUCTION:
            raise RegistryError(f"{current.title} is in Production and is not deleted: promote another, or archive it")
        client = registry.connection.client
        client.delete_model_version(version.name, version.version)
        if current.model_uri.startswith("models:/m-"):
            client.delete_logged_model(current.model_uri.removeprefix("models:/"))
        ledger.append(registry.connection, LedgerEntry(action, version.name, version.version, NONE))
        zenml_sync.delete_version(version.name, version.version)


def delete_model(registry: Registry, name: str) -> None:
    """Delete a model with all its versions, here and in ZenML.

    Raises:
        RegistryError: a version is in Production.
    """
    with model_lock(registry.connection, name):
        held = registry.holder(name, PRODUCTION)
        if held:
            raise RegistryError(f"{held.title} is in Production: archive it before the model can be deleted")
        registry.connection.client.delete_registered_model(name)
        ledger.append(registry.connection, LedgerEntry("delete", name, ledger.ALL_VERSIONS, NONE))
        zenml_sync.delete_model(name)


def _number(version: RegisteredVersion | None) -> str | None:
    return version.version if version else None


def _told(version: RegisteredVersion | None) -> str:
    return f"version {version.version}" if version else "nobody"
