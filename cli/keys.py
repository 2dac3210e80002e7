"""`python run.py keys ...`: API keys of the service. The work is done in `serving.auth.api_keys`.

Imports nothing heavy: `--help` must answer at once.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cli.records import run, say, shared

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from accidents.configuration.records import RecordSettings
    from serving.auth.api_keys import ApiKey

_ROLES = ("predict", "evaluate", "admin")
_EPILOG = """A key is shown once, when it is made; the database holds a SHA-256 of it alone. Each role may do what those
before it may: predict, evaluate, admin. A running service takes notice within seconds.

exit codes: 0 done, 1 something is missing or failed, 2 the command line or the configuration is wrong"""


def parser() -> argparse.ArgumentParser:
    """The command line after `python run.py keys`."""
    result = argparse.ArgumentParser(
        prog="run.py keys",
        description="Make, list and revoke API keys of the service.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parents = [shared()]
    create = commands.add_parser("create", parents=parents, allow_abbrev=False, help="make a key and print it, once")
    create.add_argument("--name", required=True, metavar="NAME", help="whose key it is, or what for")
    create.add_argument("--role", required=True, choices=_ROLES, help="what it may be used for")
    create.add_argument("--days", type=_days, metavar="N", help="days until it expires; without it, never")
    commands.add_parser("list", parents=parents, allow_abbrev=False, help="all keys, and whether they are in use")
    revoke = commands.add_parser("revoke", parents=parents, allow_abbrev=False, help="refuse a key from now on")
    revoke.add_argument("id", metavar="ID", help="the 8 hexadecimal digits after acc_")
    return result


def main(arguments: Sequence[str]) -> int:
    """Do what was typed after `python run.py keys`; returns the exit code: 0 done, 1 failed, 2 refused."""
    return run(parser(), {"create": _create, "list": _list, "revoke": _revoke}, arguments)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a number above 0, and at most 36500")
    return days


def _create(given: argparse.Namespace, engine: "Engine", _: "RecordSettings") -> None:
    from serving.auth.api_keys import create_key
    from serving.auth.roles import Role

    expires = datetime.now(UTC) + timedelta(days=given.days) if given.days else None
    key = create_key(engine, given.name, Role(given.role), expires)
    if not given.json:
        until = f"until {_moment(expires)}" if expires else "until it is revoked"
        print(f"key {key.id} for {key.name}, role {key.role}, {until}; it is not shown again:", file=sys.stderr)
    # The key alone, so that a script can take it as it is.
    say(given, {"key": key.text, **_facts(key)}, key.text)


def _list(given: argparse.Namespace, engine: "Engine", _: "RecordSettings") -> None:
    from rich.table import Column, Table

    from serving.auth.api_keys import list_keys

    keys = list_keys(engine)
    table = Table("id", Column("name", overflow="fold"), "role", "created", "expires", "state")
    for key in keys:
        state = key.status(datetime.now(UTC))
        table.add_row(key.id, key.name, key.role, _moment(key.created), _moment(key.expires) or "never", state)
    say(given, [_facts(key) for key in keys], table)


def _revoke(given: argparse.Namespace, engine: "Engine", settings: "RecordSettings") -> None:
    from serving.auth.api_keys import revoke_key

    key = revoke_key(engine, given.id)
    seconds = settings.refresh_seconds
    say(given, _facts(key), f"{key.id} ({key.name}) is revoked; a running service refuses it within {seconds:g} s")


def _facts(key: "ApiKey") -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "created": key.created.isoformat(),
        "expires": key.expires.isoformat() if key.expires else None,
        "revoked": key.revoked.isoformat() if key.revoked else None,
        "state": key.status(datetime.now(UTC)),
    }


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""
