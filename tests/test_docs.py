"""The documents, held against the code and the files they speak of."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli.arguments import parser

PAGES = ("README.md", "CONTRIBUTING.md", "docs")
COMMAND = re.compile(r"^(?:    )?python run\.py (--.*)$", re.MULTILINE)


def pages(project: Path) -> list[Path]:
    found = [project / name for name in PAGES]
    return [file for path in found for file in (sorted(path.glob("*.md")) if path.is_dir() else [path])]


def test_generated_pages_say_what_the_code_says(project: Path) -> None:
    command = [sys.executable, "-m", "scripts.generate_docs", "--check"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_links_lead_somewhere(project: Path) -> None:
    for page in pages(project):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_commands_are_understood(project: Path) -> None:
    commands = [found for page in pages(project) for found in COMMAND.findall(page.read_text())]
    assert len(commands) >= 4
    for command in commands:
        parser().parse_args(shlex.split(command, comments=True))


def test_targets_of_make_exist_and_are_listed(project: Path) -> None:
    done = subprocess.run(["make", "help"], cwd=project, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"make ([a-z-]+)", done.stdout))
    for page in pages(project):
        for target in re.findall(r"`make ([a-z-]+)`", page.read_text()):
            assert target in listed, f"{page.name}: make {target}"


@pytest.mark.parametrize("name", ["classic_flat", "low_risk", "high_risk"])
def test_examples_are_accepted(project: Path, name: str) -> None:
    import json

    from accidents.requests import parse

    parse(json.loads((project / "examples" / f"{name}.json").read_text()))
