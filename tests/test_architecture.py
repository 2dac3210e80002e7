"""Imports, sizes and docstrings of the code, and the picture of it in docs/architecture.md."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("accidents", "cli", "materializers", "pipelines", "serving", "stacks", "steps", "tracking")
BESIDE = ("benchmarks", "scripts")
"""Packages that nothing imports, and that may import anything."""

LONGEST_FILE = 300
LONGEST_STEP = 80


def files(project: Path, package: str) -> list[Path]:
    return sorted((project / package).rglob("*.py"))


def test_imports_keep_the_contracts_of_pyproject(project: Path) -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    process = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout
    assert "0 broken" in process.stdout


@pytest.mark.slow
def test_importing_every_module_opens_no_store_of_zenml(project: Path) -> None:
    modules = [
        ".".join(file.relative_to(project).with_suffix("").parts)
        for package in ("steps", "pipelines", "materializers", "serving", "stacks", "tracking")
        for file in files(project, package)
        if file.name != "__main__.py" and "migrations" not in file.parts
    ]
    code = (
        f"import importlib\nfor module in {modules}: importlib.import_module(module)\n"
        "from zenml.config.global_config import GlobalConfiguration\n"
        "print('opened' if GlobalConfiguration()._zen_store else 'closed')"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True)
    assert process.stdout.split()[-1:] == ["closed"], process.stderr


def test_files_and_steps_stay_short(project: Path) -> None:
    for package in (*PACKAGES, *BESIDE):
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
    for package in (*PACKAGES, *BESIDE):
        for file in files(project, package):
            assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file


def test_the_picture_names_all_parts_of_the_domain(project: Path) -> None:
    picture = (project / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    lines = re.findall(r"^  (\w+(?:, \w+)*)  ", picture, re.MULTILINE)
    named = {name for line in lines for name in line.split(", ")}
    parts = {path.stem for path in (project / "accidents").iterdir() if not path.name.startswith(("_", "."))}
    assert named == parts
