"""A change of meaning in a domain module runs the steps that depend on it again, and no others.

The project is copied, trained once in a process of its own, and then changed module by module. The changes leave every
result as it was, so that steps further down stay cached unless they depend on the module themselves. Only the
comparison follows every training, since it shows how long the fitting took.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.conftest import SMALL, configure
from tests.pipelines.dependents import COMPARISON, DEPENDENT, EVALUATION, EVERY, TRACKING, TRAINING

pytestmark = pytest.mark.long

MUTATED = (
    "accidents/errors.py",
    "accidents/cleaning/main_road.py",
    "accidents/columns/usagers.py",
    "accidents/configuration/expectations.py",
    "accidents/evaluation/bootstrap.py",
    "accidents/expectations/suites.py",
    "accidents/explanation/importance.py",
    "accidents/features/compute.py",
    "accidents/inference/chunks.py",
    "accidents/models/lightgbm.py",
    "accidents/models/random_forest.py",
    "accidents/plots/performance.py",
    "accidents/promotion/decision.py",
    "accidents/reading/csv_parser.py",
    "accidents/report/comparison.py",
    "accidents/requests/parsing.py",
    "accidents/sample/decoding.py",
    "accidents/schemas/features.py",
    "accidents/sources/folder.py",
    "accidents/training/fit.py",
    "materializers/bundle.py",
    "steps/features/build_features.py",
)
"""One file of each package at least."""

TRAINED_STEPS = EVERY - EVALUATION - TRACKING
"""What a training runs that nobody records."""

RUN = """
import json, sys
from cli.commands import main
assert main(sys.argv[1:]) == 0
from cli.runs import latest_run
print(json.dumps({name: str(step.status) for name, step in latest_run("training").steps.items()}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    """A trained copy of the project."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("accidents", "cli", "configs", "materializers", "pipelines", "stacks", "steps", "tracking"):
        shutil.copytree(project / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert completed(root) == TRAINED_STEPS
    assert completed(root) == set()
    return root


def completed(root: Path) -> set[str]:
    """Steps that a training in a fresh process really runs."""
    arguments = configure(
        root,
        ingestion={"source": {"sample": {"accidents": 1500}}},
        training={"model_settings": {name: {"parameters": values} for name, values in SMALL.items()}},
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        tracking={"mlflow": {"enabled": False}},
    )
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--training", *arguments],
        cwd=root,
        env=os.environ | {"ZENML_CONFIG_PATH": str(root / "world"), "ZENML_LOCAL_STORES_PATH": str(root / "stores")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    statuses = json.loads(done.stdout.splitlines()[-1])
    return {name for name, status in statuses.items() if status == "completed"}


@pytest.mark.parametrize("module", MUTATED)
def test_dependent_steps_run_again_and_no_others(copy: Path, module: str) -> None:
    file = copy / module
    original = file.read_text()
    file.write_text(f"{original}\nMUTATION = 1\n")
    dependent = DEPENDENT[module] & TRAINED_STEPS
    try:
        assert completed(copy) == (dependent | COMPARISON if dependent & TRAINING else dependent)
    finally:
        file.write_text(original)


def test_every_package_of_the_domain_is_represented(project: Path) -> None:
    packages = {file.parent.name for file in (project / "accidents").glob("*/__init__.py")}
    assert packages <= {Path(module).parent.name for module in MUTATED}
