"""Real trainings in fresh processes: after a change of a module the steps that import it run again, others are cached.

The changes leave every result as it was, so that a step further down runs again only if it imports the module itself.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from accidents.models import model_types
from tests.pipelines.conftest import SMALL, configure

RUN = """
import json, sys
from cli.main import main
assert main(sys.argv[1:]) == 0
from pipelines.models import latest_run
print(json.dumps({name: str(step.status) for name, step in latest_run("training").steps.items()}))
"""

RUN_AGAIN = {
    "accidents/cleaning/main_road.py": {"ingest"},
    "accidents/models/lightgbm.py": {"train_lightgbm", "compare_models"},
    "accidents/report/comparison_report.py": {"compare_models"},
}


def completed_steps(root: Path) -> set[str]:
    """Run a training in a fresh process; names of the steps that were not cached."""
    arguments = configure(
        root,
        ingestion={"source": {"sample": {"accidents": 1500}}},
        training={"model_settings": {name: {"parameters": values} for name, values in SMALL.items()}},
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        tracking={"mlflow": {"enabled": False}},
    )
    process = subprocess.run(
        [sys.executable, "-c", RUN, "--training", *arguments],
        cwd=root,
        env=os.environ | {"ZENML_CONFIG_PATH": str(root / "zenml"), "ZENML_LOCAL_STORES_PATH": str(root / "stores")},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    statuses = json.loads(process.stdout.splitlines()[-1])
    return {name for name, status in statuses.items() if status == "completed"}


@pytest.mark.long
def test_steps_run_again_after_a_change_of_a_module_that_they_import(tmp_path: Path, project: Path) -> None:
    for name in ("accidents", "cli", "configs", "materializers", "pipelines", "stacks", "steps", "tracking"):
        shutil.copytree(project / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert len(completed_steps(tmp_path)) == len(model_types()) + 3
    assert completed_steps(tmp_path) == set()
    for module, steps in RUN_AGAIN.items():
        with (tmp_path / module).open("a") as file:
            file.write("\nMUTATION = 1\n")
        assert completed_steps(tmp_path) == steps, module
