"""Stage transitions, rollback and deletion of registered versions, in MLflow, ledger and ZenML."""

from dataclasses import replace

from accidents.configuration.stages import ARCHIVED, EXCLUSIVE_STAGES, NONE, PRODUCTION
from tracking import ledger, zenml_sync
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.lock import model_lock
from tracking.publication import publish_after_change
from tracking.registry import ALIASES, STAGE_TAG, RegisteredVersion, Registry


def transition(
    registry: Registry,
    version: RegisteredVersion,
    stage: str,
    entry: LedgerEntry,
    expected_holder: RegisteredVersion | None,
) -> LedgerEntry:
    """Move a version to a stage; the version that held Staging or Production before is archived.

    Args:
        registry: the registry.
        version: the version.
        stage: one of `STAGES`.
        entry: ledger entry of the transition; its `previous` becomes the holder of the stage, if there is one.
        expected_holder: the holder of the stage when the transition was decided; None without one.

    Returns:
        The ledger entry with `previous`.

    Raises:
        RegistryError: another process is changing the model, the stage has another holder than expected, or the
            version is in the stage already.
        PublicationError: the stage is changed, and the model in Production could not be published.
    """
    name = version.name
    with model_lock(registry.connection, name) as lock:
        current = registry.version(name, version.version)
        if current.stage == stage:
            raise RegistryError(f"{version.title} is in {stage} already")
        holder = registry.holder(name, stage) if stage in ALIASES else None
        if stage in ALIASES and _number(holder) != _number(expected_holder):
            raise RegistryError(
                f"{stage} of {name} has changed since this was decided, from {_describe(expected_holder)} to "
                f"{_describe(holder)}: check it (python run.py registry list-versions) and decide again"
            )
        lock.check()
        _set_aliases_and_tags(registry, current, stage, holder)
        entry = replace(entry, previous=_number(holder) or entry.previous)
        ledger.append(registry.connection, entry)
        sync_model(registry, name)
    if PRODUCTION in {stage, current.stage}:
        publish_after_change(registry)
    return entry


def sync_model(registry: Registry, name: str) -> None:
    """Add the versions of a model that are missing in ZenML, in ascending order, and set stages that differ there."""
    versions = registry.versions(name)[::-1]
    existing = zenml_sync.list_versions(name)
    differs = False
    for one in versions:
        known = existing.get(one.version)
        differs |= known is None or (known.uri, known.name) != (one.model_uri, one.version)
        if differs:
            existing[one.version] = zenml_sync.add_version(
                name, one.version, one.model_uri, one.metrics, one.training_facts, one.description
            )
    # Holders of Production and Staging come last: ZenML archives the version that another one displaces from a stage.
    for one in sorted(versions, key=lambda one: one.stage in ALIASES):
        if existing[one.version].stage != one.stage:
            zenml_sync.set_stage(name, one.version, one.stage)


def rollback_target(registry: Registry, name: str) -> RegisteredVersion:
    """The version that held Production before the current one, according to the ledger.

    Raises:
        RegistryError: there is none that is still registered.
    """
    versions = {one.version: one for one in registry.versions(name)}
    current = registry.holder(name, PRODUCTION)
    history = ledger.production_history(ledger.read_entries(registry.connection, name))
    for number in reversed(history):
        if number in versions and number != _number(current):
            return versions[number]
    raise RegistryError(f"{name} has no earlier Production version to go back to (python run.py registry history)")


def rollback(registry: Registry, name: str) -> LedgerEntry:
    """Move the previous Production version back to Production.

    Raises:
        RegistryError: there is none, or another process is changing the model.
    """
    target, current = rollback_target(registry, name), registry.holder(name, PRODUCTION)
    reasons = (f"back to version {target.version} from {_describe(current)}",)
    entry = LedgerEntry("rollback", name, target.version, PRODUCTION, reasons=reasons)
    return transition(registry, target, PRODUCTION, entry, current)


def _set_aliases_and_tags(
    registry: Registry, version: RegisteredVersion, stage: str, holder: RegisteredVersion | None
) -> None:
    """Set aliases, then tags. The alias decides which version holds a stage."""
    client, name = registry.connection.client, version.name
    if stage in ALIASES:
        client.set_registered_model_alias(name, ALIASES[stage], version.version)
    for other, alias in ALIASES.items():
        if other != stage and alias in version.aliases:
            client.delete_registered_model_alias(name, alias)
    if holder:
        client.set_model_version_tag(name, holder.version, STAGE_TAG, ARCHIVED)
    client.set_model_version_tag(name, version.version, STAGE_TAG, stage)


def delete_version(registry: Registry, version: RegisteredVersion, action: str = "delete") -> None:
    """Delete a version in MLflow and ZenML.

    Raises:
        RegistryError: the version is in Production.
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
    """Delete a model with all its versions in MLflow and ZenML.

    Raises:
        RegistryError: a version is in Production.
    """
    with model_lock(registry.connection, name):
        holder = registry.holder(name, PRODUCTION)
        if holder:
            raise RegistryError(f"{holder.title} is in Production: archive it before the model can be deleted")
        registry.connection.client.delete_registered_model(name)
        ledger.append(registry.connection, LedgerEntry("delete", name, ledger.ALL_VERSIONS, NONE))
        zenml_sync.delete_model(name)


def _number(version: RegisteredVersion | None) -> str | None:
    return version.version if version else None


def _describe(version: RegisteredVersion | None) -> str:
    return f"version {version.version}" if version else "no version"


def versions_in_use(registry: Registry, name: str) -> list[RegisteredVersion]:
    """Holders of Staging and Production, and earlier holders of Production, to which a rollback may return."""
    history = ledger.production_history(ledger.read_entries(registry.connection, name))
    return [one for one in registry.versions(name) if one.stage in EXCLUSIVE_STAGES or one.version in history]
