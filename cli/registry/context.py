"""What every command of the registry has before it: registry, configuration, what was typed; and its printing."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from accidents.configuration.loading import Configuration
from accidents.errors import ConfigurationError
from tracking.names import resolve_model_name
from tracking.registry import RegisteredVersion, Registry

_WIDTH_OF_A_PIPE = 180
_WHOLE = 3  # columns from the left that are never broken


@dataclass(frozen=True)
class Desk:
    """One command under way."""

    registry: Registry
    configuration: Configuration
    given: argparse.Namespace

    @property
    def names(self) -> list[str]:
        """The model that was named, or all that are registered."""
        return [self.name] if self.given.model_name is not None else self.registry.models()

    @property
    def name(self) -> str:
        """The model that was named."""
        return resolve_model_name(self.given.model_name)

    @property
    def version(self) -> RegisteredVersion:
        """The version that was named, else the latest."""
        number = self.given.version
        return self.registry.version(self.name, number) if number is not None else self.registry.latest(self.name)

    def say(self, text: str) -> None:
        """Print a line for people; nothing where JSON is asked for."""
        if not getattr(self.given, "json", False):
            print(text, flush=True)

    def show(self, values: Any, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print values as JSON, if asked to, else the rows as a table."""
        if self.given.json:
            print(json.dumps(values, indent=2))
            return
        table = Table(*(Column(name, overflow="fold", no_wrap=place < _WHOLE) for place, name in enumerate(columns)))
        for row in rows:
            table.add_row(*row)
        console().print(table)

    def sure(self, question: str) -> bool:
        """Ask, unless `--yes` was typed.

        Raises:
            ConfigurationError: nobody can answer.
        """
        if self.given.yes:
            return True
        if not sys.stdin.isatty():
            raise ConfigurationError(f"{question} There is no terminal to answer on: add --yes")
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def console() -> Console:
    """Where tables go; wide enough where that is no terminal."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH_OF_A_PIPE, force_jupyter=False)


def facts(version: RegisteredVersion) -> dict[str, Any]:
    """A version, ready for JSON."""
    return {
        "name": version.name,
        "version": version.version,
        "stage": version.stage,
        "aliases": list(version.aliases),
        "created": version.created.isoformat(timespec="seconds"),
        "run_id": version.run_id,
        "uri": f"models:/{version.name}/{version.version}",
        "metrics": version.metrics,
        "description": version.description,
        "tags": dict(version.tags),
    }
