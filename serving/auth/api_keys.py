"""API keys in the database: create, list, revoke.

A key reads `acc_<id>_<secret>`: 8 hexadecimal digits and 43 characters that encode 256 random bits. It is shown once,
when it is created. The database holds the SHA-256 of the secret; random bits need no slow hash, unlike passwords.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from accidents.errors import ConfigurationError
from serving.auth.roles import Role
from serving.records.database import RecordsError, database_errors, write_transaction
from serving.records.tables import api_keys

PREFIX = "acc"
ID_BYTES, SECRET_BYTES = 4, 32

_MAX_NAME_LENGTH = 100
_MAX_ATTEMPTS = 5
_ID = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")
_HINT = "python run.py keys list shows all keys"


class UnknownKeyError(RecordsError):
    """No API key has this id."""


@dataclass(frozen=True)
class ApiKey:
    """An API key without its secret; times are in UTC."""

    id: str
    name: str
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    def status(self, now: datetime) -> str:
        """One of active, expired, revoked."""
        if self.revoked is not None:
            return "revoked"
        return "active" if self.expires is None or now < self.expires else "expired"


@dataclass(frozen=True)
class NewApiKey(ApiKey):
    """A key that was just created; `text` is what its owner sends."""

    text: str = field(repr=False)


def create_key(engine: Engine, name: str, role: Role, expires: datetime | None = None) -> NewApiKey:
    """Create an API key and store it: `new_key`, then `store_key`."""
    key = new_key(engine, name, role, expires)
    store_key(engine, key)
    return key


def new_key(engine: Engine, name: str, role: Role, expires: datetime | None = None) -> NewApiKey:
    """Make an API key that is valid once it is stored, so that it can be shown to its owner before.

    Args:
        engine: the database.
        name: owner or purpose; no other active key may have it.
        role: role of the callers that send it.
        expires: time from which it is rejected, with a time zone; None for never.

    Raises:
        ConfigurationError: the name is empty, too long, not printable or taken, or the key would have expired already.
        RecordsError: the database does not answer.
    """
    now = datetime.now(UTC)
    if not 1 <= len(name) <= _MAX_NAME_LENGTH or not name.isprintable() or name != name.strip():
        raise ConfigurationError(
            f"name {name!r}: must be 1 to {_MAX_NAME_LENGTH} printable characters without spaces at the ends"
        )
    if expires is not None and expires <= now:
        raise ConfigurationError(f"expiry {expires:%Y-%m-%d %H:%M} is in the past; choose a later one")
    keys = list_keys(engine)
    _require_free_name(keys, name)
    used = {key.id for key in keys}
    for _ in range(_MAX_ATTEMPTS):
        key_id = secrets.token_hex(ID_BYTES)
        if key_id not in used:
            text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
            return NewApiKey(key_id, name, role, now, expires, None, text)
    raise RecordsError("no unused key id was found; try again")


def store_key(engine: Engine, key: NewApiKey) -> None:
    """Store a new API key, which makes it valid.

    Raises:
        ConfigurationError: another key has taken the name in the meantime.
        RecordsError: the database does not answer, or another key has taken the id in the meantime.
    """
    row = {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "secret_sha256": digest(key.text.removeprefix(f"{PREFIX}_{key.id}_")).hex(),
        "created_at": key.created,
        "expires_at": key.expires,
    }
    with database_errors(engine):
        try:
            with write_transaction(engine) as connection:
                _require_free_name(_read_keys(connection), key.name)
                connection.execute(insert(api_keys), row)
        except IntegrityError:  # created at the same moment: once in billions
            raise RecordsError(f"the id {key.id} is taken, the key was not stored; create another one") from None


def list_keys(engine: Engine) -> list[ApiKey]:
    """All API keys, oldest first.

    Raises:
        RecordsError: the database does not answer.
    """
    with database_errors(engine), engine.connect() as connection:
        return _read_keys(connection)


def _read_keys(connection: Connection) -> list[ApiKey]:
    columns = [column for column in api_keys.columns if column.name != "secret_sha256"]
    rows = connection.execute(select(*columns).order_by(api_keys.c.created_at, api_keys.c.id)).all()
    return [ApiKey(row.id, row.name, Role(row.role), row.created_at, row.expires_at, row.revoked_at) for row in rows]


def _require_free_name(keys: list[ApiKey], name: str) -> None:
    for key in keys:
        if key.name == name and key.status(datetime.now(UTC)) == "active":
            raise ConfigurationError(
                f"the active key {key.id} has the name {name!r} already: choose another name, or revoke that key first "
                f"with 'python run.py keys revoke {key.id}'"
            )


def revoke_key(engine: Engine, key_id: str) -> ApiKey:
    """Reject an API key from now on; a key that was revoked before keeps its time of revocation.

    Raises:
        ConfigurationError: `key_id` is not the id of a key.
        UnknownKeyError: no key has this id.
        RecordsError: the database does not answer.
    """
    if not _ID.fullmatch(key_id):
        raise ConfigurationError(f"the id of a key is the 8 hexadecimal digits after acc_; {_HINT}")
    change = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    with database_errors(engine), write_transaction(engine) as connection:
        connection.execute(change, {"revoked_at": datetime.now(UTC)})
    for key in list_keys(engine):
        if key.id == key_id:
            return key
    raise UnknownKeyError(f"no API key has the id {key_id}; {_HINT}")


def digest(secret: str) -> bytes:
    """SHA-256 of the secret of a key, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()
