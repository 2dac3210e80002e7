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

pytestmark = pytest.mark.long

TRAIN = {"train_xgboost", "train_lightgbm", "train_random_forest", "train_logistic_regression"}
EVERY = {"ingest", "build_features", "compare_models", *TRAIN}
DEPENDENT = {
    "accidents/columns/usagers.py": EVERY,
    "accidents/sources/folder.py": {"ingest"},
    "accidents/reading/parsing.py": {"ingest"},
    "accidents/cleaning/roads.py": {"ingest"},
    "accidents/expectations/suites.py": {"ingest"},
    "accidents/training/split.py": {"compare_models", *TRAIN},
    "accidents/training/fit.py": {"compare_models", *TRAIN},
    "accidents/models/lightgbm.py": {"train_lightgbm", "compare_models"},
    "accidents/models/random_forest.py": {"train_random_forest", "compare_models"},
    "accidents/report/comparison.py": {"compare_models"},
    "accidents/plots/performance.py": {"compare_models"},
    "accidents/requests/parsing.py": set(),
    "accidents/inference/parts.py": set(),
    "accidents/errors.py": EVERY,
}

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
    for name in ("accidents", "cli", "configs", "materializers", "pipelines", "steps"):
        shutil.copytree(project / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert completed(root) == EVERY
    assert completed(root) == set()
    return root


def completed(root: Path) -> set[str]:
    """Steps that a training in a fresh process really runs."""
    arguments = configure(
        root,
        ingestion={"source": {"sample": {"accidents": 1500}}},
        training={"model_settings": {name: {"parameters": values} for name, values in SMALL.items()}},
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
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


@pytest.mark.parametrize("module", DEPENDENT)
def test_dependent_steps_run_again_and_no_others(copy: Path, module: str) -> None:
    file = copy / module
    original = file.read_text()
    file.write_text(f"{original}\nMUTATION = 1\n")
    try:
        assert completed(copy) == DEPENDENT[module]
    finally:
        file.write_text(original)
