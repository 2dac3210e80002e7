"""Several processes that promote different versions at the same moment, and one that is killed while it does."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accidents.configuration.stages import ARCHIVED, PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import NAME, archived, bare, forget, move, stages
from tracking import ledger, lock, reconcile
from tracking.connection import connect
from tracking.names import registered_names
from tracking.registry import Registry
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.slow
ROUNDS = 4


class Contender:
    """One of the processes."""

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

    def say(self, **facts: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(facts) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        for line in iter(self.process.stdout.readline, ""):
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise AssertionError(self.log.read_text()[-3000:])


@contextmanager
def contenders(count: int, store: TrackingTarget, folder: Path) -> Iterator[list[Contender]]:
    with ExitStack() as stack:
        found = [Contender(store, folder / f"{number}.log") for number in range(count)]
        for one in found:
            stack.callback(one.process.wait)
            stack.callback(one.process.kill)
        for one in found:
            one.hear()
        yield found


@pytest.fixture(params=[pytest.param("on_postgresql", marks=pytest.mark.long), "inside"])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    with connect(TrackingSettings(), request.getfixturevalue(request.param)) as found:
        forget(found)
        yield Registry(found)


def fight(fighters: list[Contender], numbers: list[str]) -> list[dict[str, Any]]:
    for fighter, number in zip(fighters, numbers, strict=True):
        fighter.say(model=NAME, version=number)
    for fighter in fighters:
        assert fighter.hear() == {"ready": True}
    start = time.time() + 0.2
    for fighter in fighters:
        fighter.say(at=start)
    return [fighter.hear() for fighter in fighters]


@pytest.mark.parametrize("count", [2, pytest.param(8, marks=pytest.mark.long)])
def test_of_several_at_once_one_wins_and_nobody_is_archived_twice(
    registry: Registry, count: int, tmp_path: Path
) -> None:
    versions = [bare(registry.connection).version for _ in range(9)]
    winners: list[str] = []
    with contenders(count, registry.connection.target, tmp_path) as fighters:
        for _ in range(ROUNDS):
            free = [number for number in versions if number not in winners[-1:]]
            answers = fight(fighters, free[:count])
            won = [answer["won"] for answer in answers if "won" in answer]
            lost = [answer for answer in answers if "lost" in answer]
            assert len(won) == 1, answers
            assert {answer["kind"] for answer in lost} == {"RegistryError"}, answers
            assert all("being changed" in one["why"] or "has changed" in one["why"] for one in lost)
            winners += won
            found = stages(registry)
            assert [number for number, stage in found.items() if stage == PRODUCTION] == won
    assert ledger.production_history(ledger.read_entries(registry.connection, NAME)) == winners
    assert archived(registry) == winners[:-1]


def test_killed_in_the_middle_is_mended(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after the alias has moved, before the ledger is written, and before ZenML is told."""
    moments = ("set_registered_model_alias", "set_model_version_tag", "create_run", "set_terminated")
    for name in registered_names().values():
        move(registry, bare(registry.connection, name), PRODUCTION)
        bare(registry.connection, name)
    with contenders(4, registry.connection.target, tmp_path) as victims:
        for victim, moment, name in zip(victims, moments, registered_names().values(), strict=True):
            victim.say(model=name, version="2", stop=moment)
            assert victim.hear() == {"ready": True}
            victim.say(at=0)
            assert victim.hear() == {"stopped": moment}
            victim.process.kill()
            victim.process.wait()
    monkeypatch.setattr(lock, "ABANDONED", timedelta(0))
    assert {inconsistency.model for inconsistency in reconcile.repair_inconsistencies(registry)} == set(
        registered_names().values()
    )
    for moment, name in zip(moments, registered_names().values(), strict=True):
        moved = moment != "set_registered_model_alias"
        wanted = {"1": ARCHIVED, "2": PRODUCTION} if moved else {"1": PRODUCTION, "2": "None"}
        assert stages(registry, name) == wanted
        held = ledger.production_history(ledger.read_entries(registry.connection, name))
        assert held == (["1", "2"] if moved else ["1"])
        move(registry, registry.version(name, "1" if moved else "2"), PRODUCTION)
