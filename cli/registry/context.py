"""What every command of the registry needs: its options, the connected registry, the configuration, and printing."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from accidents.errors import ConfigurationError
from cli.options import Command, debug_enabled
from cli.output import print_json, print_result
from cli.registry.options import Option

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration
    from tracking.ledger import LedgerEntry
    from tracking.registry import RegisteredVersion, Registry

_UNBROKEN_COLUMNS = 3  # from the left
_OVERRIDES = {"ingestion.source.location": "source", "ingestion.source.years": "years"}


@dataclass(frozen=True)
class RegistryContext:
    """A connected registry, the configuration, and how results are printed."""

    registry: "Registry"
    configuration: "Configuration"
    as_json: bool

    def names(self, model_name: str | None) -> list[str]:
        """The registered name of a model; all registered names where None."""
        return self.registry.models() if model_name is None else [self.registry.resolve_name(model_name)]

    def version(self, model_name: str, number: str | None) -> "RegisteredVersion":
        """A version by its number; the latest where None."""
        name = self.registry.resolve_name(model_name)
        return self.registry.latest(name) if number is None else self.registry.version(name, number)

    def print_text(self, text: str) -> None:
        """Print a line, unless the output is JSON."""
        if not self.as_json:
            print(text, flush=True)

    def print_table(self, values: Any, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows as a table, or values as JSON."""
        from rich.table import Column, Table

        table = Table(
            *(Column(name, overflow="fold", no_wrap=index < _UNBROKEN_COLUMNS) for index, name in enumerate(columns))
        )
        for row in rows:
            table.add_row(*row)
        print_result(values, table, as_json=self.as_json)

    def print_entry(self, entry: "LedgerEntry") -> None:
        """Print a change of stage, as recorded in the ledger."""
        if self.as_json:
            print_json(asdict(entry))
        archived = f"; {entry.previous} is archived" if entry.previous else ""
        self.print_text(f"{entry.model} {entry.version} is in {entry.stage}{archived}")


def registry_command(name: str, *option_decorators: Option) -> Callable[[Callable[..., int]], click.Command]:
    """Make a function a command of the registry.

    Args:
        name: the name of the command.
        *option_decorators: its options.

    Returns:
        A decorator. The function gets a `RegistryContext` and, by name, every option but `--json`, `--source` and
        `--years`, and returns an exit code. Its docstring is the help of the command.
    """

    def decorate(function: Callable[..., int]) -> click.Command:
        @click.pass_obj
        @wraps(function)
        def connect_and_call(group: Mapping[str, Any], **values: Any) -> int:
            from cli.zenml_session import load_environment, prepare_zenml

            load_environment()
            from accidents.configuration.loading import load_configuration
            from tracking.connection import connect
            from tracking.registry import Registry

            overrides = {key: values.pop(option, None) for key, option in _OVERRIDES.items()}
            flags = {key: f"--{option}" for key, option in _OVERRIDES.items()}
            configuration = load_configuration(map(Path, group["config"]), overrides, flags)
            prepare_zenml(group["stack"], debug=debug_enabled())
            with connect(configuration.tracking) as connection:
                context = RegistryContext(Registry(connection), configuration, values.pop("as_json", False))
                return function(context, **values)

        command: Callable[..., Any] = connect_and_call
        for option in reversed(option_decorators):
            command = option(command)
        return click.command(name, cls=Command)(command)

    return decorate


def confirm(question: str, *, yes: bool) -> bool:
    """Ask on the terminal, unless `--yes` was given.

    Raises:
        ConfigurationError: standard input is no terminal.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{question} There is no terminal to answer on: add --yes")
    return click.confirm(question)


def version_as_dict(version: "RegisteredVersion") -> dict[str, Any]:
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
