"""`python run.py stack ...`: what can be typed about ZenML stacks, and what is printed. The work is done in `stacks`.

Imports nothing heavy: `--help` must answer at once.
"""

import argparse
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.exit_codes import DONE, FAILED, ended

if TYPE_CHECKING:
    from rich.table import Table

    from stacks.registration import RegistrationOutcome

_EPILOG = """A stack says where pipelines run and where they keep things. Files in stacks/ define stacks of the project;
docs/stacks.md tells how to write one. For one run alone: python run.py --training --stack NAME

exit codes: 0 done, 1 something is missing or failed, 2 the command line or the configuration is wrong"""


def parser() -> argparse.ArgumentParser:
    """The command line after `python run.py stack`."""
    result = argparse.ArgumentParser(
        prog="run.py stack",
        description="Register, choose, describe and check ZenML stacks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON in place of a table")
    debug = argparse.ArgumentParser(add_help=False)
    debug.add_argument("--debug", action="store_true", help="show tracebacks and all messages")
    commands.add_parser("list", parents=[as_json, debug], help="the stacks that ZenML knows or a file defines")
    register_stack = commands.add_parser("register", parents=[debug], help="make ZenML agree with the files in stacks/")
    register_stack.add_argument(
        "names", nargs="*", metavar="NAME", help="a stack of stacks/, or the path of a .yaml file"
    )
    register_stack.add_argument("--all", action="store_true", help="every stack of stacks/")
    choose = commands.add_parser("set", parents=[debug], help="use a stack from now on, as zenml stack set does")
    choose.add_argument("name", metavar="NAME")
    for name, words in (
        ("describe", "components, flavors and configuration; secrets stay hidden"),
        ("check", "ask every component whether it answers; exit code 1 if something is missing"),
    ):
        command = commands.add_parser(name, parents=[as_json, debug], help=words)
        command.add_argument("name", nargs="?", metavar="NAME", help="without it, the active stack")
    return result


def main(arguments: Sequence[str]) -> int:
    """Do what was typed after `python run.py stack`; returns the exit code: 0 done, 1 missing or failed, 2 refused."""
    commands = parser()
    given = commands.parse_args(arguments)
    if given.command == "register" and bool(given.names) == given.all:
        commands.error("register: give names, or --all")
    return ended(lambda: _answer(given), debug=given.debug)


def _answer(given: argparse.Namespace) -> int:
    from cli.zenml_session import prepare

    prepare(None, debug=given.debug)
    answers = {"list": _list, "register": _register, "set": _set, "describe": _describe, "check": _check}
    return answers[given.command](given)


def _list(given: argparse.Namespace) -> int:
    from rich.table import Table

    from stacks.description import list_stacks

    stacks = list_stacks()
    table = Table("active", "stack", "state", "components")
    for stack in stacks:
        state = "registered" if stack["registered"] else f"not registered, defined in {stack['file']}"
        components = "\n".join(f"{kind}: {name}" for kind, name in stack["components"].items())
        table.add_row("*" if stack["active"] else "", stack["name"], state, components, end_section=True)
    _print(given, stacks, table)
    return DONE


def _register(given: argparse.Namespace) -> int:
    from stacks.definition import find_stack_file, list_stack_files, read_stack_file
    from stacks.registration import register_stack

    files = list(list_stack_files().values()) if given.all else [find_stack_file(name) for name in given.names]
    for definition in [read_stack_file(file, os.environ) for file in files]:
        outcomes = register_stack(definition, os.environ)
        _console().print(definition.name)
        _print_outcomes(outcomes)
    return DONE


def _print_outcomes(outcomes: "Sequence[RegistrationOutcome]") -> None:
    for outcome in outcomes:
        _console().print(f"  {outcome.kind:<20}{outcome.name:<24}{outcome.result}")


def _set(given: argparse.Namespace) -> int:
    from zenml.client import Client

    from stacks.description import find_stack

    Client().activate_stack(find_stack(given.name).id)
    _console().print(f"active stack: {given.name}")
    return DONE


def _describe(given: argparse.Namespace) -> int:
    from rich.table import Table

    from stacks.description import describe_stack, find_stack

    stack = describe_stack(find_stack(given.name))
    title = f"{stack['name']}{' (active)' if stack['active'] else ''}"
    table = Table("component", "name", "flavor", "configuration", title=title)
    for component in stack["components"]:
        configuration = "\n".join(f"{key}: {value}" for key, value in component["configuration"].items())
        table.add_row(component["type"], component["name"], component["flavor"], configuration)
    _print(given, stack, table)
    return DONE


def _check(given: argparse.Namespace) -> int:
    from rich.table import Table

    from stacks.description import find_stack
    from stacks.health_check import check_stack

    stack = find_stack(given.name)
    answers = check_stack(stack)
    table = Table("component", "name", "flavor", "", "answer", title=stack.name)
    for answer in answers:
        table.add_row(answer.kind, answer.name, answer.flavor, "ok" if answer.ok else "missing", answer.text)
    _print(given, {"name": stack.name, "answers": [vars(answer) for answer in answers]}, table)
    return DONE if all(answer.ok for answer in answers) else FAILED


def _print(given: argparse.Namespace, values: Any, table: "Table") -> None:
    if given.json:
        print(json.dumps(values, indent=2))
    else:
        _console().print(table)


def _console() -> Any:
    from rich.console import Console

    # A table that ends in a file or a pipe is as wide as on a wide terminal; markup off, for values are not ours.
    width = None if Console().is_terminal else 120
    return Console(width=width, highlight=False, markup=False, soft_wrap=False, force_jupyter=False)
