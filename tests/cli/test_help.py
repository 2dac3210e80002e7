"""`--help` of every command: complete, quick, and without the libraries that are slow to import."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.main import run
from cli.run_options import OPTIONS

pytestmark = pytest.mark.slow

HEAVY = {"zenml", "mlflow", "pandas", "numpy", "sklearn", "pydantic", "sqlalchemy", "yaml", "rich", "matplotlib"}
MAX_SECONDS = 1.0
CODE = "import json, sys; from cli.main import main; code = main(sys.argv[1:]); print(json.dumps([code, *sys.modules]))"


def command_paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group below a command."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand, name
            yield from command_paths(subcommand, (*path, name))


@pytest.mark.parametrize("path", command_paths(run), ids=lambda path: " ".join(path) or "run.py")
def test_help_is_quick_and_imports_nothing_heavy(path: tuple[str, ...], project: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", CODE, *path, "--help"], cwd=project, capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text, _, last = done.stdout.rstrip().rpartition("\n")
    code, *modules = json.loads(last)
    assert code == 0
    assert text.startswith(f"Usage: {' '.join(('run.py', *path))}")
    assert not HEAVY & {*modules}
    # Processor time: the wall clock depends on what else the machine does.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MAX_SECONDS


def test_help_lists_every_flag_with_a_description() -> None:
    text = run.get_help(click.Context(run, info_name="run.py"))
    for option in OPTIONS:
        assert option.flag in text
        assert option.help


@pytest.mark.parametrize("path", [*command_paths(run)][1:], ids=" ".join)
def test_commands_and_their_options_are_described(path: tuple[str, ...]) -> None:
    command: click.Command = run
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name) or command
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not isinstance(parameter.type, click.Choice):
            assert parameter.help, parameter.name
