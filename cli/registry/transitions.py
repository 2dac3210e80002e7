"""Commands of the registry that change stages, delete versions, or repair differences between MLflow and ZenML."""

from datetime import UTC, datetime, timedelta

import click

from accidents.configuration.stages import ARCHIVED, EXCLUSIVE_STAGES, NONE, PRODUCTION
from cli.exit_codes import DONE, FAILED
from cli.options import json_option
from cli.output import print_json
from cli.registry.context import (
    RegistryContext,
    confirm,
    dry_run_option,
    model_option,
    registry_command,
    stage_option,
    version_option,
    yes_option,
)
from tracking.names import resolve_model_name


@registry_command("transition", model_option(), version_option(), stage_option(), json_option)
def transition(context: RegistryContext, model_name: str, version: str, stage: str) -> int:
    """Move a version to a stage."""
    return _move(context, model_name, version, stage, "transition")


@registry_command(
    "promote",
    model_option(),
    version_option(required=False),
    stage_option(EXCLUSIVE_STAGES, PRODUCTION),
    json_option,
)
def promote(context: RegistryContext, model_name: str, version: str | None, stage: str) -> int:
    """Move a version, by default the latest, to Production or Staging."""
    return _move(context, model_name, version, stage, "promote")


@registry_command("archive", model_option(), version_option(), json_option)
def archive(context: RegistryContext, model_name: str, version: str) -> int:
    """Archive a version."""
    return _move(context, model_name, version, ARCHIVED, "archive")


def _move(context: RegistryContext, model_name: str, number: str | None, stage: str, action: str) -> int:
    from tracking import stages
    from tracking.ledger import LedgerEntry

    version = context.version(model_name, number)
    holder = context.registry.holder(version.name, stage) if stage in EXCLUSIVE_STAGES else None
    entry = LedgerEntry(action, version.name, version.version, stage, reasons=(f"on command, from {version.stage}",))
    context.print_entry(stages.transition(context.registry, version, stage, entry, holder))
    return DONE


@registry_command("rollback", model_option(), dry_run_option, json_option)
def rollback(context: RegistryContext, model_name: str, dry_run: bool) -> int:
    """Put the previous Production version back, and let a deployed service serve it."""
    from tracking import stages
    from tracking.deployment import redeploy_if_served

    name = resolve_model_name(model_name)
    if dry_run:
        target, current = stages.rollback_target(context.registry, name), context.registry.holder(name, PRODUCTION)
        in_place_of = f" in place of {current.version}" if current else ""
        if context.as_json:
            print_json({"version": target.version, "previous": current.version if current else None})
        context.print_text(f"would put {target.title} back into Production{in_place_of}")
        return DONE
    context.print_entry(stages.rollback(context.registry, name))
    version = context.registry.in_stage(name, PRODUCTION)
    if deployed := redeploy_if_served(version, context.configuration.deployment):
        gap = f"no service answered for {deployed.downtime_seconds:.0f} s"
        context.print_text(f"{version.title} answers at {deployed.service.url}; {gap}")
    return DONE


@registry_command("delete-version", model_option(), version_option(), yes_option)
def delete_version(context: RegistryContext, model_name: str, version: str, yes: bool) -> int:
    """Delete a version."""
    from tracking import stages

    found = context.version(model_name, version)
    if found.stage != PRODUCTION and not confirm(f"Delete {found.title} ({found.stage})?", yes=yes):
        return FAILED
    stages.delete_version(context.registry, found)
    context.print_text(f"{found.title} is deleted")
    return DONE


@registry_command("delete-model", model_option(), yes_option)
def delete_model(context: RegistryContext, model_name: str, yes: bool) -> int:
    """Delete a model with all its versions."""
    from tracking import stages

    name = resolve_model_name(model_name)
    count = len(context.registry.versions(name))
    in_production = context.registry.holder(name, PRODUCTION)
    if in_production is None and not confirm(f"Delete {name} with all its {count} versions?", yes=yes):
        return FAILED
    stages.delete_model(context.registry, name)
    context.print_text(f"{name} is deleted")
    return DONE


@registry_command("prune", model_option(required=False), dry_run_option, yes_option)
def prune(context: RegistryContext, model_name: str | None, dry_run: bool, yes: bool) -> int:
    """Delete old versions without a stage, as configs/tracking.yaml sets out."""
    from tracking import stages

    rule = context.configuration.tracking.pruning
    before = datetime.now(UTC) - timedelta(days=rule.older_than_days)
    old = [
        version
        for name in context.names(model_name)
        for version in context.registry.versions(name)[rule.keep_latest :]
        if version.stage == NONE and version.created <= before
    ]
    titles = ", ".join(version.title for version in old)
    if not old:
        context.print_text(
            f"nothing to delete: the {rule.keep_latest} latest are kept, others for {rule.older_than_days:g} days"
        )
    elif dry_run:
        context.print_text(f"would delete {titles}")
    elif confirm(f"Delete {titles}?", yes=yes):
        for version in old:
            stages.delete_version(context.registry, version, "prune")
        context.print_text(f"deleted {titles}")
    return DONE


@registry_command("convert", model_option(required=False), dry_run_option, json_option)
def convert(context: RegistryContext, model_name: str | None, dry_run: bool) -> int:
    """Register versions of an older file format anew: those with a stage, and those that a rollback can go back to."""
    from tracking.conversion import convert_versions

    converted = convert_versions(context.registry, context.names(model_name), dry_run=dry_run)
    if context.as_json:
        print_json(converted)
    for one in converted:
        context.print_text(
            f"{one['name']} {one['version']} -> {one['new_version'] or 'would be converted'} ({one['stage']})"
        )
    if not converted:
        context.print_text("every Staging and Production version has the format of today")
    return DONE


@registry_command("check", click.option("--dry-run", is_flag=True, help="only print the differences"))
def check(context: RegistryContext, dry_run: bool) -> int:
    """Find differences between MLflow and ZenML, and repair them; exit code 1 if some are left."""
    from tracking import reconcile

    act = reconcile.find_inconsistencies if dry_run else reconcile.repair_inconsistencies
    inconsistencies = act(context.registry)
    for item in inconsistencies:
        context.print_text(f"{'found' if dry_run else 'repaired'}: {item.model}: {item.description}")
    if not inconsistencies:
        context.print_text("MLflow and ZenML agree")
    return FAILED if inconsistencies and dry_run else DONE
