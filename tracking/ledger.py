"""The ledger: an append-only log of decisions about and changes of registered versions.

Every entry is a run of the MLflow experiment `…-ledger`, so that the log is stored with the registry.
"""

import getpass
import json
import socket
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from accidents.process_owner import ProcessOwner
from tracking.connection import Connection, get_or_create_experiment
from tracking.interrupted_runs import PROCESS_TAG

_ENTRY_TAG = "entry"
_MAX_CHARACTERS = 7_500  # MLflow limits the value of a tag to 8,000
_PAGE_SIZE = 1_000

_CHANGES = frozenset({"transition", "promote", "rollback", "repair", "mend"})  # "mend" in entries of version 0.1
_DELETIONS = frozenset({"delete", "prune"})
ALL_VERSIONS = "all"
"""Version of an entry that is about a whole model."""


@dataclass(frozen=True)
class LedgerEntry:
    """One decision or change.

    Attributes:
        action: `transition`, `promote`, `rollback`, `archive`, `evaluate`, `reject`, `delete`, `prune`, `repair`
            or `convert`.
        model: registered model name.
        version: the version that takes the stage, or was evaluated for it.
        stage: the stage concerned.
        previous: the version that held the stage before.
        approved: decision of the promotion rule; None where it was not evaluated.
        reasons: reasons of the decision, one sentence each.
        figures: measured values behind the decision.
        who: user and host.
        when: time in UTC, ISO 8601.
    """

    action: str
    model: str
    version: str
    stage: str
    previous: str | None = None
    approved: bool | None = None
    reasons: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    who: str = field(default_factory=lambda: f"{getpass.getuser()}@{socket.gethostname()}")
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


def append(connection: Connection, entry: LedgerEntry) -> None:
    """Append an entry."""
    client, text = connection.client, _serialise(entry)
    run = client.create_run(
        experiment_id(connection),
        run_name=f"{entry.model} {entry.version} {entry.action} {entry.stage}".strip(),
        tags={_ENTRY_TAG: text, "model": entry.model, PROCESS_TAG: str(ProcessOwner.current())},
    )
    client.set_terminated(run.info.run_id)


def read_entries(connection: Connection, model: str | None = None) -> list[LedgerEntry]:
    """Entries of one model, or of all, oldest first."""
    client, token, entries = connection.client, None, []
    while True:
        page = client.search_runs(
            [experiment_id(connection)],
            filter_string=f"tags.model = '{model}'" if model else "",
            max_results=_PAGE_SIZE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        entries += [_deserialise(run.data.tags[_ENTRY_TAG]) for run in page if _ENTRY_TAG in run.data.tags]
        token = page.token
        if not token:
            return sorted(entries, key=lambda entry: entry.when)


def production_history(entries: list[LedgerEntry]) -> list[str]:
    """Versions that have held Production, in order, without those deleted or rolled back since.

    A converted version stands for the one that it was converted from.
    """
    history: list[str] = []
    for entry in entries:
        if entry.action in _DELETIONS:
            history = [number for number in history if entry.version not in {number, ALL_VERSIONS}]
        if entry.action == "convert":  # the same model in another file
            history = [entry.version if number == entry.previous else number for number in history]
        if entry.stage != "Production" or entry.action not in _CHANGES:
            continue
        while entry.action == "rollback" and history and history[-1] != entry.version:
            history.pop()
        if not history or history[-1] != entry.version:
            history.append(entry.version)
    return history


def _serialise(entry: LedgerEntry) -> str:
    """An entry as JSON that fits into a tag: figures are dropped first, then reasons are cut, the last one first."""
    content = asdict(entry)
    if len(json.dumps(content)) > _MAX_CHARACTERS:
        content["figures"] = {}
    while len(text := json.dumps(content)) > _MAX_CHARACTERS and content["reasons"]:
        *reasons, last = content["reasons"]
        content["reasons"] = [*reasons, last[: len(last) // 2]] if len(last) > 1 else reasons
    return text


def _deserialise(text: str) -> LedgerEntry:
    content = json.loads(text)
    return LedgerEntry(**content | {"reasons": tuple(content["reasons"])})


def experiment_id(connection: Connection) -> str:
    """The experiment of the ledger."""
    client = connection.client
    experiment = client.get_experiment(connection.experiment_id)
    return str(get_or_create_experiment(client, f"{experiment.name}-ledger", connection.target.artifacts).experiment_id)
