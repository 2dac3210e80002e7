"""Mutual exclusion for changes of a registered model, across processes and machines.

MLflow has no locks, but it refuses a second registered model of the same name. A lock is a registered model named
`<model>.lock` that exists while the change takes place. Its tags name the process that owns it.

A process that is killed leaves its lock behind. On its own machine that is seen at once. For other machines the owner
renews a tag while it runs; who waits for the lock takes it over once the tag has not changed for `LEASE_SECONDS` by
its own clock.

To delete a lock that was left behind could delete the one that another process has made in the meantime. So it is
inherited: the process that takes it over creates `<model>.lock.<id>`, with the id of the lock left behind, which again
one process alone can do.
"""

import getpass
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from accidents.process_owner import ProcessOwner
from tracking.connection import Connection
from tracking.errors import RegistryError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import RegisteredModel

LOCK_SUFFIX = ".lock"
LEASE_SECONDS = 30.0
"""Time to wait for a lock, and time without a renewal after which an owner on another machine has ended."""
STALE_AFTER = timedelta(minutes=10)
"""Age of the last renewal by the clock, on another machine, at which a lock is taken over without waiting."""

_RENEWAL_SECONDS = 5.0
_POLL_SECONDS = 0.2
_OWNER_TAG, _PROCESS_TAG, _ID_TAG, _RENEWED_TAG = "owner", "process", "lock_id", "renewed"


@dataclass(frozen=True)
class Lock:
    """A lock as it is stored.

    Attributes:
        name: name of its registered model.
        id: unique, also among locks of the same name; empty where an earlier version of the project made it.
        owner: user, host and process, for people.
        process: the process; None where an earlier version of the project made it.
        since: time of its creation, in UTC.
        renewed: time of its last renewal, in UTC, by the clock of its owner.
    """

    name: str
    id: str
    owner: str
    process: ProcessOwner | None
    since: datetime
    renewed: datetime

    @property
    def is_abandoned(self) -> bool:
        """Whether its owner has ended, as far as that is seen at once."""
        if self.process is not None and self.process.is_local:
            return self.process.has_ended
        return datetime.now(UTC) - self.renewed >= STALE_AFTER


@dataclass(frozen=True)
class HeldLock:
    """A lock that this process holds.

    Attributes:
        connection: the registry.
        names: its registered model, last, and before it those of the locks that it was inherited from.
        id: its id.
    """

    connection: Connection
    names: tuple[str, ...]
    id: str

    def check(self) -> None:
        """Check that the lock is still held, before changes that another process must not make at the same time.

        Raises:
            RegistryError: this process was stopped for so long that another one has taken the lock over.
        """
        own = _read(self.connection, self.names[-1])
        if own is None or own.id != self.id or _read(self.connection, _inherited_name(self.names[0], self.id)):
            raise RegistryError(
                f"{self.names[0].removesuffix(LOCK_SUFFIX)}: this process was interrupted for so long that another one "
                "has taken over: look at 'python run.py registry history', and decide again"
            )

    def renew_until(self, stop: threading.Event) -> None:
        """Renew the lock at intervals, until the event is set."""
        while not stop.wait(_RENEWAL_SECONDS):
            try:
                self.connection.client.set_registered_model_tag(self.names[-1], _RENEWED_TAG, repr(time.time()))
            except Exception:  # noqa: S112  # the change itself reports that MLflow does not answer
                continue

    def release(self) -> None:
        """Delete the lock and those that it was inherited from, unless another process has taken it over."""
        try:
            self.check()
        except RegistryError:
            return
        for name in self.names:  # in this order: who creates the first again finds none to inherit from
            _delete(self.connection, name)


@contextmanager
def model_lock(connection: Connection, name: str) -> Iterator[HeldLock]:
    """Hold the lock of a registered model inside the block; wait up to `LEASE_SECONDS` for another process.

    Raises:
        RegistryError: another process holds the lock; names it, and since when.
    """
    held = _acquire(connection, name + LOCK_SUFFIX)
    if held.names[1:]:
        message = f"a change of {name} was interrupted: 'python run.py registry check' repairs what it has left"
        print(message, file=sys.stderr, flush=True)
    stop = threading.Event()
    renewal = threading.Thread(target=held.renew_until, args=(stop,), name="lock-renewal", daemon=True)
    renewal.start()
    try:
        yield held
    finally:
        stop.set()
        renewal.join()
        held.release()


def abandoned_locks(connection: Connection, name: str) -> list[Lock]:
    """Locks of a model that killed processes have left behind; empty where a running process holds one."""
    locks = _all_locks(connection, name + LOCK_SUFFIX)
    return locks if all(lock.is_abandoned for lock in locks) else []


