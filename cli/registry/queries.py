"""Commands of the registry that only look."""

from dataclasses import asdict
from pathlib import Path

from accidents.configuration.stages import PRODUCTION, STAGING
from cli.exit_codes import DONE
from cli.registry.context import Desk, facts
from tracking import ledger
from tracking.registry import RegisteredVersion

_SHOWN = ("f1", "roc_auc", "precision", "recall", "ece")


def list_models(desk: Desk) -> int:
    """Registered models and who holds their stages."""
    found = {name: desk.registry.versions(name) for name in desk.registry.models()}
    values = [
        {
            "name": name,
            "versions": len(versions),
            "latest": versions[0].version if versions else None,
            "production": _held(versions, PRODUCTION),
            "staging": _held(versions, STAGING),
        }
        for name, versions in found.items()
    ]
    if not values:
        desk.say("no model is registered yet: python run.py --training")
    columns = ("model", "versions", "latest", PRODUCTION, STAGING)
    desk.show(values, columns, [[str(value or "") for value in one.values()] for one in values])
    return DONE


def list_versions(desk: Desk) -> int:
    """Versions with stages and figures."""
    found = [version for name in desk.names for version in desk.registry.versions(name)]
    rows = [
        [
            one.name,
            one.version,
            one.stage,
            f"{one.created:%Y-%m-%d %H:%M}",
            Path(one.tags.get("source", "")).name,
            one.tags.get("level", ""),
            one.tags.get("training_method", ""),
            *(f"{one.metrics[name]:.3f}" if name in one.metrics else "" for name in _SHOWN),
        ]
        for one in found
    ]
    columns = ("model", "version", "stage", "registered (UTC)", "source", "level", "method", *_SHOWN)
    desk.show([facts(one) for one in found], columns, rows)
    return DONE


def get_model(desk: Desk) -> int:
    """One version and everything known of it."""
    given, name = desk.given, desk.name
    found = desk.version if given.version is not None else desk.registry.in_stage(name, given.stage)
    values = facts(found)
    told = {**values, **values["metrics"], **values["tags"]}
    rows = [[key, str(value)] for key, value in told.items() if key not in {"metrics", "tags"}]
    desk.show(values, ("", found.title), rows)
    return DONE


def history(desk: Desk) -> int:
    """The ledger, the latest first."""
    name = desk.name if desk.given.model_name is not None else None
    found = ledger.read_entries(desk.registry.connection, name)[::-1]
    rows = [
        [
            one.when[:19].replace("T", " "),
            one.who,
            one.action,
            f"{one.model} {one.version}",
            one.stage,
            one.previous or "",
            "" if one.approved is None else ("yes" if one.approved else "no"),
            _why(one),
        ]
        for one in found
    ]
    columns = ("when (UTC)", "who", "what", "version", "stage", "in place of", "approved", "why")
    desk.show([asdict(one) for one in found], columns, rows)
    return DONE


def _why(entry: ledger.LedgerEntry) -> str:
    """The reasons; of an approval only on what it was measured, since all checks held then (`--json` has them)."""
    if not entry.approved:
        return "\n".join(entry.reasons)
    return f"{entry.reasons[0]}; {len(entry.reasons) - 1} checks hold"


def _held(versions: list[RegisteredVersion], stage: str) -> str | None:
    return next((one.version for one in versions if one.stage == stage), None)
