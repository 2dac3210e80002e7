"""In-memory snapshot of the API keys, refreshed by a thread, so that verifying a key takes microseconds."""

import hmac
import logging
import math
import re
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Row, select, update

from serving.auth import api_keys
from serving.auth.roles import Caller, KeyRejection, Role
from serving.records.database import RecordsError, database_errors, write_transaction
from serving.records.tables import api_keys as api_keys_table

_LOGGER = logging.getLogger(__name__)
_READ_SECONDS = 10
"""Time that a read of the keys may take before the database counts as unavailable."""

_KEY = re.compile(rf"{api_keys.PREFIX}_(?P<id>[0-9a-f]{{{2 * api_keys.ID_BYTES}}})_(?P<secret>[A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class _CachedKey:
    """An API key of the snapshot; `expires_at` is a Unix time."""

    caller: Caller
    digest: bytes
    expires_at: float
    revoked: bool


class KeyCache:
    """Verifies API keys against a snapshot; while the database is away, the last snapshot stays in use for a while.

    A revocation is final: a key that this process has seen revoked stays so in a database that takes the place of the
    present one, such as an older backup, and is revoked there again.

    Create it after a fork: its thread does not survive one.

    Args:
        engine: the database.
        refresh_seconds: time between two reads of the keys.
        grace_seconds: how long a snapshot that cannot be refreshed stays in use.

    Raises:
        RecordsError: the keys cannot be read at the start.
    """

    def __init__(self, engine: Engine, refresh_seconds: float, grace_seconds: float = math.inf) -> None:
        self._engine = engine
        self._interval, self._grace = refresh_seconds, grace_seconds
        # Keys of unknown id are compared with this one, which takes the same time.
        self._dummy_key = _CachedKey(Caller("", "", Role.PREDICT), secrets.token_bytes(32), 0.0, revoked=True)
        self._failing = self._reported_expiry = False
        self._keys: Mapping[str, _CachedKey] = {}
        self._revoked: set[tuple[str, bytes]] = set()
        self._unreadable: frozenset[str] = frozenset()
        self._read_at = time.monotonic()
        self._read()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="key-cache", daemon=True)
        self._thread.start()

    @property
    def available(self) -> bool:
        """Whether the last attempt to read the keys succeeded, and is not long ago."""
        return not self._failing and time.monotonic() - self._read_at <= self._interval + _READ_SECONDS

    @property
    def expired(self) -> bool:
        """Whether the snapshot is too old to be used."""
        return time.monotonic() - self._read_at > self._interval + self._grace

    @property
    def active_count(self) -> int:
        """Number of keys that are neither revoked nor expired."""
        now = time.time()
        return sum(not key.revoked and now < key.expires_at for key in self._keys.values())

    def verify(self, text: str | None) -> Caller | KeyRejection:
        """The caller who owns the API key `text`, or why it is rejected, in constant time for ids that do not exist."""
        if not text:
            return KeyRejection.MISSING
        match = _KEY.fullmatch(text)
        if match is None:
            return KeyRejection.WRONG
        key = self._keys.get(match["id"], self._dummy_key)
        if not hmac.compare_digest(api_keys.digest(match["secret"]), key.digest):
            return KeyRejection.WRONG
        if key.revoked:
            return KeyRejection.REVOKED
        return key.caller if time.time() < key.expires_at else KeyRejection.EXPIRED

    def retry_seconds(self, text: str) -> float:
        """Seconds after which a rejected key may be valid, as it may have been created just now; inf for other text.

        The same for ids that exist, which would be revealed otherwise.
        """
        return self._interval if _KEY.fullmatch(text) else float("inf")

    def refresh(self) -> bool:
        """Read the keys now; returns whether the database answered."""
        try:
            self._read()
        except RecordsError as error:
            if not self._failing:
                _LOGGER.warning("API keys cannot be read, the last snapshot stays in use: %s", error)
            self._failing = True
            if self.expired and not self._reported_expiry:
                _LOGGER.warning("API keys could not be read for %g s and are refused", self._grace)
                self._reported_expiry = True
            return False
        if self._failing:
            _LOGGER.warning("API keys can be read again")
        self._failing = self._reported_expiry = False
        return True

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()
        self._thread.join(1)

    def _run(self) -> None:
        while not self._closed.wait(self._interval):
            try:
                self.refresh()
            except Exception:
                _LOGGER.exception("API keys cannot be read")

    def _read(self) -> None:
        started = time.monotonic()
        with database_errors(self._engine), self._engine.connect() as connection:
            rows = connection.execute(select(api_keys_table)).all()
        keys = self._parse(rows)
        restored = {key_id for key_id, key in keys.items() if not key.revoked and (key_id, key.digest) in self._revoked}
        self._keys = {key_id: replace(key, revoked=True) if key_id in restored else key for key_id, key in keys.items()}
        self._revoked |= {(key_id, key.digest) for key_id, key in keys.items() if key.revoked}
        self._read_at = started
        if restored:
            self._revoke_again(restored)

    def _parse(self, rows: Iterable[Row[Any]]) -> dict[str, _CachedKey]:
        """Keys by id; rows that hold no key are left out, so that they do not keep others from being revoked."""
        keys, unreadable = {}, set()
        for row in rows:
            try:
                caller, digest = Caller(row.id, row.name, Role(row.role)), bytes.fromhex(row.secret_sha256)
                keys[row.id] = _CachedKey(caller, digest, _unix_time(row.expires_at), row.revoked_at is not None)
            except (TypeError, ValueError):
                unreadable.add(str(row.id))
        if unreadable - self._unreadable:
            _LOGGER.warning("API keys that cannot be read are refused: %s", ", ".join(sorted(unreadable)))
        self._unreadable = frozenset(unreadable)
        return keys

    def _revoke_again(self, ids: set[str]) -> None:
        """Revoke keys in a database that does not know of their revocation; the next refresh retries a failure."""
        _LOGGER.warning("revoked API keys are active in the database and are revoked again: %s", ", ".join(sorted(ids)))
        change = update(api_keys_table).where(api_keys_table.c.id.in_(ids), api_keys_table.c.revoked_at.is_(None))
        try:
            with database_errors(self._engine), write_transaction(self._engine) as connection:
                connection.execute(change, {"revoked_at": datetime.now(UTC)})
        except RecordsError as error:
            _LOGGER.warning("API keys cannot be revoked again: %s", error)


def _unix_time(expires_at: datetime | None) -> float:
    return float("inf") if expires_at is None else expires_at.timestamp()
