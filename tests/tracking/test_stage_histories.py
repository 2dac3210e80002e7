"""Random histories of transitions, rollbacks and deletions, compared with a model of the registry.

Hundreds of histories run on an in-memory client; a few on the embedded store with ZenML.
"""

from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGES, STAGING
from tests.tracking.fake_client import IgnoreCalls, MemoryClient
from tests.tracking.helpers import NAME, consistent_stages, delete_all_models, register_version, transition_to
from tracking import ledger
from tracking.connection import Connection
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.registry import ALIASES, Registry
from tracking.stages import delete_model, delete_version, rollback, transition
from tracking.tracking_uri import TrackingTarget

CASES = 500
NUMBERS = st.integers(0, 5)


class Histories(RuleBasedStateMachine):
    """State machine with the expected state: `expected` stages by version, and `past` holders of Production."""

    @initialize()
    def open(self) -> None:
        self.expected: dict[str, str] = {}
        self.past: list[str] = []
        self.displaced: list[str] = []
        self.entries = 0
        self.exists = False
        self.begun = 0
        self.start()

    def start(self) -> None:
        client = MemoryClient()
        destination = TrackingTarget("memory", "tests")
        self.registry = Registry(Connection(destination, client, "0", "memory"))  # type: ignore[arg-type]

    def register(self) -> str:
        client = self.registry.connection.client
        if not self.exists:
            client.create_registered_model(NAME)
        return client.create_model_version(NAME)  # type: ignore[call-arg,return-value]

    @rule()
    def train(self) -> None:
        number = self.register()
        self.exists = True
        assert number not in self.expected
        self.expected[number] = NONE

    @precondition(lambda self: self.expected)
    @rule(which=NUMBERS, stage=st.sampled_from(STAGES), action=st.sampled_from(("promote", "transition", "archive")))
    def change(self, which: int, stage: str, action: str) -> None:
        number = self.pick(which)
        version = self.registry.version(NAME, number)
        if self.expected[number] == stage:
            with pytest.raises(RegistryError, match="already"):
                transition_to(self.registry, version, stage, action)
            return
        action = "promote" if stage in ALIASES else action
        previous = transition_to(self.registry, version, stage, action).previous
        assert previous == self.holder(stage, without=number)
        self.give(number, stage)

    @precondition(lambda self: self.expected)
    @rule(which=NUMBERS, stage=st.sampled_from((STAGING, PRODUCTION)))
    def promote_with_outdated_holder(self, which: int, stage: str) -> None:
        """Decided when another version held the stage."""
        number, holder = self.pick(which), self.holder(stage)
        other = next((one for one in self.expected if one != holder), None)
        if self.expected[number] == stage or other is None:
            return
        versions = self.registry
        entry = LedgerEntry("promote", NAME, number, stage)
        with pytest.raises(RegistryError, match="has changed since"):
            transition(versions, versions.version(NAME, number), stage, entry, versions.version(NAME, other))

    @precondition(lambda self: self.exists)
    @rule()
    def roll_back(self) -> None:
        holder = self.holder(PRODUCTION)
        earlier = self.past[:-1] if holder else self.past
        if not earlier:
            with pytest.raises(RegistryError, match="no earlier"):
                rollback(self.registry, NAME)
            return
        assert rollback(self.registry, NAME).version == earlier[-1]
        self.past = earlier
        self.give(earlier[-1], PRODUCTION)

    @precondition(lambda self: self.expected)
    @rule(which=NUMBERS)
    def delete(self, which: int) -> None:
        number = self.pick(which)
        version = self.registry.version(NAME, number)
        if self.expected[number] == PRODUCTION:
            with pytest.raises(RegistryError, match="is in Production"):
                delete_version(self.registry, version)
            return
        delete_version(self.registry, version)
        del self.expected[number]
        rest = [one for one in self.past if one != number]
        self.past = [one for place, one in enumerate(rest) if place == 0 or rest[place - 1] != one]

    @precondition(lambda self: self.exists)
    @rule(sure=st.integers(0, 4))
    def delete_all(self, sure: int) -> None:
        if sure:
            return
        if self.holder(PRODUCTION):
            with pytest.raises(RegistryError, match="is in Production"):
                delete_model(self.registry, NAME)
            return
        delete_model(self.registry, NAME)
        self.exists, self.expected, self.past = False, {}, []

    @invariant()
    def stages_are_as_expected(self) -> None:
        if self.exists:
            assert self.found() == self.expected

    @invariant()
    def the_ledger_is_append_only_and_has_every_displaced_version_once(self) -> None:
        entries = ledger.read_entries(self.registry.connection, NAME)[self.begun :]
        assert len(entries) >= self.entries
        self.entries = len(entries)
        assert [one for entry in entries if (one := entry.previous)] == self.displaced

    def found(self) -> dict[str, str]:
        versions = self.registry.versions(NAME)
        for stage in ALIASES:
            assert [one.stage for one in versions].count(stage) <= 1
        assert all(one.tags["stage"] == one.stage for one in versions)
        return {one.version: one.stage for one in versions}

    def pick(self, which: int) -> str:
        return sorted(self.expected)[which % len(self.expected)]

    def holder(self, stage: str, without: str | None = None) -> str | None:
        held = (n for n, known in self.expected.items() if known == stage and stage in ALIASES and n != without)
        return next(held, None)

    def give(self, number: str, stage: str) -> None:
        holder = self.holder(stage)
        if holder:
            self.expected[holder] = ARCHIVED
            self.displaced.append(holder)
        self.expected[number] = stage
        if stage == PRODUCTION and self.past[-1:] != [number]:
            self.past.append(number)


class RealHistories(Histories):
    """The same on the embedded store, emptied before each history."""

    open_registry: Registry

    def start(self) -> None:
        self.registry = self.open_registry
        delete_all_models(self.registry.connection)
        self.begun = len(ledger.read_entries(self.registry.connection, NAME))

    def register(self) -> str:
        return register_version(self.registry.connection).version

    def found(self) -> dict[str, str]:
        return consistent_stages(self.registry)


@pytest.mark.slow
def test_any_history_ends_in_the_expected_state() -> None:
    options = settings(max_examples=CASES, stateful_step_count=20, deadline=None, derandomize=True)
    with (
        patch("tracking.stages.zenml_sync", IgnoreCalls()),
        patch("tracking.stages.sync_model"),
        patch("tracking.ledger.get_or_create_experiment") as experiment,
    ):
        experiment.return_value.experiment_id = "1"
        run_state_machine_as_test(Histories, settings=options)


@pytest.mark.long
def test_any_history_ends_in_the_expected_state_in_a_real_store(registry: Registry) -> None:
    options = settings(
        max_examples=5,
        stateful_step_count=10,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    RealHistories.open_registry = registry
    run_state_machine_as_test(RealHistories, settings=options)
