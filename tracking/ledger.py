"""The ledger of the registry: what was decided and done about versions, by whom, when and why. Only ever added to.

Every entry is a run of an experiment of its own on the same MLflow, so that it is kept with the registry.
"""

import getpass
import json
import socket
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from tracking.connection import Connection, get_or_create_experiment

_ENTRY = "entry"
_LONGEST = 7_500  # characters; MLflow keeps 8,000 of a tag
_PAGE = 1_000

_CHANGES = frozenset({"transition", "promote", "rollback", "mend"})
_DELETIONS = frozenset({"delete", "prune"})
ALL_VERSIONS = "all"
"""The version of an entry about a whole model."""


@dataclass(frozen=True)
class LedgerEntry:
    """One decision or change.

    `action` is `transition`, `promote`, `rollback`, `archive`, `evaluate`, `delete`, `prune` or `mend`; `stage` the
    stage that it was about, `version` the version that has it now or was meant to, `previous` the one that had it.
    `approved` is None where no rule was asked.
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
    """Put an entry at the end."""
    client, text = connection.client, _written(entry)
    run = client.create_run(
        _experiment(connection),
        run_name=f"{entry.model} {entry.version} {entry.action} {entry.stage}".strip(),
        tags={_ENTRY: text, "model": entry.model},
    )
    client.set_terminated(run.info.run_id)


def read_entries(connection: Connection, model: str | None = None) -> list[LedgerEntry]:
    """All entries, or those about one model, the oldest first."""
    client, token, found = connection.client, None, []
    while True:
        page = client.search_runs(
            [_experiment(connection)],
            filter_string=f"tags.model = '{model}'" if model else "",
            max_results=_PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        found += [_read(run.data.tags[_ENTRY]) for run in page if _ENTRY in run.data.tags]
        token = page.token
        if not token:
            return sorted(found, key=lambda entry: entry.when)


def production_history(history: list[LedgerEntry]) -> list[str]:
    """Versions that have been in Production, are not deleted and not been rolled back, in the order they came there."""
    held: list[str] = []
    for entry in history:
        if entry.action in _DELETIONS:
            held = [number for number in held if entry.version not in {number, ALL_VERSIONS}]
        if entry.stage != "Production" or entry.action not in _CHANGES:
            continue
        while entry.action == "rollback" and held and held[-1] != entry.version:
            held.pop()
        if not held or held[-1] != entry.version:
            held.append(entry.version)
    return held


def _written(entry: LedgerEntry) -> str:
    """An entry as text that fits: figures go first, then reasons, from the last."""
    content = asdict(entry)
    if len(json.dumps(content)) > _LONGEST:
        content["figures"] = {}
    while len(text := json.dumps(content)) > _LONGEST and content["reasons"]:
        *reasons, last = content["reasons"]
        content["reasons"] = [*reasons, last[: len(last) // 2]] if len(last) > 1 else reasons
    return text


def _read(text: str) -> LedgerEntry:
    content = json.loads(text)
    return LedgerEntry(**content | {"reasons": tuple(content["reasons"])})


def _experiment(connection: Connection) -> str:
    client = connection.client
    own = client.get_experiment(connection.experiment_id)
    return str(get_or_create_experiment(client, f"{own.name}-ledger", connection.target.artifacts).experiment_id)
