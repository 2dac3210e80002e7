"""Versions that have held Production, according to the entries of the ledger."""

import pytest

from accidents.configuration.stages import PRODUCTION
from tracking.ledger import ALL_VERSIONS, LedgerEntry, production_history


def entry(action: str, version: str, stage: str = PRODUCTION) -> LedgerEntry:
    return LedgerEntry(action, "model", version, stage)


@pytest.mark.parametrize(
    ("entries", "history"),
    [
        ([entry("promote", "1"), entry("transition", "2")], ["1", "2"]),
        ([entry("promote", "1"), entry("mend", "2")], ["1", "2"]),  # written by version 0.1
        ([entry("promote", "1"), entry("repair", "2")], ["1", "2"]),
        ([entry("promote", "1"), entry("promote", "2"), entry("rollback", "1")], ["1"]),
        ([entry("promote", "1"), entry("evaluate", "2"), entry("promote", "3", "Staging")], ["1"]),
        ([entry("promote", "1"), entry("promote", "2"), entry("prune", "1", "None")], ["2"]),
        ([entry("promote", "1"), entry("delete", ALL_VERSIONS, "None"), entry("promote", "1")], ["1"]),
    ],
)
def test_production_history(entries: list[LedgerEntry], history: list[str]) -> None:
    assert production_history(entries) == history
