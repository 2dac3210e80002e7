"""In-memory snapshot of the API keys, refreshed by a thread, so that verifying a key takes microseconds."""

import hmac
import logging
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from serving.auth import api_keys
from serving.auth.roles import Caller, KeyRejection, Role
from serving.records.database import RecordsError, database_errors
from serving.records.tables import api_keys as api_keys_table

_LOGGER = logging.getLogger(__name__)
_KEY = re.compile(rf"{api_keys.PREFIX}_(?P<id>[0-9a-f]{{{2 * api_keys.ID_BYTES}}})_(?P<secret>[A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class _CachedKey:
    """An API key of the snapshot; `expires_at` is a Unix time."""

    caller: Caller
    digest: bytes
    expires_at: float
    revoked: bool


class KeyCache:
    """Verifies API keys against a snapshot; while the database is away, the last snapshot stays in use.

    Create it after a fork: its thread does not survive one.

    Args:
        engine: the database.
        refresh_seconds: time between two reads of the keys.

    Raises:
        RecordsError: the keys cannot be read at the start.
    """

    def __init__(self, engine: Engine, refresh_seconds: float) -> None:
        self._engine = engine
        self._interval = refresh_seconds
        # Keys of unknown id are compared with this one, which takes the same time.
        self._dummy_key = _CachedKey(Caller("", "", Role.PREDICT), secrets.token_bytes(32), 0.0, revoked=True)
        self._failing = False
        self._keys: Mapping[str, _CachedKey] = {}
        self._read()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="key-cache", daemon=True)
        self._thread.start()

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
            return False
        if self._failing:
            _LOGGER.warning("API keys can be read again")
        self._failing = False
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
        with database_errors(self._engine), self._engine.connect() as connection:
            rows = connection.execute(select(api_keys_table)).all()
        self._keys = {
            row.id: _CachedKey(
                Caller(row.id, row.name, Role(row.role)),
                bytes.fromhex(row.secret_sha256),
                _unix_time(row.expires_at),
                row.revoked_at is not None,
            )
            for row in rows
        }


def _unix_time(expires_at: datetime | None) -> float:
    return float("inf") if expires_at is None else expires_at.timestamp()
