"""Commands of the registry that change stages, delete, or mend."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGING
from cli.exit_codes import DONE, FAILED
from cli.registry.context import Desk
from tracking import reconcile, stages
from tracking.deployment import redeploy_if_served
from tracking.ledger import LedgerEntry
from tracking.registry import RegisteredVersion


def give_stage(desk: Desk) -> int:
    """Give a version a stage."""
    return _move(desk, desk.version, desk.given.stage, "transition")


def promote(desk: Desk) -> int:
    """Give a version Production or Staging."""
    return _move(desk, desk.version, desk.given.stage, "promote")


def archive(desk: Desk) -> int:
    """Archive a version."""
    return _move(desk, desk.version, ARCHIVED, "archive")


def _move(desk: Desk, version: RegisteredVersion, stage: str, action: str) -> int:
    seen = desk.registry.holder(version.name, stage) if stage in (PRODUCTION, STAGING) else None
    entry = LedgerEntry(action, version.name, version.version, stage, reasons=(f"on command, from {version.stage}",))
    _told(desk, stages.transition(desk.registry, version, stage, entry, seen))
    return DONE


def rollback(desk: Desk) -> int:
    """Put the previous Production version back, or say which that is."""
    if desk.given.dry_run:
        target, current = stages.rollback_target(desk.registry, desk.name), desk.registry.holder(desk.name, PRODUCTION)
        place = f" in place of {current.version}" if current else ""
        if desk.given.json:
            print(json.dumps({"version": target.version, "previous": current.version if current else None}))
        desk.say(f"would put {target.title} back into Production{place}")
        return DONE
    _told(desk, stages.rollback(desk.registry, desk.name))
    _follow(desk)
    return DONE


def _follow(desk: Desk) -> None:
    """Let a service of the model deployer of the stack serve what is in Production again."""
    current = desk.registry.in_stage(desk.name, PRODUCTION)
    deployed = redeploy_if_served(current, desk.configuration.deployment)
    if deployed:
        gap = f"nobody answered for {deployed.downtime_seconds:.0f} s"
        desk.say(f"{current.title} answers at {deployed.service.url}; {gap}")


def delete_version(desk: Desk) -> int:
    """Delete a version."""
    version = desk.version
    if version.stage != PRODUCTION and not desk.sure(f"Delete {version.title} ({version.stage})?"):
        return FAILED
    stages.delete_version(desk.registry, version)
    desk.say(f"{version.title} is deleted")
    return DONE


def delete_model(desk: Desk) -> int:
    """Delete a model with all its versions."""
    name, count = desk.name, len(desk.registry.versions(desk.name))
    held = desk.registry.holder(name, PRODUCTION)
    if held is None and not desk.sure(f"Delete {name} with all its {count} versions?"):
        return FAILED
    stages.delete_model(desk.registry, name)
    desk.say(f"{name} is deleted")
    return DONE


def prune(desk: Desk) -> int:
    """Delete old versions without a stage."""
    rule = desk.configuration.tracking.pruning
    before = datetime.now(UTC) - timedelta(days=rule.older_than_days)
    old = [
        version
        for name in desk.names
        for version in desk.registry.versions(name)[rule.keep_latest :]
        if version.stage == NONE and version.created <= before
    ]
    told = ", ".join(version.title for version in old)
    if not old:
        desk.say(f"nothing to delete: the {rule.keep_latest} latest stay, others for {rule.older_than_days:g} days")
    elif desk.given.dry_run:
        desk.say(f"would delete {told}")
    elif desk.sure(f"Delete {told}?"):
        for version in old:
            stages.delete_version(desk.registry, version, "prune")
        desk.say(f"deleted {told}")
    return DONE


def check(desk: Desk) -> int:
    """Find what does not fit, and mend it; exit code 1 where something does not and was left."""
    found = (
        reconcile.find_inconsistencies(desk.registry)
        if desk.given.dry_run
        else reconcile.repair_inconsistencies(desk.registry)
    )
    for fault in found:
        desk.say(f"{'found' if desk.given.dry_run else 'mended'}: {fault.model}: {fault.description}")
    if not found:
        desk.say("MLflow and ZenML agree")
    return FAILED if found and desk.given.dry_run else DONE


def _told(desk: Desk, entry: LedgerEntry) -> None:
    if desk.given.json:
        print(json.dumps(asdict(entry), indent=2))
    archived = f"; {entry.previous} is archived" if entry.previous else ""
    desk.say(f"{entry.model} {entry.version} is in {entry.stage}{archived}")
