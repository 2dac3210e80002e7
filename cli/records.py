"""What `python run.py keys` and `python run.py predictions` have in common: options, database, errors, printing."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.exit_codes import DONE, ended

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import Engine

    from accidents.configuration.records import RecordSettings

Answer = Callable[[argparse.Namespace, "Engine", "RecordSettings"], None]


def shared() -> argparse.ArgumentParser:
    """Options of every command."""
    result = argparse.ArgumentParser(add_help=False)
    result.add_argument("--json", action="store_true", help="print JSON, for scripts")
    result.add_argument("--config", action="append", metavar="FILE", default=[], help="a YAML file in place of one")
    result.add_argument("--debug", action="store_true", help="show tracebacks and all messages")
    return result


def run(parser: argparse.ArgumentParser, answers: Mapping[str, Answer], arguments: Sequence[str]) -> int:
    """Do what was typed, on the database of the service; returns the exit code: 0 done, 1 failed, 2 refused."""
    given = parser.parse_args(arguments)

    def answered() -> int:
        from cli.zenml_session import read_environment

        read_environment()
        from accidents.configuration.loading import load_configuration
        from serving.records.database import migrate, open_database

        settings = load_configuration([Path(file) for file in given.config]).serving.records
        engine = open_database(settings)
        try:
            migrate(engine)
            answers[given.command](given, engine, settings)
        finally:
            engine.dispose()
        return DONE

    return ended(answered, debug=given.debug)


def say(given: argparse.Namespace, values: Any, told: "str | Table") -> None:
    """Print values as JSON, if asked to, else what is told to people."""
    if given.json:
        print(json.dumps(values, indent=2))
        return
    from rich.console import Console

    # A table that ends in a file or a pipe is as wide as on a wide terminal; markup off, for values are not ours.
    width = None if sys.stdout.isatty() else 160
    Console(width=width, highlight=False, markup=False, soft_wrap=isinstance(told, str), force_jupyter=False).print(
        told
    )
