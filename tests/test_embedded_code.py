"""Code that tests and benchmarks run in processes of their own imports what exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PACKAGES = ("accidents", "benchmarks", "cli", "materializers", "pipelines", "scripts", "serving", "stacks", "steps")
IMPORT = re.compile(rf"^\s*from ((?:{'|'.join(PACKAGES)}|tests|tracking)[\w.]*) import ([\w ,]+)$", re.MULTILINE)


def embedded_imports(project: Path) -> Iterator[tuple[Path, str, str]]:
    """File, module and name of each import in a string."""
    for file in (file for folder in ("tests", "benchmarks", "scripts") for file in (project / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [part.value if isinstance(part, ast.Constant) else "0" for part in parts]
            for module, names in IMPORT.findall("".join(text for text in texts if isinstance(text, str))):
                for name in names.split(","):
                    yield file, module, name.split(" as ")[0].strip()


@cache
def defined(project: Path, module: str) -> set[str]:
    """Names at the top of a module, and its submodules."""
    path = project / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {child.stem for child in path.iterdir()} if path.is_dir() else set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
            case ast.ImportFrom() | ast.Import():
                found |= {alias.asname or alias.name for alias in node.names}
    return found


def test_code_in_strings_imports_names_that_exist(project: Path) -> None:
    imports = list(embedded_imports(project))
    assert len(imports) > 20
    missing = [
        f"{file.relative_to(project)}: from {module} import {name}"
        for file, module, name in imports
        if name not in defined(project, module)
    ]
    assert not missing, missing
