"""Targets of the Makefile: their groups, the commands that they run, and a workflow as users type it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.notebooks import ProjectCopy
from tests.conftest import PROJECT

CLASSIC = {
    "dvc-init",
    "dvc-setup-remote",
    "dvc-status",
    "dvc-push",
    "dvc-pull",
    "dvc-repro",
    "install-dev",
    "setup-venv",
    "clean",
    "format",
    "lint",
    "type-check",
    "test",
    "test-cov",
    "run-import",
    "run-preprocess",
    "run-features",
    "run-train",
    "run-train-grid",
    "run-train-single",
    "run-predict",
    "run-predict-file",
    "run-predict-best",
    "workflow-all",
    "workflow-data",
    "workflow-ml",
}
GROUPS = ("Environment", "Pipelines", "DVC", "Containers", "Services", "Development")
ALL = ["fetch", "--ingestion", "--features", "--training", "--predict examples/classic_flat.json"]


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The environment of the tests is there, whatever the date of its mark is.
    ready = ("-o", f"{sys.prefix}/.ready", f"VENV={sys.prefix}")
    return subprocess.run(["make", *ready, *arguments], cwd=project, capture_output=True, text=True)


def link_environment(project: Path) -> None:
    """Give a copy of the project the environment of the tests, up to date for make."""
    (project / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != ".ready":
            (project / ".venv" / path.name).symlink_to(path)
    for file in ("requirements.lock", "scripts/install.sh", ".venv/.ready"):
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).touch()


def commands(project: Path, *arguments: str) -> list[str]:
    """What a target would run of `run.py`."""
    done = make(project, "-n", *arguments)
    assert done.returncode == 0, done.stderr
    return [" ".join(line.split("run.py ")[1].split()) for line in done.stdout.splitlines() if "run.py " in line]


def test_a_shell_of_the_environment_finds_the_project(tmp_path: Path) -> None:
    project, site = tmp_path / "it's here", tmp_path / "site"
    project.mkdir()
    site.mkdir()
    script = (PROJECT / "scripts/install.sh").read_text().partition("<<'END'\n")[2].partition("END\n")[0]
    lines = subprocess.run([sys.executable, "-"], input=script, cwd=project, capture_output=True, text=True, check=True)
    (site / "project.pth").write_text(lines.stdout)
    look = f"import os, site, sys\nsite.addsitedir({str(site)!r})\n"
    look += "print(sys.path[-1], os.getenv('ZENML_CUSTOM_SOURCE_ROOT'))"
    (tmp_path / "look.py").write_text(look)
    environment = {name: value for name, value in os.environ.items() if name != "ZENML_CUSTOM_SOURCE_ROOT"}
    for arguments, root in ((["-S", "-c", look], project), (["-S", str(tmp_path / "look.py")], None)):
        shown = subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True
        )
        assert shown.stdout == f"{project} {root}\n"


def test_help_lists_every_target_in_a_group(project: Path) -> None:
    text = make(project, "help").stdout
    headings = re.findall(r"^\w.*$", text, re.MULTILINE)
    assert [heading.split(" (")[0] for heading in headings if "make" not in heading] == [*GROUPS]
    listed = re.findall(r"^  make (\S+) +\S", text, re.MULTILINE)
    declared = re.findall(r"^([a-z][a-z-]*):", (project / "Makefile").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(declared)
    assert {*listed} >= CLASSIC


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("run-import", ["fetch"]),
        ("run-import SOURCE=datagouv YEARS=2021", ["fetch --source 'datagouv' --years '2021'"]),
        ("run-preprocess", ["--ingestion"]),
        ("run-features", ["--features"]),
        ("run-train", ["--training"]),
        ("run-train GRID_SEARCH=1", ["--training --tune grid"]),
        ("run-train GRID_SEARCH=0", ["--training"]),
        ("run-train-grid", ["--training --tune grid"]),
        ("run-train-single", ["--training --models 'xgboost'"]),
        ("run-train-single MODEL=lightgbm", ["--training --models 'lightgbm'"]),
        ("run-predict", ["--predict examples/classic_flat.json"]),
        ("run-predict-file FILE=other.json", ["--predict 'other.json'"]),
        ("run-predict-best", ["--predict 'examples/classic_flat.json' --best"]),
        ("workflow-data", ALL[:2]),
        ("workflow-ml", ALL[2:4]),
        ("workflow-all", ALL),
        ("workflow-all GRID_SEARCH=1 NOCONFIRM=1", [*ALL[:3], "--training --tune grid", ALL[4]]),
    ],
)
def test_targets_run_these_commands(project: Path, arguments: str, expected: list[str]) -> None:
    assert commands(project, *arguments.split()) == expected


def test_a_source_may_have_spaces_in_its_name(project: Path) -> None:
    assert commands(project, "run-features", "SOURCE=my files/2021") == ["--features --source 'my files/2021'"]


def test_file_of_an_accident_is_required(project: Path) -> None:
    refused = make(project, "run-predict-file")
    assert refused.returncode != 0
    assert "make run-predict-file FILE=accident.json" in refused.stderr


@pytest.mark.long
def test_workflow_imports_trains_and_predicts(tmp_path: Path) -> None:
    copy = ProjectCopy(tmp_path)
    copy.use_small_sample()
    link_environment(copy.project)
    command = ["make", "workflow-all"]
    done = subprocess.run(command, cwd=copy.project, env=copy.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^fingerprint [0-9a-f]{64}$", done.stdout, re.MULTILINE)
    assert "Prediction: 1\nInterpretation: Priority\n" in done.stdout
    for file in ("data/interim/interim_dataset.parquet", "reports/model_comparison.csv"):
        assert (copy.project / file).is_file()
