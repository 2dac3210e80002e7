"""`python run.py keys ...`: API keys of the service. The work is done in `serving.auth.api_keys`.

Imports nothing heavy: `--help` must answer at once.
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from cli.decorators import RecordDatabase, with_record_database
from cli.options import Days, Group
from cli.output import print_result

if TYPE_CHECKING:
    from serving.auth.api_keys import ApiKey

_ROLES = ("predict", "evaluate", "admin")


@click.group(cls=Group)
def keys() -> None:
    """Create, list and revoke API keys of the service.

    A key is printed once, when it is created; the database holds only its SHA-256. Each role may do what those before
    it may: predict, evaluate, admin. A running service takes notice within seconds.
    """


@keys.command()
@click.option("--name", required=True, metavar="NAME", help="whose key it is, or what for")
@click.option("--role", required=True, type=click.Choice(_ROLES), help="what it may be used for")
@click.option("--days", type=Days(zero=False), metavar="N", help="days until it expires; without it, never")
@with_record_database
def create(database: RecordDatabase, *, name: str, role: str, days: float | None, as_json: bool) -> None:
    """Create a key and print it, once; it is valid when the command has ended with 0."""
    from serving.auth import api_keys
    from serving.auth.roles import Role

    expires = datetime.now(UTC) + timedelta(days=days) if days else None
    key = api_keys.new_key(database.engine, name, Role(role), expires)
    if not as_json:
        until = f"until {_format_time(expires)}" if expires else "until it is revoked"
        print(f"key {key.id} for {key.name}, role {key.role}, {until}; it is not shown again:", file=sys.stderr)
    # Standard output holds the key alone, so that a script can take it as it is. Printed before it is stored: if the
    # command is killed in between, or its output cannot be written, there is no valid key that nobody has seen.
    print_result({"key": key.text, **_as_dict(key)}, key.text, as_json=as_json)
    api_keys.store_key(database.engine, key)


@keys.command("list")
@with_record_database
def list_keys(database: RecordDatabase, *, as_json: bool) -> None:
    """List all keys, and whether they are active."""
    from rich.table import Column, Table

    from serving.auth import api_keys

    found = api_keys.list_keys(database.engine)
    table = Table("id", Column("name", overflow="fold"), "role", "created", "expires", "state")
    for key in found:
        state = key.status(datetime.now(UTC))
        table.add_row(
            key.id, key.name, key.role, _format_time(key.created), _format_time(key.expires) or "never", state
        )
    print_result([_as_dict(key) for key in found], table, as_json=as_json)


@keys.command()
@click.argument("key_id", metavar="ID")
@with_record_database
def revoke(database: RecordDatabase, *, key_id: str, as_json: bool) -> None:
    """Refuse a key from now on; ID is the 8 hexadecimal digits after acc_."""
    from serving.auth import api_keys

    key = api_keys.revoke_key(database.engine, key_id)
    seconds, grace = database.settings.refresh_seconds, database.settings.key_grace_seconds
    text = f"{key.id} ({key.name}) is revoked; a running service refuses it within {seconds:g} s"
    if grace:
        text += f", or {seconds + grace:g} s if it cannot reach the database"
    print_result(_as_dict(key), text, as_json=as_json)


def _as_dict(key: "ApiKey") -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "created": key.created.isoformat(),
        "expires": key.expires.isoformat() if key.expires else None,
        "revoked": key.revoked.isoformat() if key.revoked else None,
        "state": key.status(datetime.now(UTC)),
    }


def _format_time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else ""
