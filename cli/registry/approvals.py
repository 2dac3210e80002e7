"""Commands of the registry by which a person decides about the candidate of a retraining."""

from typing import TYPE_CHECKING

import click

from accidents.configuration.stages import PRODUCTION
from cli.decorators import record_database
from cli.exit_codes import DONE
from cli.registry.context import RegistryContext, registry_command

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from serving.records.retrainings import Retraining

_EVENT = click.argument("event", metavar="ID")
_REASON = click.option("--reason", required=True, metavar="TEXT", help="why, for the ledger")


@registry_command("retrainings")
def retrainings(context: RegistryContext) -> int:
    """Events that models were trained again for, and how they ended."""
    from serving.records.retrainings import list_retrainings

    with record_database(context.configuration.serving.records) as database:
        events = list_retrainings(database.engine)
    for one in events:
        context.print_text(f"{one.event}: {one.model} {one.version or ''} {one.state}, {one.changed_at:%Y-%m-%d %H:%M}")
        for reason in one.explanation:
            context.print_text(f"  {reason}")
    if not events:
        context.print_text("no model was trained again")
    return DONE


@registry_command("approve", _EVENT, _REASON)
def approve(context: RegistryContext, event: str, reason: str) -> int:
    """Promote the candidate of a retraining that waits for a decision."""
    from tracking.retraining import approve_candidate

    with record_database(context.configuration.serving.records) as database:
        engine = database.engine
        waiting = _waiting(engine, event)
        candidate = context.registry.version(waiting.model, str(waiting.version))
        incumbent = event.rsplit("-", 2)[1]
        text = f"approved by a person: {reason}"
        if candidate.stage != PRODUCTION:  # else a killed command has promoted it
            context.print_entry(approve_candidate(context.registry, candidate, incumbent, (text, *waiting.explanation)))
        _end(engine, waiting, PRODUCTION, text)
    return DONE


@registry_command("reject", _EVENT, _REASON)
def reject(context: RegistryContext, event: str, reason: str) -> int:
    """Reject the candidate of a retraining that waits for a decision."""
    from serving.records.retrainings import REJECTED
    from tracking.retraining import reject_candidate

    with record_database(context.configuration.serving.records) as database:
        engine = database.engine
        waiting = _waiting(engine, event)
        candidate = context.registry.version(waiting.model, str(waiting.version))
        text = f"rejected by a person: {reason}"
        reject_candidate(context.registry, candidate, (text,))
        _end(engine, waiting, REJECTED, text)
    context.print_text(f"{candidate.title} is rejected")
    return DONE


def _waiting(engine: "Engine", event: str) -> "Retraining":
    from accidents.errors import ConfigurationError
    from serving.records.retrainings import WAITING, find_retraining, list_retrainings

    found = find_retraining(engine, event)
    if found is None or found.state != WAITING:
        waiting = [one.event for one in list_retrainings(engine) if one.state == WAITING]
        state = "is not known" if found is None else f"is {found.state}"
        raise ConfigurationError(f"{event} {state}; waiting: {', '.join(waiting) or 'none'}")
    return found


def _end(engine: "Engine", waiting: "Retraining", state: str, reason: str) -> None:
    from serving.records.retrainings import WAITING, set_state

    set_state(engine, waiting.event, state, [reason], version=waiting.version, expected=WAITING)
