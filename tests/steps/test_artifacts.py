"""Artifacts of the steps: none is stored by a materializer that could run code of the artifact store."""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from zenml.materializers.built_in_materializer import BuiltInContainerMaterializer
from zenml.materializers.cloudpickle_materializer import CloudpickleMaterializer
from zenml.materializers.materializer_registry import materializer_registry
from zenml.steps import BaseStep
from zenml.utils import source_utils

import steps

RUN_CODE = (BuiltInContainerMaterializer, CloudpickleMaterializer)
STEPS = {
    f"{module.__name__}.{value.name}": value
    for info in pkgutil.walk_packages(steps.__path__, "steps.")
    for module in [importlib.import_module(info.name)]
    for value in vars(module).values()
    if isinstance(value, BaseStep) and value.entrypoint.__module__ == module.__name__
}


def materializers(one: BaseStep) -> dict[str, list[type[Any]]]:
    """Materializers of each output: those that the step names, else the default of its type."""
    named = one.configuration.outputs
    return {
        name: [source_utils.load(source) for source in (named[name].materializer_source or ())]
        if name in named and named[name].materializer_source
        else [materializer_registry[own] for own in output.get_output_types()]
        for name, output in one.entrypoint_definition.outputs.items()
    }


@pytest.mark.parametrize("one", STEPS.values(), ids=STEPS)
def test_outputs_are_read_as_data(one: BaseStep) -> None:
    for name, classes in materializers(one).items():
        for materializer in classes:
            assert not issubclass(materializer, RUN_CODE), name


def test_all_steps_are_looked_at() -> None:
    assert len(STEPS) >= 10
    assert any(len(materializers(one)) > 1 for one in STEPS.values())


@pytest.mark.slow
def test_steps_are_imported_without_a_main_file(tmp_path: Path, project: Path) -> None:
    """As in the kernel of a notebook, where ZenML cannot look up the folder of the sources by itself."""
    environment = os.environ | {"PYTHONPATH": str(project)}
    command = [sys.executable, "-c", "import steps.training.compare_models"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
