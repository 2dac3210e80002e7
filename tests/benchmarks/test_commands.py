"""Every benchmark that the documents name runs to its end, on a small synthetic year."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from accidents.configuration.ingestion import SourceSettings
from accidents.sources.resolve import resolve_editions
from tests.conftest import PROJECT
from tests.serving.service_process import save_small_model

COMMANDS = {
    "batch": "--model-path {model} --accidents 20000 --form flat",
    "classic_protocol": "--source {year} --seeds 0 --models lightgbm",
    "derived_facts": "--source {year}",
    "drift": "--windows 20 --seed 1 --results {folder}/drift.json",
    "drift.small_references": "--windows 2 --seed 1",
    "engines": "--source {year} --engine local --models lightgbm",
    "entry_points": "--accidents 1500 --repeats 1",
    "features": "{year} --accidents 2000",
    "final_model": "--source {year} --seeds 0 --models lightgbm",
    "improvements": "--source {year} --seeds 0",
    "materializers": "--source {year} --repeats 1",
    "model_choice": "--source {year} --seeds 1",
    "modelling": "--source {year} --seeds 0 --models lightgbm",
    "monitored_traffic": "--minutes 1 --rate 5 --drift vehicle",
    "partial_knowledge": "--source {year} --seeds 0 --models lightgbm --most 300",
    "questions": "--source {year} --models lightgbm --most 100",
    "reading": "{year} --accidents 2000",
    "records": "--entries 2000 --repeats 1",
    "scale": "--years 1 --accidents 2000 --models lightgbm --results {folder}/scale.json",
    "scale.samples": "--years 1 --accidents 3000 --seeds 0",
    "serving": "--source {year} --model-path {model} --served lightgbm --rounds 1 --seconds 1 --starts 1",
    "serving.shadow": "--source {year} --rounds 1 --seconds 1",
    "serving.workers": "--source {year} --model-path {model} --rounds 1 --seconds 1",
    "serving_choices": "--source {year} --rounds 1 --seconds 1",
    "serving_choices.rate_limits": "",
    "tracking": "--source {year} --repeats 1",
    "training": "--source {year} --repeats 1",
}
"""Arguments by module, as few and small as they can be."""


def test_every_benchmark_of_the_documents_is_here() -> None:
    pages = [*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"python -m benchmarks\.([\w.]*\w)", page.read_text())}
    assert named <= COMMANDS.keys()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A year of 4,000 accidents, a model, and a folder for files."""
    folder = tmp_path_factory.mktemp("benchmarks")
    settings = SourceSettings.model_validate({"sample": {"accidents": 4000}, "data_folder": folder})
    year = Path(next(iter(resolve_editions(settings)[0].files.values()))).parent
    return {"year": str(year), "model": str(save_small_model(folder)), "folder": str(folder)}


@pytest.mark.long
@pytest.mark.parametrize("module", COMMANDS)
def test_a_benchmark_runs_and_prints_its_figures(module: str, inputs: dict[str, str]) -> None:
    if module == "monitored_traffic" and not shutil.which("prometheus"):
        pytest.skip("needs Prometheus")
    command = [sys.executable, "-m", f"benchmarks.{module}", *COMMANDS[module].format(**inputs).split()]
    done = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[^\n]*\d[^\n]*$", done.stdout, re.MULTILINE)
    assert "Error: " not in done.stdout  # a way that failed, in a table
