"""Changes of the registry, killed at random moments: the next one finds a consistent registry, and is not refused."""

import numpy as np
import pytest

from accidents.configuration.stages import ARCHIVED, PRODUCTION, STAGING
from accidents.configuration.tracking import TrackingSettings
from tests.kill_points.harness import Commands, kill_again_and_again
from tests.kill_points.leftovers import assert_nothing_is_left
from tests.pipelines.conftest import configure
from tests.tracking.helpers import consistent_stages, single_model_training, transition_to
from tracking import ledger
from tracking.names import registered_name
from tracking.registration import record_and_register
from tracking.registry import Registry

pytestmark = pytest.mark.long

NAME = registered_name("lightgbm")


def register_trained(registry: Registry) -> None:
    """Register a new version of the small trained model."""
    record_and_register(registry.connection, single_model_training("lightgbm"), TrackingSettings())


def test_killed_changes_of_stages_block_nothing_and_are_repaired(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    model = ("--model-name", NAME)
    for number in range(3):
        register_trained(registry)
        transition_to(registry, registry.version(NAME, str(number + 1)), PRODUCTION)
    for _ in range(2):
        commands.run("registry", "promote", *model, "--version", "1")  # the second time libraries are on no cold disk
        commands.run("registry", "rollback", *model)

    def attempt(random: np.random.Generator) -> bool:
        held = registry.in_stage(NAME, PRODUCTION).version
        others = [one for one in registry.versions(NAME) if one.version != held]
        if len(others) < 3:
            register_trained(registry)
            others.append(registry.versions(NAME)[0])
        number = str(random.choice([one.version for one in others]))
        stage = str(random.choice([one for one in (STAGING, ARCHIVED) if one != registry.version(NAME, number).stage]))
        changes = {
            "promote": ["--version", number],
            "rollback": [],
            "archive": ["--version", number],
            "transition": ["--version", number, "--stage", stage],
            "delete-version": ["--version", number, "--yes"],
            "check": [],
        }
        action = str(random.choice(list(changes)))
        chosen = changes[action] if action == "check" else [*model, *changes[action]]
        ended = commands.kill(random, "registry", action, *chosen)
        _next_change_is_not_refused(commands, registry, random)
        commands.run("registry", "check")
        consistent_stages(registry, NAME)
        history = ledger.production_history(ledger.read_entries(registry.connection, NAME))
        assert history[-1] == registry.in_stage(NAME, PRODUCTION).version
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "registry", 100, attempt)


def _next_change_is_not_refused(commands: Commands, registry: Registry, random: np.random.Generator) -> None:
    """A promotion, and the rollback of it, directly after the kill."""
    held = registry.in_stage(NAME, PRODUCTION).version
    number = next(one.version for one in registry.versions(NAME) if one.version != held)
    for action in (["promote", "--version", number], ["rollback"]):
        ended = commands.run("registry", *action, "--model-name", NAME)
        assert "waiting" not in ended.err
    assert registry.in_stage(NAME, PRODUCTION).version == held


def test_killed_automatic_promotions_promote_or_do_not(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    for _ in range(2):
        register_trained(registry)
    lenient = configure(
        commands.folder,
        promotion={
            "accidents_at_least": 50,
            "floors": dict.fromkeys(("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy"), 0.0),
            "ceilings": {"brier": 1.0, "ece": 1.0},
            "guards": {"department_accidents_at_least": 10},
        },
    )
    promote = ("registry", *lenient, "auto-promote")
    for _ in range(2):
        commands.run(*promote)
        transition_to(registry, registry.version(NAME, "2"), ARCHIVED)

    def attempt(random: np.random.Generator) -> bool:
        ended = commands.kill(random, *promote)
        commands.run("registry", "check")
        consistent_stages(registry, NAME)
        commands.run(*promote)
        assert registry.in_stage(NAME, PRODUCTION).version == "2"
        assert_nothing_is_left(registry)
        transition_to(registry, registry.version(NAME, "2"), ARCHIVED)
        return ended.was_killed

    kill_again_and_again(request, "auto-promote", 10, attempt)


def test_killed_pruning_keeps_what_a_version_needs(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    options = configure(
        commands.folder,
        tracking={"pruning": {"keep_latest": 1, "older_than_days": 0}},
        training={"models_folder": str(commands.folder / "models")},
    )
    for _ in range(2):
        register_trained(registry)
    transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
    commands.run("prune", "--yes", *options)

    def attempt(random: np.random.Generator) -> bool:
        for _ in range(2):
            register_trained(registry)
        latest = registry.versions(NAME)[0].version
        ended = commands.kill(random, "prune", "--yes", *options)
        commands.run("registry", "check")
        commands.run("prune", "--yes", *options)
        assert "nothing to delete" in commands.run("prune", "--yes", *options).out
        assert [one.version for one in registry.versions(NAME)] == [latest, "1"]
        for version in registry.versions(NAME):
            assert registry.load_bundle(version).model_type == "lightgbm"
            registry.connection.client.get_run(version.run_id)
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "prune", 10, attempt)
