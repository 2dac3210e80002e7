"""The documents, held against the code and the files they speak of."""

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest

from cli.main import COMMANDS, main

PAGES = ("README.md", "CONTRIBUTING.md", "docs")
COMMAND = re.compile(r"(?:^(?: {4})?(?:\$ )?|`)python (run\.py|-m [\w.]+)(?: +([^`\n]+))?", re.MULTILINE)
"""The program and its arguments: on a line of their own, or in a sentence."""


def pages(project: Path) -> list[Path]:
    found = [project / name for name in PAGES]
    return [file for path in found for file in (sorted(path.glob("*.md")) if path.is_dir() else [path])]


def texts(project: Path) -> dict[Path, str]:
    """What people read: the pages, and the words of the notebooks."""
    found = {page: page.read_text(encoding="utf-8") for page in pages(project)}
    for notebook in sorted((project / "notebooks").glob("*.py")):
        found[notebook] = "\n".join(re.findall(r"^# (.*)$", notebook.read_text(encoding="utf-8"), re.MULTILINE))
    return found


def commands(project: Path) -> list[tuple[str, list[str]]]:
    """Every command of the pages: `run.py` or `-m MODULE`, and its arguments; what may be left out is typed."""
    found = []
    for page in pages(project):
        for program, typed in COMMAND.findall(page.read_text(encoding="utf-8")):
            if typed not in COMMANDS:  # the name of a group, not a command
                found.append((program, shlex.split(re.sub(r"[][]", "", typed), comments=True)))
    return found


def understood(parse_request: Callable[[], Any]) -> bool:
    """Whether a parser took what was typed; `--help` and what is parsed only end with 0, all else with 2."""
    try:
        parse_request()
    except SystemExit as ended:
        return not ended.code
    return True


def test_generated_pages_say_what_the_code_says(project: Path) -> None:
    command = [sys.executable, "-m", "scripts.generate_docs", "--check"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_links_lead_somewhere(project: Path) -> None:
    for page, text in texts(project).items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_commands_are_understood(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Context, "invoke", lambda *_, **__: 0)  # parses, and runs nothing
    typed = [arguments for program, arguments in commands(project) if program == "run.py"]
    assert {"registry", "stack", "keys", "predictions"} <= {arguments[0] for arguments in typed if arguments}
    assert len(typed) >= 40
    for arguments in typed:
        assert main(arguments) == 0, shlex.join(arguments)


def test_modules_that_are_run_exist(project: Path) -> None:
    modules = [program.removeprefix("-m ") for program, _ in commands(project) if program != "run.py"]
    assert len(modules) >= 5
    for module in modules:
        assert find_spec(module), module


@pytest.mark.slow
def test_commands_of_benchmarks_are_understood(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse_args = argparse.ArgumentParser.parse_args

    def only_parse(self: argparse.ArgumentParser, *arguments: Any) -> None:
        parse_args(self, *arguments)
        raise SystemExit(0)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_parse)
    for program, arguments in commands(project):
        name = program.removeprefix("-m ")
        if name.startswith("benchmarks."):
            spec = find_spec(name)
            assert spec
            module = import_module(f"{name}.__main__" if spec.submodule_search_locations else name)
            monkeypatch.setattr(sys, "argv", [name, *arguments])
            assert understood(module.main), f"{name} {shlex.join(arguments)}"


def test_targets_of_make_exist_and_are_listed(project: Path) -> None:
    done = subprocess.run(["make", "help"], cwd=project, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"make ([a-z-]+)", done.stdout))
    for page in pages(project):
        for target in re.findall(r"`make ([a-z-]+)`", page.read_text()):
            assert target in listed, f"{page.name}: make {target}"


@pytest.mark.parametrize("name", ["classic_flat", "low_risk", "high_risk"])
def test_examples_are_accepted(project: Path, name: str) -> None:
    import json

    from accidents.requests import parse_request

    parse_request(json.loads((project / "examples" / f"{name}.json").read_text()))
