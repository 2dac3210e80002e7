"""The API keys in memory, as the service verifies them: a snapshot that a thread keeps up to date."""

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

from serving.auth.roles import Caller, Reason, Refusal, Role
from serving.records import api_keys
from serving.records.database import told
from serving.records.errors import RecordsError
from serving.records.tables import api_keys as api_keys_table

_LOGGER = logging.getLogger(__name__)
_KEY = re.compile(rf"{api_keys.PREFIX}_(?P<id>[0-9a-f]{{{2 * api_keys.ID_BYTES}}})_(?P<secret>[A-Za-z0-9_-]{{43}})")
_MISSING, _WRONG, _EXPIRED, _REVOKED = map(Refusal, (Reason.MISSING, Reason.WRONG, Reason.EXPIRED, Reason.REVOKED))


@dataclass(frozen=True, slots=True)
class _Known:
    """A key of the snapshot; times are in seconds since 1970."""

    caller: Caller
    digest: bytes
    expires: float
    revoked: bool


def _nobody() -> _Known:
    """What a key of unknown id is compared with."""
    return _Known(Caller("", "", Role.PREDICT), secrets.token_bytes(32), 0.0, True)


class KeyRing:
    """Verifies keys in microseconds; where the database is away it goes on with what it read last.

    Make one a process, after a fork: the thread does not survive one.

    Raises:
        RecordsError: the keys cannot be read at the start.
    """

    def __init__(self, engine: Engine, refresh_seconds: float) -> None:
        self._engine = engine
        self._interval = refresh_seconds
        self._nobody = _nobody()
        self._failing = False
        self._known: Mapping[str, _Known] = {}
        self._read()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="key-ring", daemon=True)
        self._thread.start()

    @property
    def usable(self) -> int:
        """How many keys are neither revoked nor expired."""
        now = time.time()
        return sum(not known.revoked and now < known.expires for known in self._known.values())

    def verify(self, text: str | None) -> Caller | Refusal:
        """The caller whose key `text` is; the same work is done whether or not there is such a key."""
        if not text:
            return _MISSING
        read = _KEY.fullmatch(text)
        if read is None:
            return _WRONG
        known = self._known.get(read["id"], self._nobody)
        if not hmac.compare_digest(api_keys.digest(read["secret"]), known.digest):
            return _WRONG
        if known.revoked:
            return _REVOKED
        return known.caller if time.time() < known.expires else _EXPIRED

    def refresh(self) -> bool:
        """Read the keys now; whether the database answered."""
        try:
            self._read()
        except RecordsError as error:
            if not self._failing:
                _LOGGER.warning("API keys cannot be read again, those known stay in use: %s", error)
            self._failing = True
            return False
        if self._failing:
            _LOGGER.warning("API keys are read again")
        self._failing = False
        return True

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join(1)

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            try:
                self.refresh()
            except Exception:
                _LOGGER.exception("API keys cannot be read again")

    def _read(self) -> None:
        with told(self._engine), self._engine.connect() as connection:
            rows = connection.execute(select(api_keys_table)).all()
        self._known = {
            row.id: _Known(
                Caller(row.id, row.name, Role(row.role)),
                bytes.fromhex(row.secret_sha256),
                _seconds(row.expires_at),
                row.revoked_at is not None,
            )
            for row in rows
        }


def _seconds(expires: datetime | None) -> float:
    return float("inf") if expires is None else expires.timestamp()