def delete_abandoned_locks(connection: Connection, name: str) -> None:
    """Delete the locks of a model that killed processes have left behind.

    Raises:
        RegistryError: another process holds the lock.
    """
    with model_lock(connection, name) as held:
        for lock in _all_locks(connection, name + LOCK_SUFFIX):
            if lock.name not in held.names:
                _delete(connection, lock.name)


def _acquire(connection: Connection, base: str) -> HeldLock:
    deadline = time.monotonic() + LEASE_SECONDS
    watched: Lock | None = None
    unchanged_since = time.monotonic()
    while True:
        expired = watched if time.monotonic() - unchanged_since >= LEASE_SECONDS else None
        result = _try_acquire(connection, base, expired)
        if isinstance(result, HeldLock):
            return result
        if time.monotonic() >= deadline:
            raise RegistryError(_locked_message(base, result))
        if watched is None or watched.id != result.id:
            print(f"{_describe(base, result)}; waiting for up to {LEASE_SECONDS:g} s", file=sys.stderr, flush=True)
        if result != watched:
            watched, unchanged_since = result, time.monotonic()
        time.sleep(min(_POLL_SECONDS, LEASE_SECONDS))


def _try_acquire(connection: Connection, base: str, expired: Lock | None) -> HeldLock | Lock:
    """Create a lock, or inherit one that is abandoned; else return the one that another process holds.

    Args:
        connection: the registry.
        base: name of the lock.
        expired: a lock whose owner, on another machine, was seen not to renew it.
    """
    lock_id = uuid.uuid4().hex[:12]
    names = [base]
    while not _create(connection, names[-1], lock_id):
        lock = _read(connection, names[-1])
        if lock is None:  # released in the meantime
            names = [base]
        elif lock.is_abandoned or (lock == expired and lock.process and not lock.process.is_local):
            names.append(_inherited_name(base, lock.id))
        else:
            return lock
    for name, heir in pairwise(names):
        lock = _read(connection, name)
        if lock is None or heir != _inherited_name(base, lock.id):  # another heir has been and gone
            _delete(connection, names[-1])
            return _try_acquire(connection, base, expired)
    return HeldLock(connection, tuple(names), lock_id)


def _inherited_name(base: str, lock_id: str) -> str:
    return f"{base}.{lock_id or 'unknown'}"


def _create(connection: Connection, name: str, lock_id: str) -> bool:
    """Create a lock; False where there is one of this name."""
    from mlflow.exceptions import MlflowException

    process = ProcessOwner.current()
    tags = {
        _OWNER_TAG: f"{getpass.getuser()}@{socket.gethostname()}, process {process.pid}",
        _PROCESS_TAG: str(process),
        _ID_TAG: lock_id,
        _RENEWED_TAG: repr(time.time()),
    }
    try:
        connection.client.create_registered_model(name, tags=tags, description="Lock: stages are being changed.")
    except MlflowException as error:
        # The second one: it existed, and was deleted before MLflow looked at it for its message.
        if error.error_code not in {"RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"}:
            raise
        return False
    return True


def _delete(connection: Connection, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        connection.client.delete_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _read(connection: Connection, name: str) -> Lock | None:
    from mlflow.exceptions import MlflowException

    try:
        return _lock(connection.client.get_registered_model(name))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _all_locks(connection: Connection, base: str) -> list[Lock]:
    """The lock of this name, and those inherited from it, in use or left behind."""
    models = connection.client.search_registered_models(f"name LIKE '{base}%'", max_results=1000)
    return [_lock(model) for model in models]


def _lock(model: "RegisteredModel") -> Lock:
    tags = model.tags
    since = datetime.fromtimestamp((model.creation_timestamp or 0) / 1000, tz=UTC)
    return Lock(
        model.name,
        tags.get(_ID_TAG, ""),
        tags.get(_OWNER_TAG, "unknown"),
        ProcessOwner.parse(tags.get(_PROCESS_TAG)),
        since,
        datetime.fromtimestamp(float(tags[_RENEWED_TAG]), tz=UTC) if _RENEWED_TAG in tags else since,
    )


def _describe(base: str, lock: Lock) -> str:
    since = f"{lock.since:%Y-%m-%d %H:%M:%S} UTC"
    return f"{base.removesuffix(LOCK_SUFFIX)} is being changed by {lock.owner} since {since}"


def _locked_message(base: str, lock: Lock) -> str:
    hint = "try again when it has ended (python run.py registry history), or end that process"
    if lock.process is None:
        hint += f"; if it is gone, its lock is ignored {STALE_AFTER.seconds // 60} minutes after it was made"
    return f"{_describe(base, lock)}: {hint}"
