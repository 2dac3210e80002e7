"""One change of a registered model at a time, whoever asks on whatever machine.

MLflow has no locks. It refuses a second registered model of the same name, and that is what a lock is here: a
registered model called after the one that is changed, there as long as the change takes.
"""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tracking.connection import Connection
from tracking.errors import RegistryError

LOCK_SUFFIX = ".lock"
STALE_AFTER = timedelta(minutes=10)
"""A lock of this age belongs to a process that was killed."""

_OWNER = "owner"


@contextmanager
def model_lock(connection: Connection, name: str) -> Iterator[None]:
    """Hold the lock of a registered model for the block.

    Raises:
        RegistryError: somebody else holds it; says who and since when. There is no waiting.
    """
    from mlflow.exceptions import MlflowException

    client, lock = connection.client, name + LOCK_SUFFIX
    owner = f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"
    try:
        client.create_registered_model(lock, tags={_OWNER: owner}, description="Somebody is changing stages.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        raise RegistryError(_refusal(connection, name)) from None
    try:
        yield
    finally:
        client.delete_registered_model(lock)


def stale_lock_owner(connection: Connection, name: str) -> str | None:
    """Who left a lock behind; None where there is none, or one that may still be in use."""
    found = _lock(connection, name)
    if found is None or datetime.now(UTC) - found[1] < STALE_AFTER:
        return None
    return found[0]


def release_lock(connection: Connection, name: str) -> None:
    """Remove the lock of a model."""
    connection.client.delete_registered_model(name + LOCK_SUFFIX)


def _refusal(connection: Connection, name: str) -> str:
    found = _lock(connection, name)
    by = f" by {found[0]} since {found[1]:%Y-%m-%d %H:%M:%S} UTC" if found else ""
    return (
        f"{name} is being changed{by}; try again when that is done (python run.py registry history), or, "
        f"if it was killed, 'python run.py registry check' mends it after {STALE_AFTER.seconds // 60} minutes"
    )


def _lock(connection: Connection, name: str) -> tuple[str, datetime] | None:
    from mlflow.exceptions import MlflowException

    try:
        found = connection.client.get_registered_model(name + LOCK_SUFFIX)
    except MlflowException:
        return None
    since = datetime.fromtimestamp((found.creation_timestamp or 0) / 1000, tz=UTC)
    return found.tags.get(_OWNER, "somebody"), since
