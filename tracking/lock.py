"""Mutual exclusion for changes of a registered model, across processes and machines.

MLflow has no locks, but it refuses a second registered model of the same name. A lock is a registered model named
`<model>.lock` that exists while the change takes place.
"""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tracking.connection import Connection
from tracking.errors import RegistryError

LOCK_SUFFIX = ".lock"
STALE_AFTER = timedelta(minutes=10)
"""Age at which a lock is taken for one of a process that was killed."""

_OWNER_TAG = "owner"


class _Lock(NamedTuple):
    owner: str
    since: datetime


@contextmanager
def model_lock(connection: Connection, name: str) -> Iterator[None]:
    """Hold the lock of a registered model inside the block; does not wait for it.

    Raises:
        RegistryError: another process holds the lock; names it, and since when.
    """
    from mlflow.exceptions import MlflowException

    client, lock = connection.client, name + LOCK_SUFFIX
    owner = f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"
    try:
        client.create_registered_model(lock, tags={_OWNER_TAG: owner}, description="Lock: stages are being changed.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        raise RegistryError(_locked_message(connection, name)) from None
    try:
        yield
    finally:
        client.delete_registered_model(lock)


def stale_lock_owner(connection: Connection, name: str) -> str | None:
    """Owner of a stale lock; None without a lock, or where the lock may still be in use."""
    lock = _read_lock(connection, name)
    return lock.owner if lock and datetime.now(UTC) - lock.since >= STALE_AFTER else None


def release_lock(connection: Connection, name: str) -> None:
    """Delete the lock of a model."""
    connection.client.delete_registered_model(name + LOCK_SUFFIX)


def _locked_message(connection: Connection, name: str) -> str:
    lock = _read_lock(connection, name)
    by = f" by {lock.owner} since {lock.since:%Y-%m-%d %H:%M:%S} UTC" if lock else ""
    return (
        f"{name} is being changed{by}; try again afterwards (python run.py registry history), or, "
        f"if that process is gone, 'python run.py registry check' removes it after {STALE_AFTER.seconds // 60} minutes"
    )


def _read_lock(connection: Connection, name: str) -> _Lock | None:
    from mlflow.exceptions import MlflowException

    try:
        model = connection.client.get_registered_model(name + LOCK_SUFFIX)
    except MlflowException:
        return None
    since = datetime.fromtimestamp((model.creation_timestamp or 0) / 1000, tz=UTC)
    return _Lock(model.tags.get(_OWNER_TAG, "unknown"), since)
