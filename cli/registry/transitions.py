"""Commands of the registry that change stages, delete versions, or repair differences between MLflow and ZenML."""

from datetime import UTC, datetime

from accidents.configuration.stages import ARCHIVED, EXCLUSIVE_STAGES, PRODUCTION
from accidents.errors import ConfigurationError
from cli.exit_codes import DONE, FAILED
from cli.output import print_json
from cli.registry import options
from cli.registry.context import RegistryContext, confirm, registry_command


@registry_command("transition", options.MODEL, options.VERSION, options.STAGE, options.JSON)
def transition(context: RegistryContext, model_name: str, version: str, stage: str) -> int:
    """Move a version to a stage."""
    return _move(context, model_name, version, stage, "transition")


@registry_command("promote", options.MODEL, options.VERSION_OR_LATEST, options.PROMOTION_STAGE, options.JSON)
def promote(context: RegistryContext, model_name: str, version: str | None, stage: str) -> int:
    """Move a version, by default the latest, to Production or Staging."""
    return _move(context, model_name, version, stage, "promote")


@registry_command("archive", options.MODEL, options.VERSION, options.JSON)
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


@registry_command("rollback", options.MODEL, options.DRY_RUN, options.JSON)
def rollback(context: RegistryContext, model_name: str, dry_run: bool) -> int:
    """Put the previous Production version back, and let a deployed service serve it."""
    from tracking import stages
    from tracking.deployment import redeploy_if_served

    name = context.registry.resolve_name(model_name)
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


@registry_command("publish", options.PUBLISH_TO, options.JSON)
def publish(context: RegistryContext, to: str | None) -> int:
    """Publish the best Production model in a folder or bucket, for services without MLflow."""
    from tracking.publication import publish_production

    location = to or context.registry.connection.publish_to
    if not location:
        raise ConfigurationError(
            "name the folder or URL: --to, the variable PUBLISHED_MODELS, or publish_to in configs/tracking.yaml"
        )
    published = publish_production(context.registry, location)
    if context.as_json:
        print_json(published.model_dump(mode="json"))
    context.print_text(f"{published.name} {published.version} is published in {location}")
    return DONE


@registry_command("delete-version", options.MODEL, options.VERSION, options.YES)
def delete_version(context: RegistryContext, model_name: str, version: str, yes: bool) -> int:
    """Delete a version."""
    from tracking import stages

    found = context.version(model_name, version)
    if found.stage != PRODUCTION and not confirm(f"Delete {found.title} ({found.stage})?", yes=yes):
        return FAILED
    stages.delete_version(context.registry, found)
    context.print_text(f"{found.title} is deleted")
    return DONE


@registry_command("delete-model", options.MODEL, options.YES)
def delete_model(context: RegistryContext, model_name: str, yes: bool) -> int:
    """Delete a model with all its versions."""
    from tracking import stages

    name = context.registry.resolve_name(model_name)
    count = len(context.registry.versions(name))
    in_production = context.registry.holder(name, PRODUCTION)
    if in_production is None and not confirm(f"Delete {name} with all its {count} versions?", yes=yes):
        return FAILED
    stages.delete_model(context.registry, name)
    context.print_text(f"{name} is deleted")
    return DONE


@registry_command("prune", options.MODEL_OR_ALL, options.DRY_RUN, options.YES)
def prune(context: RegistryContext, model_name: str | None, dry_run: bool, yes: bool) -> int:
    """Delete old versions without a stage, as configs/tracking.yaml sets out."""
    from tracking import stages
    from tracking.pruning import expired_versions

    rule = context.configuration.tracking.pruning
    old = expired_versions(context.registry, context.names(model_name), rule, datetime.now(UTC))
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


@registry_command("convert", options.MODEL_OR_ALL, options.DRY_RUN, options.JSON)
def convert(context: RegistryContext, model_name: str | None, dry_run: bool) -> int:
    """Register versions of an older file format anew: those with a stage, and those that a rollback can go back to."""
    from tracking.conversion import convert_versions

    converted = convert_versions(context.registry, context.names(model_name), dry_run=dry_run)
    if context.as_json:
        print_json(converted)
    for version in converted:
        new_version = version["new_version"] or "would be converted"
        context.print_text(f"{version['name']} {version['version']} -> {new_version} ({version['stage']})")
    if not converted:
        context.print_text("every Staging and Production version has the format of today")
    return DONE


@registry_command("check", options.REPAIR)
def check(context: RegistryContext, repair: bool) -> int:
    """Find what killed commands have left and differences between MLflow and ZenML, and repair them.

    With --dry-run the exit code is 1 if there are any.
    """
    from pipelines.interrupted_runs import end_run, interrupted_runs
    from tracking import reconcile
    from tracking.deployment import services_besides_production

    act = reconcile.repair_inconsistencies if repair else reconcile.find_inconsistencies
    results = [f"{item.model}: {item.description}" for item in act(context.registry)]
    for run in interrupted_runs():
        results.append(f"ZenML run {run.name}: is {run.status.value}, and its process has ended")
        if repair:
            end_run(run)
    for result in results:
        context.print_text(f"{'repaired' if repair else 'found'}: {result}")
    changed = reconcile.find_changed_files(context.registry)
    for description in changed:
        context.print_text(f"found: {description}")
    for service, version in services_besides_production(context.registry):
        context.print_text(
            f"note: {service.name} {service.version} answers at {service.url}, and version {version.version} is in "
            f"Production; to serve that: python run.py --deployment --model-name {version.name}"
        )
    if not results and not changed:
        context.print_text("MLflow and ZenML agree, and the files are those that were registered")
    return FAILED if changed or (results and not repair) else DONE
