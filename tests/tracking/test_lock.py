"""The lock of a model: one process at a time, an owner that has ended blocks nobody, one that runs is respected."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from accidents.process_owner import ProcessOwner
from tests.tracking.helpers import NAME
from tracking import lock
from tracking.connection import Connection
from tracking.errors import RegistryError

pytestmark = [pytest.mark.slow, pytest.mark.traced]

BASE = f"{NAME}.lock"
ENDED = replace(ProcessOwner.current(), started=1)
ELSEWHERE = ProcessOwner("0" * 12, 1, 1)


def leave(connection: Connection, process: ProcessOwner, lock_id: str = "17", name: str = BASE) -> None:
    """A lock that a process has made."""
    tags = {"owner": "ann@sea, process 7", "process": str(process), "lock_id": lock_id, "renewed": repr(time.time())}
    connection.client.create_registered_model(name, tags=tags)


def locks(connection: Connection) -> list[str]:
    return sorted(model.name for model in connection.client.search_registered_models())


class Clock:
    """The module `time` in the lock: sleeping takes no time, and may let others do something."""

    time = staticmethod(time.time)

    def __init__(self) -> None:
        self.now = 0.0
        self.meanwhile: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, _: float) -> None:
        self.now += lock.LEASE_SECONDS / 4
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(lock, "time", found)
    return found


def test_the_lock_of_a_process_that_has_ended_is_taken_over_at_once(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(connection, ENDED)
    with lock.model_lock(connection, NAME) as held:
        held.check()
        assert len(locks(connection)) == 2
    assert locks(connection) == []
    output = capsys.readouterr().err
    assert "waiting" not in output
    assert "was interrupted: 'python run.py registry check' repairs" in output


def test_a_process_killed_while_it_takes_over_is_no_obstacle_either(connection: Connection) -> None:
    leave(connection, ENDED, "17")
    leave(connection, ENDED, "18", f"{BASE}.17")
    assert {one.id for one in lock.abandoned_locks(connection, NAME)} == {"17", "18"}
    with lock.model_lock(connection, NAME):
        assert lock.abandoned_locks(connection, NAME) == []
    assert locks(connection) == []


def test_an_inherited_lock_that_a_killed_release_has_left_is_deleted(connection: Connection) -> None:
    leave(connection, ENDED, "18", f"{BASE}.17")
    lock.delete_abandoned_locks(connection, NAME)
    assert locks(connection) == []


def test_the_lock_of_another_machine_is_taken_over_when_its_owner_stops_renewing_it(
    connection: Connection, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(connection, ELSEWHERE)
    clock.meanwhile = lambda: connection.client.set_registered_model_tag(BASE, "renewed", repr(time.time()))
    with pytest.raises(RegistryError, match="is being changed by ann@sea, process 7 since"):
        lock._acquire(connection, BASE)
    assert capsys.readouterr().err.count("waiting for up to 30 s") == 1
    clock.meanwhile = lambda: None
    with lock.model_lock(connection, NAME):
        pass
    assert locks(connection) == []


def test_the_lock_of_a_running_process_is_waited_for_and_then_respected(connection: Connection, clock: Clock) -> None:
    held = lock._acquire(connection, BASE)
    with pytest.raises(RegistryError, match=r"is being changed by .*, process \d+"):
        lock._acquire(connection, BASE)
    clock.meanwhile = held.release
    with lock.model_lock(connection, NAME):
        pass
    assert locks(connection) == []


def test_a_process_that_was_stopped_for_longer_than_its_lease_changes_nothing(connection: Connection) -> None:
    held = lock._acquire(connection, BASE)
    leave(connection, ELSEWHERE, "18", f"{BASE}.{held.id}")  # the lock, as another machine takes it over
    with pytest.raises(RegistryError, match="another one has taken over"):
        held.check()
    held.release()
    assert locks(connection) == sorted([BASE, f"{BASE}.{held.id}"])


def test_a_lock_that_others_took_over_and_released_in_the_meantime_is_not_inherited(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the lock left behind and inheriting it, another process does so, releases it, and a third one
    makes a new lock."""
    leave(connection, ENDED)
    create = lock._create
    third: list[lock.HeldLock] = []

    def create_late(connection: Connection, name: str, lock_id: str) -> bool:
        if name == f"{BASE}.17" and not third:
            monkeypatch.setattr(lock, "_create", create)
            with lock.model_lock(connection, NAME):
                pass
            third.append(lock._acquire(connection, BASE))
        return create(connection, name, lock_id)

    monkeypatch.setattr(lock, "_create", create_late)
    with pytest.raises(RegistryError, match="is being changed"):
        lock._acquire(connection, BASE)
    third[0].check()
    third[0].release()
    assert locks(connection) == []


def test_of_many_that_take_over_one_at_a_time_holds_the_lock(connection: Connection) -> None:
    leave(connection, ENDED)
    inside, most, failures = [0], [0], []

    def change() -> None:
        try:
            for _ in range(3):
                with lock.model_lock(connection, NAME):
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    time.sleep(0.01)
                    inside[0] -= 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert most == [1]
    assert locks(connection) == []
