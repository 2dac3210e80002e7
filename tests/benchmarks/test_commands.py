"""Every benchmark that the documents name runs to its end, on a small synthetic year, and leaves no files."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from accidents.configuration.ingestion import SourceSettings
from accidents.sources.resolve import resolve_editions
from tests.conftest import PROJECT
from tests.serving.service_process import save_small_model

TABLE = r"^\|[^|\n]*\|[^\n]*\d"
COMMANDS = {
    "batch --model-path {model} --accidents 20000 --form csv": r"have each accident once$",
    "batch --model-path {model} --accidents 20000 --form flat": r"have each accident once$",
    "batch --model-path {model} --accidents 20000 --form parquet": r"have each accident once$",
    "classic_protocol --source {year} --seeds 0 --models lightgbm": TABLE,
    "derived_facts --source {year}": TABLE,
    "drift --windows 20 --seed 1 --results {folder}/drift.json": TABLE,
    "drift --years 2024-2025": r"2025 against 2024: ",
    "drift.small_references --windows 2 --seed 1": TABLE,
    "engines --source {year} --engine dask --workers 2 --models lightgbm": r"^\| scoring \|.* 4,000 accidents",
    "engines --source {year} --engine local --models lightgbm": r"^\| scoring \|.* 4,000 accidents",
    "entry_points --accidents 1500 --repeats 1": r"run\.py --training.*\"ratio\": \d",
    "features {year} --accidents 2000": r"µs each$",
    "final_model --source {year} --seeds 0 --models lightgbm": TABLE,
    "improvements --source {year} --seeds 0": TABLE,
    "materializers --source {year} --repeats 1": r"^read .* times as long",
    "model_choice --source {year} --seeds 1": TABLE,
    "modelling --source {year} --seeds 0 --models lightgbm": TABLE,
    "monitored_traffic --minutes 1 --every 0.4 --rate 20 --drift vehicle": r"^ +\d\.\d min: \d+ accidents, ",
    "partial_knowledge --source {year} --seeds 0 --models lightgbm --most 300": TABLE,
    "questions --source {year} --models lightgbm --most 100 --picture {folder}/questions.svg": TABLE,
    "reading {year} --accidents 2000": r"times the time$",
    "records --entries 2000 --repeats 1": r"median add \d",
    "scale --years 1 --accidents 2000 --models lightgbm --results {folder}/scale.json": TABLE,
    "scale.samples --years 1 --accidents 3000 --seeds 0": TABLE,
    "serving --source {year} --model-path {model} --served lightgbm --rounds 1 --seconds 1 --starts 1": TABLE,
    "serving.shadow --source {year} --rounds 1 --seconds 1": r"^median latency with a shadow: ",
    "serving.workers --source {year} --model-path {model} --rounds 1 --seconds 1": r"reloads under load: no failed",
    "serving_choices --source {year} --rounds 1 --seconds 1": r"^\| xgboost, as served .*can be taken",
    "serving_choices.rate_limits": TABLE,
    "tracking --source {year} --repeats 1": r"median -?\d+\.\d s more",
    "training --source {year} --repeats 1": r"ratio: median \d",
}
"""What is printed by module and arguments, as few and small as they can be."""

KEPT = ("data", "models", "reports", "mlruns")


def test_every_benchmark_of_the_documents_is_here() -> None:
    pages = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *(PROJECT / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"python -m benchmarks\.([\w.]*\w)", page.read_text())}
    assert named
    assert named <= {command.split()[0] for command in COMMANDS}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A year of 4,000 accidents, a model, and a folder for files."""
    folder = tmp_path_factory.mktemp("benchmarks")
    settings = SourceSettings.model_validate({"sample": {"accidents": 4000}, "data_folder": folder})
    year = Path(next(iter(resolve_editions(settings)[0].files.values()))).parent
    return {"year": str(year), "model": str(save_small_model(folder)), "folder": str(folder)}


def files() -> dict[Path, int]:
    """Files that a user may have in the project, with the time of their last change."""
    found = [file for name in KEPT for file in (PROJECT / name).rglob("*") if file.is_file()]
    return {file: file.stat().st_mtime_ns for file in found}


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_a_benchmark_prints_its_figures_and_leaves_no_files(command: str, inputs: dict[str, str]) -> None:
    if command.startswith("monitored_traffic") and not shutil.which("prometheus"):
        pytest.skip("needs Prometheus")
    before = files()
    typed = [sys.executable, "-m", *f"benchmarks.{command}".format(**inputs).split()]
    process = subprocess.Popen(typed, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=600)
    finally:
        if process.poll() is None:  # servers that it has started, too
            for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                one.kill()
    assert process.returncode == 0, output
    assert re.search(COMMANDS[command], output, re.MULTILINE), output
    assert files() == before
