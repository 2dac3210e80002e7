"""Leases: what one process alone may do at a time, also on several machines that share the database.

The owner renews its lease while it works. The lease of an owner that has ended is taken over: of a process of this
machine at once, of another machine when it was not renewed for `EXPIRES_AFTER`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from accidents.process_owner import ProcessOwner
from serving.records.database import RecordsError, database_errors, write_transaction
from serving.records.tables import leases

EXPIRES_AFTER = timedelta(minutes=10)
"""Time without renewal after which the owner on another machine has ended."""

_RENEWAL_SECONDS = 20.0


class LeaseHeldError(RecordsError):
    """Another process holds the lease."""


@contextmanager
def lease(engine: Engine, name: str) -> Iterator[None]:
    """Hold a lease inside the block.

    Raises:
        LeaseHeldError: another process holds it.
        RecordsError: the database does not answer.
    """
    owner = f"{ProcessOwner.current()}/{threading.get_ident()}"
    _acquire(engine, name, owner)
    stop = threading.Event()
    renewal = threading.Thread(target=_renew_until, args=(engine, name, owner, stop), name="lease", daemon=True)
    renewal.start()
    try:
        yield
    finally:
        stop.set()
        renewal.join()
        with database_errors(engine), write_transaction(engine) as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))


def _acquire(engine: Engine, name: str, owner: str) -> None:
    now = datetime.now(UTC)
    with database_errors(engine):
        try:
            with write_transaction(engine) as connection:
                row = connection.execute(select(leases).where(leases.c.name == name)).first()
                if row is None:
                    connection.execute(insert(leases), {"name": name, "owner": owner, "renewed_at": now})
                    return
                if not _has_ended(row.owner, now - row.renewed_at):
                    raise _held(name, row.owner, row.renewed_at)
                # Of two that see the same dead owner the second finds another one.
                same = (leases.c.name == name, leases.c.owner == row.owner, leases.c.renewed_at == row.renewed_at)
                change = update(leases).where(*same).values(owner=owner, renewed_at=now)
                if not connection.execute(change).rowcount:
                    raise _held(name, "another process", now)
        except IntegrityError:  # inserted by another process at the same time
            raise _held(name, "another process", now) from None


def _has_ended(owner: str, since_renewal: timedelta) -> bool:
    process = ProcessOwner.parse(owner.partition("/")[0])
    if process is not None and process.is_local:
        return process.has_ended
    return since_renewal >= EXPIRES_AFTER


def _renew_until(engine: Engine, name: str, owner: str, stop: threading.Event) -> None:
    while not stop.wait(_RENEWAL_SECONDS):
        with suppress(RecordsError), database_errors(engine), write_transaction(engine) as connection:
            own = (leases.c.name == name, leases.c.owner == owner)
            connection.execute(update(leases).where(*own).values(renewed_at=datetime.now(UTC)))


def _held(name: str, owner: str, since: datetime) -> LeaseHeldError:
    return LeaseHeldError(
        f"{name} is held by process {owner}, renewed {since:%Y-%m-%d %H:%M:%S} UTC: wait until it ends"
    )
