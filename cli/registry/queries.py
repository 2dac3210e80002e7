"""Commands of the registry that read: list-models, list-versions, get-model, history."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.configuration.stages import PRODUCTION, STAGING
from cli.exit_codes import DONE
from cli.registry import options
from cli.registry.context import RegistryContext, registry_command, version_as_dict

if TYPE_CHECKING:
    from tracking.ledger import LedgerEntry
    from tracking.registry import RegisteredVersion

_METRICS = ("f1", "roc_auc", "precision", "recall", "ece")


@registry_command("list-models", options.JSON)
def list_models(context: RegistryContext) -> int:
    """List registered models with their versions in Production and Staging."""
    values = [
        {
            "name": name,
            "versions": len(versions),
            "latest": versions[0].version if versions else None,
            "production": _in_stage(versions, PRODUCTION),
            "staging": _in_stage(versions, STAGING),
        }
        for name in context.registry.models()
        for versions in [context.registry.versions(name)]
    ]
    if not values:
        context.print_text("no model is registered yet: python run.py --training")
    columns = ("model", "versions", "latest", PRODUCTION, STAGING)
    context.print_table(values, columns, [[str(value or "") for value in row.values()] for row in values])
    return DONE


@registry_command("list-versions", options.MODEL_OR_ALL, options.JSON)
def list_versions(context: RegistryContext, model_name: str | None) -> int:
    """List versions with stages and metrics."""
    versions = [version for name in context.names(model_name) for version in context.registry.versions(name)]
    rows = [
        [
            version.name,
            version.version,
            version.stage,
            f"{version.created:%Y-%m-%d %H:%M}",
            Path(version.tags.get("source", "")).name,
            version.tags.get("level", ""),
            version.tags.get("training_method", ""),
            *(f"{version.metrics[name]:.3f}" if name in version.metrics else "" for name in _METRICS),
        ]
        for version in versions
    ]
    columns = ("model", "version", "stage", "registered (UTC)", "source", "level", "method", *_METRICS)
    context.print_table([version_as_dict(version) for version in versions], columns, rows)
    return DONE


@registry_command("get-model", options.MODEL, options.STAGE_OR_CONFIGURED, options.VERSION_OR_LATEST, options.JSON)
def get_model(context: RegistryContext, model_name: str, stage: str | None, version: str | None) -> int:
    """Show one version with its metrics and tags."""
    stage = stage or context.configuration.tracking.mlflow.model_registry.production_stage
    found = (
        context.registry.in_stage(context.registry.resolve_name(model_name), stage)
        if version is None
        else context.version(model_name, version)
    )
    values = version_as_dict(found)
    flat = {**values, **values["metrics"], **values["tags"]}
    rows = [[name, str(value)] for name, value in flat.items() if name not in {"metrics", "tags"}]
    context.print_table(values, ("", found.title), rows)
    return DONE


@registry_command("history", options.MODEL_OR_ALL, options.JSON)
def history(context: RegistryContext, model_name: str | None) -> int:
    """Show the ledger, the latest first: who changed and decided what, when and why."""
    from tracking import ledger

    name = None if model_name is None else context.registry.resolve_name(model_name)
    entries = ledger.read_entries(context.registry.connection, name)[::-1]
    rows = [
        [
            entry.when[:19].replace("T", " "),
            entry.who,
            entry.action,
            f"{entry.model} {entry.version}",
            entry.stage,
            entry.previous or "",
            "" if entry.approved is None else ("yes" if entry.approved else "no"),
            _reasons(entry),
        ]
        for entry in entries
    ]
    columns = ("when (UTC)", "who", "what", "version", "stage", "in place of", "approved", "why")
    context.print_table([asdict(entry) for entry in entries], columns, rows)
    return DONE


def _reasons(entry: "LedgerEntry") -> str:
    """The reasons; of an approval their number in place of the checks, which all hold (`--json` has them)."""
    from tracking.promotion import MEASURED_ON

    measured = [number for number, reason in enumerate(entry.reasons, 1) if reason.startswith(MEASURED_ON)]
    if not entry.approved or not measured:
        return "\n".join(entry.reasons)
    return "\n".join(entry.reasons[: measured[0]]) + f"; {len(entry.reasons) - measured[0]} checks hold"


def _in_stage(versions: list["RegisteredVersion"], stage: str) -> str | None:
    return next((version.version for version in versions if version.stage == stage), None)
