"""API keys in the database: made, listed, revoked. A key is told once, when it is made; its secret is stored nowhere.

A key reads `acc_<id>_<secret>`: 8 hexadecimal digits and 43 characters that carry 256 random bits. Of the secret the
database has the SHA-256 alone; what is random needs no slow hash, as a password does.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from accidents.errors import ConfigurationError
from serving.auth.roles import Role
from serving.records.database import told, writing
from serving.records.errors import RecordsError, UnknownKeyError
from serving.records.tables import api_keys

PREFIX = "acc"
ID_BYTES, SECRET_BYTES = 4, 32

_LONGEST_NAME = 100
_ATTEMPTS = 5
_ID = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")


@dataclass(frozen=True)
class Key:
    """What the database knows of a key; moments are in UTC."""

    id: str
    name: str
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    def state(self, now: datetime) -> str:
        """One of active, expired, revoked."""
        if self.revoked is not None:
            return "revoked"
        return "active" if self.expires is None or now < self.expires else "expired"


@dataclass(frozen=True)
class NewKey(Key):
    """A key that was just made; `text` is what its owner sends."""

    text: str = field(repr=False)


def create(engine: Engine, name: str, role: Role, expires: datetime | None = None) -> NewKey:
    """Make a key.

    Args:
        engine: the database.
        name: whose or what for; several keys may bear the same, so that one can follow the other.
        role: what it may be used for.
        expires: from when on it is refused, with a time zone; None for never.

    Raises:
        ConfigurationError: the name is empty, too long or cannot be printed, or the key would have expired already.
        RecordsError: the database does not answer.
    """
    now = datetime.now(UTC)
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise ConfigurationError(f"name {name!r}: must be 1 to {_LONGEST_NAME} printable characters, none around them")
    if expires is not None and expires <= now:
        raise ConfigurationError(f"a key that expires at {expires:%Y-%m-%d %H:%M} could not be used")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    for _ in range(_ATTEMPTS):
        identifier = secrets.token_hex(ID_BYTES)
        row = {
            "id": identifier,
            "name": name,
            "role": role.value,
            "secret_sha256": digest(secret).hex(),
            "created_at": now,
            "expires_at": expires,
        }
        with told(engine):
            try:
                with writing(engine) as connection:
                    connection.execute(insert(api_keys), row)
            except IntegrityError:  # another key has this id: once in millions
                continue
        return NewKey(identifier, name, role, now, expires, None, f"{PREFIX}_{identifier}_{secret}")
    raise RecordsError("no id could be found that no other key has; try again")


def listed(engine: Engine) -> list[Key]:
    """All keys, oldest first.

    Raises:
        RecordsError: the database does not answer.
    """
    columns = [column for column in api_keys.columns if column.name != "secret_sha256"]
    with told(engine), engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(api_keys.c.created_at, api_keys.c.id)).all()
    return [Key(row.id, row.name, Role(row.role), row.created_at, row.expires_at, row.revoked_at) for row in rows]


def revoke(engine: Engine, key: str) -> Key:
    """Refuse a key from now on; one that was revoked stays as it is.

    Args:
        engine: the database.
        key: its id.

    Raises:
        ConfigurationError: this is no id.
        UnknownKeyError: no key has it.
        RecordsError: the database does not answer.
    """
    if not _ID.fullmatch(key):
        raise ConfigurationError(
            "the id of a key is the 8 hexadecimal digits after acc_; python run.py keys list shows those there are"
        )
    change = update(api_keys).where(api_keys.c.id == key, api_keys.c.revoked_at.is_(None))
    with told(engine), writing(engine) as connection:
        connection.execute(change, {"revoked_at": datetime.now(UTC)})
    for found in listed(engine):
        if found.id == key:
            return found
    raise UnknownKeyError(f"no API key has the id {key}; python run.py keys list shows those there are")


def digest(secret: str) -> bytes:
    """SHA-256 of a secret."""
    return hashlib.sha256(secret.encode()).digest()
