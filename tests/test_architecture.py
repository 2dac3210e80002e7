"""The picture in docs/architecture.md, held against the imports of the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ALLOWED = {
    "accidents": {"accidents"},
    "materializers": {"materializers", "accidents"},
    "tracking": {"tracking", "accidents"},
    "steps": {"steps", "tracking", "materializers", "accidents"},
    "pipelines": {"pipelines", "steps", "tracking", "materializers", "accidents"},
    "stacks": {"stacks", "accidents"},
    "serving": {"serving", "accidents"},
    "cli": {"cli", "serving", "stacks", "pipelines", "tracking", "materializers", "steps", "accidents"},
}
BESIDE = ("benchmarks", "scripts")
"""Packages that nothing imports, and that may import anything."""

LONGEST_FILE = 320
LONGEST_STEP = 70


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def files(project: Path, package: str) -> list[Path]:
    return sorted((project / package).rglob("*.py"))


@pytest.mark.parametrize("package", ALLOWED)
def test_arrows_point_down(project: Path, package: str) -> None:
    own = {*ALLOWED, *BESIDE, "run", "tests"}
    for file in files(project, package):
        reached = {name.partition(".")[0] for name in imports(file)} & own
        assert reached <= ALLOWED[package], file


def test_the_domain_knows_neither_zenml_nor_mlflow(project: Path) -> None:
    for file in files(project, "accidents"):
        assert not {"zenml", "mlflow"} & {name.partition(".")[0] for name in imports(file)}, file


def test_only_tracking_imports_mlflow(project: Path) -> None:
    for package in ALLOWED.keys() - {"tracking"}:
        for file in files(project, package):
            assert "mlflow" not in {name.partition(".")[0] for name in imports(file)}, file


def test_the_service_knows_no_zenml(project: Path) -> None:
    for file in files(project, "serving"):
        assert "zenml" not in {name.partition(".")[0] for name in imports(file)}, file


@pytest.mark.parametrize("package", ["steps", "pipelines", "materializers", "serving", "stacks", "tracking"])
def test_nothing_talks_to_a_zenml_client_at_import(project: Path, package: str) -> None:
    for file in files(project, package):
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                assert "Client(" not in ast.unparse(statement), file


def test_files_and_steps_stay_short(project: Path) -> None:
    for package in (*ALLOWED, *BESIDE):
        for file in files(project, package):
            lines = len(file.read_text(encoding="utf-8").splitlines())
            assert lines <= LONGEST_FILE, file
            if package == "steps" and "\n@step" in file.read_text(encoding="utf-8"):
                assert lines <= LONGEST_STEP, file


def test_pipelines_say_what_they_do(project: Path) -> None:
    for file in files(project, "pipelines"):
        for function in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef):
                assert ast.get_docstring(function), file


def test_every_module_says_what_lives_in_it(project: Path) -> None:
    for package in (*ALLOWED, *BESIDE):
        for file in files(project, package):
            assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file


def test_the_picture_names_all_parts_of_the_domain(project: Path) -> None:
    picture = (project / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    lines = re.findall(r"^  (\w+(?:, \w+)*)  ", picture, re.MULTILINE)
    named = {name for line in lines for name in line.split(", ")}
    parts = {path.stem for path in (project / "accidents").iterdir() if not path.name.startswith(("_", "."))}
    assert named == parts
