"""`python run.py stack ...`: ZenML stacks. The work is done in `stacks`.

Imports nothing heavy: `--help` must answer at once.
"""

import os
import sys

import click

from accidents.errors import ConfigurationError
from cli.exit_codes import DONE, FAILED
from cli.options import Group, debug_enabled, debug_option, json_option
from cli.output import print_result
from cli.zenml_session import prepare_zenml


@click.group(cls=Group)
def stack() -> None:
    """Register, choose, describe and check ZenML stacks.

    A stack defines where pipelines run and where they store things. Files in stacks/ define stacks of the project;
    docs/stacks.md tells how to write one. For one run alone: python run.py --training --stack NAME
    """


LOCAL_STACKS = ("local", "local-mlflow")
"""Stacks that a training registers."""


def stack_environment() -> dict[str, str]:
    """The environment for stack files: `DAGSHUB_REPO` names an MLflow server as `MLFLOW_TRACKING_URI` does.

    Raises:
        ConfigurationError: `DAGSHUB_REPO` is not `user/repo`.
    """
    from tracking.tracking_uri import target_from_environment

    target = target_from_environment(os.environ)
    return dict(os.environ) | ({"MLFLOW_TRACKING_URI": target.uri, **target.environment} if target else {})


def register_local_stacks() -> None:
    """Register `LOCAL_STACKS` where they are absent, without switching; print the command where ZenML is a team's."""
    from stacks.registration import register_absent

    try:
        absent = register_absent(LOCAL_STACKS, stack_environment())
    except ConfigurationError as error:  # such as a password in MLFLOW_TRACKING_URI
        print(f"stacks    not registered: {error}", file=sys.stderr, flush=True)
        return
    if absent:
        print(f"stacks    python run.py stack register {' '.join(absent)} adds them to this ZenML server", flush=True)


@stack.command("list")
@json_option
@debug_option
def list_stacks(*, as_json: bool) -> None:
    """List the stacks that are registered in ZenML or defined by a file."""
    prepare_zenml(None, debug=debug_enabled())
    from rich.table import Table

    from stacks.description import list_stacks as load_stacks

    stacks = load_stacks()
    table = Table("active", "stack", "state", "components")
    for item in stacks:
        state = "registered" if item["registered"] else f"not registered, defined in {item['file']}"
        components = "\n".join(f"{kind}: {name}" for kind, name in item["components"].items())
        table.add_row("*" if item["active"] else "", item["name"], state, components, end_section=True)
    print_result(stacks, table, as_json=as_json)


@stack.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "register_all", is_flag=True, help="every stack of stacks/ whose variables are set")
@debug_option
def register(*, names: tuple[str, ...], register_all: bool) -> None:
    """Create or update stacks as their files define them; NAME is a stack of stacks/ or the path of a .yaml file."""
    if bool(names) == register_all:
        raise click.UsageError("give names, or --all")
    prepare_zenml(None, debug=debug_enabled())
    from stacks.definition import find_stack_file, list_stack_files, read_stack_file
    from stacks.registration import register_stack
    from stacks.variables import UnsetVariableError

    files = list(list_stack_files().values()) if register_all else [find_stack_file(name) for name in names]
    environment = stack_environment()
    definitions = []
    for file in files:
        try:
            definitions.append(read_stack_file(file, environment))
        except UnsetVariableError as error:
            if not register_all:
                raise
            print(f"{file.stem}\n  not registered: {error}")
    for definition in definitions:
        outcomes = register_stack(definition, environment)
        print(definition.name)
        for outcome in outcomes:
            print(f"  {outcome.kind:<20}{outcome.name:<24}{outcome.result}")


@stack.command("set")
@click.argument("name")
@debug_option
def set_active(*, name: str) -> None:
    """Use a stack from now on, as zenml stack set does."""
    prepare_zenml(None, debug=debug_enabled())
    from zenml.client import Client

    from stacks.description import find_stack

    Client().activate_stack(find_stack(name).id)
    print(f"active stack: {name}")


@stack.command()
@click.argument("name", required=False)
@json_option
@debug_option
def describe(*, name: str | None, as_json: bool) -> None:
    """Show components, flavors and configuration of a stack, by default the active one; secrets stay hidden."""
    prepare_zenml(None, debug=debug_enabled())
    from rich.table import Table

    from stacks.description import describe_stack, find_stack

    described = describe_stack(find_stack(name))
    title = f"{described['name']}{' (active)' if described['active'] else ''}"
    table = Table("component", "name", "flavor", "configuration", title=title)
    for component in described["components"]:
        configuration = "\n".join(f"{key}: {value}" for key, value in component["configuration"].items())
        table.add_row(component["type"], component["name"], component["flavor"], configuration)
    print_result(described, table, as_json=as_json)


@stack.command()
@click.argument("name", required=False)
@json_option
@debug_option
def check(*, name: str | None, as_json: bool) -> int:
    """Connect to every component of a stack, by default the active one; exit code 1 if something is missing.

    Files with secrets or personal data that other users may read are listed with the command that ends that.
    """
    prepare_zenml(None, debug=debug_enabled())
    from rich.table import Table

    from cli.private_files import exposed_files
    from stacks import health_check
    from stacks.description import find_stack

    model = find_stack(name)
    results = health_check.check_stack(model)
    table = Table("component", "name", "flavor", "", "answer", title=model.name)
    for result in results:
        table.add_row(result.kind, result.name, result.flavor, "ok" if result.ok else "missing", result.text)
    exposed = exposed_files()
    values = {"name": model.name, "answers": [vars(result) for result in results], "exposed": exposed}
    print_result(values, table, as_json=as_json)
    for file in exposed if not as_json else ():
        print(f"{file['path']}: other users have access ({file['contains']}): {file['command']}")
    return DONE if all(result.ok for result in results) else FAILED
