"""Concurrent promotions by several processes, and a promotion whose process is killed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from accidents.configuration.stages import ARCHIVED, PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import (
    NAME,
    archived_versions,
    consistent_stages,
    delete_all_models,
    register_version,
    transition_to,
)
from tracking import ledger, reconcile
from tracking.connection import connect
from tracking.names import registered_names
from tracking.registry import Registry
from tracking.stages import rollback
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.long
ROUNDS = 4


class PromotionProcess:
    """A process that promotes on command; see `promotion_process`."""

    def __init__(self, store: TrackingTarget, log: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.tracking.promotion_process",
            store.uri,
            *filter(None, [store.artifacts]),
        ]
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=dict(os.environ)
            )

    def send(self, **facts: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(facts) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout
        for line in iter(self.process.stdout.readline, ""):
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise AssertionError(self.log.read_text()[-3000:])


@contextmanager
def promotion_processes(count: int, store: TrackingTarget, folder: Path) -> Iterator[list[PromotionProcess]]:
    with ExitStack() as stack:
        found = [PromotionProcess(store, folder / f"{number}.log") for number in range(count)]
        for one in found:
            stack.callback(one.process.wait)
            stack.callback(one.process.kill)
        for one in found:
            one.receive()
        yield found


@pytest.fixture(params=["on_postgresql", "embedded_store"])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    with connect(TrackingSettings(), request.getfixturevalue(request.param)) as found:
        delete_all_models(found)
        yield Registry(found)


def promote_at_once(fighters: list[PromotionProcess], numbers: list[str]) -> list[dict[str, Any]]:
    for fighter, number in zip(fighters, numbers, strict=True):
        fighter.send(model=NAME, version=number)
    for fighter in fighters:
        assert fighter.receive() == {"ready": True}
    start = time.time() + 0.2
    for fighter in fighters:
        fighter.send(at=start)
    return [fighter.receive() for fighter in fighters]


@pytest.mark.parametrize("count", [2, 8])
def test_of_concurrent_promotions_one_succeeds_and_no_version_is_archived_twice(
    registry: Registry, count: int, tmp_path: Path
) -> None:
    versions = [register_version(registry.connection).version for _ in range(9)]
    winners: list[str] = []
    with promotion_processes(count, registry.connection.target, tmp_path) as fighters:
        for _ in range(ROUNDS):
            free = [number for number in versions if number not in winners[-1:]]
            answers = promote_at_once(fighters, free[:count])
            won = [answer["won"] for answer in answers if "won" in answer]
            lost = [answer for answer in answers if "lost" in answer]
            assert len(won) == 1, answers
            assert {answer["kind"] for answer in lost} == {"RegistryError"}, answers
            assert all("being changed" in one["why"] or "has changed" in one["why"] for one in lost)
            winners += won
            found = consistent_stages(registry)
            assert [number for number, stage in found.items() if stage == PRODUCTION] == won
    assert ledger.production_history(ledger.read_entries(registry.connection, NAME)) == winners
    assert archived_versions(registry) == winners[:-1]


def test_a_promotion_killed_half_way_is_repaired(registry: Registry, tmp_path: Path) -> None:
    """Killed before and after the alias moves, before the ledger is written, and before ZenML is updated."""
    names = list(registered_names().values())[:4]
    moments = ("set_registered_model_alias", "set_model_version_tag", "create_run", "set_terminated")
    for name in names:
        transition_to(registry, register_version(registry.connection, name), PRODUCTION)
        register_version(registry.connection, name)
    with promotion_processes(4, registry.connection.target, tmp_path) as victims:
        for victim, moment, name in zip(victims, moments, names, strict=True):
            victim.send(model=name, version="2", stop=moment)
            assert victim.receive() == {"ready": True}
            victim.send(at=0)
            assert victim.receive() == {"stopped": moment}
            victim.process.kill()
            victim.process.wait()
    # A run of the ledger that was not ended is an inconsistency of its own.
    assert set(names) <= {inconsistency.model for inconsistency in reconcile.repair_inconsistencies(registry)}
    for moment, name in zip(moments, names, strict=True):
        moved = moment != "set_registered_model_alias"
        expected = {"1": ARCHIVED, "2": PRODUCTION} if moved else {"1": PRODUCTION, "2": "None"}
        assert consistent_stages(registry, name) == expected
        held = ledger.production_history(ledger.read_entries(registry.connection, name))
        assert held == (["1", "2"] if moved else ["1"])
        transition_to(registry, registry.version(name, "1" if moved else "2"), PRODUCTION)


def test_a_killed_promotion_blocks_neither_promotion_nor_rollback(registry: Registry, tmp_path: Path) -> None:
    """Killed before and after the alias moves, the next command takes over at once."""
    moments, names = ("set_registered_model_alias", "create_run"), list(registered_names().values())[:2]
    for name in names:
        for _ in range(2):
            transition_to(registry, register_version(registry.connection, name), PRODUCTION)
        register_version(registry.connection, name)
    with promotion_processes(2, registry.connection.target, tmp_path) as victims:
        for victim, moment, name in zip(victims, moments, names, strict=True):
            victim.send(model=name, version="3", stop=moment)
            assert victim.receive() == {"ready": True}
            victim.send(at=0)
            assert victim.receive() == {"stopped": moment}
            victim.process.kill()  # it stays a zombie until the end of the block
        for name, expected in zip(names, ("1", "2"), strict=True):
            assert rollback(registry, name).version == expected
            transition_to(registry, registry.version(name, "3"), PRODUCTION)
    reconcile.repair_inconsistencies(registry)
    for name in names:
        assert consistent_stages(registry, name) == {"1": ARCHIVED, "2": ARCHIVED, "3": PRODUCTION}
