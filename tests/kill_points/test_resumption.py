"""What was finished before a kill is not done again: models of a training, partitions of a scoring."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.kill_points.harness import Commands, kill_again_and_again
from tests.trained import small_models

pytestmark = pytest.mark.long

_CACHED = "Using cached version of step `{}`"


def _run_until(text: str, arguments: list[str], folder: Path, project: Path) -> str:
    """Run a command, and kill it once it prints a text; its output so far. With an empty text it runs to its end."""
    environment = os.environ | {"ZENML_CONFIG_PATH": f"{folder}/config", "ZENML_LOCAL_STORES_PATH": f"{folder}/stores"}
    process = subprocess.Popen(
        [sys.executable, "run.py", *arguments],
        cwd=project, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if text and text in line:
            os.killpg(process.pid, signal.SIGKILL)
            break
    output = "".join([*lines, *(process.stdout or ())])
    process.wait()
    assert text or process.returncode == 0, output
    return output


def test_a_training_keeps_its_finished_models(commands: Commands, project: Path) -> None:
    folder = commands.folder
    (folder / "ingestion.yaml").write_text(
        f"pipeline: ingestion\nsource:\n  data_folder: {folder}/data\n  sample: {{accidents: 3000}}\n"
    )
    folders = f"models_folder: {folder}/models\nreports_folder: {folder}/reports\n"
    (folder / "training.yaml").write_text(f"pipeline: training\n{folders}")
    arguments = ["--training", "--models", "lightgbm,logistic_regression,random_forest"]
    for name in ("ingestion", "training"):
        arguments += ["--config", str(folder / f"{name}.yaml")]

    _run_until("Step `train_lightgbm` has finished", arguments, folder, project)  # between two steps
    started = "Step `train_random_forest` has started"  # within a step: a model may be fitted ahead of its step
    second = _run_until(started, arguments, folder, project)
    assert _CACHED.format("train_lightgbm") in second
    third = _run_until("", arguments, folder, project)
    for name in ("ingest", "build_features", "train_lightgbm", "train_logistic_regression"):
        assert _CACHED.format(name) in third
    assert _CACHED.format("train_random_forest") not in third
    assert "versions  LightGBM 1, Logistic Regression 1, Random Forest 1" in third


def test_a_scoring_of_partitions_has_each_accident_once(request: pytest.FixtureRequest, commands: Commands) -> None:
    from accidents.sample.writer import write_sample

    source, output, model = (commands.folder / name for name in ("source", "scores", "lightgbm_model.zip"))
    small_models()["lightgbm"].trained.bundle.save(model)
    for year in range(2021, 2025):
        (source / str(year)).mkdir(parents=True)
        write_sample(source / str(year), accidents=2000, year=year, seed=1)
    arguments = ["--inference", "--model-path", str(model), "--input", str(source), "--output", str(output)]

    def scores() -> pd.DataFrame:
        return pd.concat([pd.read_parquet(path) for path in sorted(output.glob("*.parquet"))], ignore_index=True)

    commands.run(*arguments)
    expected = scores()
    assert expected["Num_Acc"].is_unique

    def attempt(random: np.random.Generator) -> bool:
        for path in output.iterdir():
            path.unlink()
        ended = commands.kill(random, *arguments)
        kept = {path.stem: path.stat().st_mtime_ns for path in output.glob("*.json")}
        commands.run(*arguments)
        assert scores().equals(expected)
        assert kept.items() <= {path.stem: path.stat().st_mtime_ns for path in output.glob("*.json")}.items()
        assert not [path for path in output.iterdir() if path.suffix not in (".json", ".parquet")]
        return ended.was_killed

    kill_again_and_again(request, "partitions", 10, attempt)
