"""A change of a project file changes ZenML's cache key of the steps that import it, and of no others.

Files of a copy of the project are changed; which steps import them is determined by `modulefinder` of the standard
library, which reads bytecode and shares no code with `steps.caching`.
"""

import ast
import io
import random
import shutil
from collections.abc import Iterator
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from zenml.client import Client
from zenml.orchestrators.cache_utils import generate_cache_key
from zenml.steps import BaseStep
from zenml.utils import source_utils

from accidents.configuration.loading import load_configuration
from accidents.models import model_types
from pipelines.training import training
from steps.evaluation.evaluate_model import evaluate_model
from tests.conftest import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.traced]

PACKAGES = ("accidents", "materializers", "steps", "tracking")
FILES = sorted(
    file.relative_to(PROJECT).as_posix()
    for package in PACKAGES
    for file in (PROJECT / package).rglob("*")
    if file.is_file() and "__pycache__" not in file.parts
)
SAMPLE = random.Random(0).sample(FILES, 60)  # noqa: S311  # a reproducible choice
MODEL_MODULES = {name: f"accidents.models.{name}" for name in model_types()}
IMPORTED_BY_NAME = {
    **{f"train_{name}": [module] for name, module in MODEL_MODULES.items()},
    "compare_models": [*MODEL_MODULES.values()],
    "evaluate_model": [*MODEL_MODULES.values()],
    "track_training": ["tracking.pyfunc_model"],
}
"""Modules that a step imports at run time, by a name that is no import statement."""


class RuntimeImports(ModuleFinder):
    """Follows the import statements that can run, so not those under `if TYPE_CHECKING`."""

    def load_module(self, fqname: str, fp: Any, pathname: str, file_info: tuple[str, str, int]) -> Any:
        if fp is not None:
            fp = io.BytesIO(imports_at_run_time(fp.read()))
        return super().load_module(fqname, fp, pathname, file_info)


class DropTypeChecking(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.stmt:
        return ast.Pass() if ast.unparse(node.test) == "TYPE_CHECKING" else node


@cache
def imports_at_run_time(source: str | bytes) -> bytes:
    """The import statements of a module that can run, at any depth; once for all steps that reach it."""
    tree = DropTypeChecking().visit(ast.parse(source))
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return ast.unparse(ast.Module(body=statements, type_ignores=[])).encode()


@pytest.fixture(scope="module")
def steps() -> dict[str, BaseStep]:
    """Every step that is cached, by its name in a run."""
    training.prepare(configuration=load_configuration(), fingerprint="0", store="0")
    return {name: invocation.step for name, invocation in training.invocations.items()} | {
        "evaluate_model": evaluate_model
    }


@pytest.fixture(scope="module")
def imported(steps: dict[str, BaseStep]) -> dict[str, set[str]]:
    """By step: project modules that it imports, according to `modulefinder`."""
    result = {}
    for name, step in steps.items():
        finder = RuntimeImports(path=[str(PROJECT)])
        for module in (step.entrypoint.__module__, *IMPORTED_BY_NAME.get(name, [])):
            finder.import_hook(module)
        result[name] = {module for module in finder.modules if module.partition(".")[0] in PACKAGES}
    return result


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, steps: dict[str, BaseStep]) -> Iterator[Path]:
    """A copy of the packages, which ZenML takes for the source root."""
    root = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = source_utils.get_source_root()
    source_utils.set_custom_source_root(str(root))
    yield root
    source_utils.set_custom_source_root(before)


def cache_keys(steps: dict[str, BaseStep]) -> dict[str, str]:
    """ZenML's cache key of every step, as if none had inputs."""
    client = Client()
    return {
        name: generate_cache_key(
            SimpleNamespace(config=step.configuration, spec=SimpleNamespace(source=step.resolve())),  # type: ignore[arg-type]
            {},
            client.active_stack.artifact_store,
            client.active_project.id,
        )
        for name, step in steps.items()
    }


def module_of(file: str) -> str:
    """The module of a source file; for a data file, the package that it belongs to."""
    path = Path(file)
    if path.suffix == ".py" and path.stem != "__init__":
        return ".".join(path.with_suffix("").parts)
    return ".".join(next(p for p in path.parents if (PROJECT / p / "__init__.py").is_file()).parts)


@pytest.mark.parametrize("file", SAMPLE)
def test_a_changed_file_changes_the_keys_of_the_steps_that_import_it(
    copy: Path, steps: dict[str, BaseStep], imported: dict[str, set[str]], file: str
) -> None:
    before, content = cache_keys(steps), (copy / file).read_bytes()
    try:
        (copy / file).write_bytes(content + b"\n")
        after = cache_keys(steps)
    finally:
        (copy / file).write_bytes(content)
    assert {name for name in steps if before[name] != after[name]} == {
        name for name in steps if module_of(file) in imported[name]
    }


def test_the_sample_reaches_every_step_and_files_that_no_step_imports(imported: dict[str, set[str]]) -> None:
    sample = {module_of(file) for file in SAMPLE}
    assert all(sample & modules for modules in imported.values())
    assert sample - set().union(*imported.values())


def test_keys_of_steps_differ(copy: Path, steps: dict[str, BaseStep]) -> None:
    assert len(set(cache_keys(steps).values())) == len(steps)
