"""What a user of ZenML types: pipelines from its command line and from Python, models in its control plane."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import PROJECT
from tests.pipelines.conftest import small_tracked_training

pytestmark = pytest.mark.long

ZENML = str(Path(sys.executable).with_name("zenml"))
NAME = "Accident_Prediction_Logistic_Regression"

Run = Callable[..., str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for stores, models and reports, and the run configuration `run.yaml` of a small training."""
    folder = tmp_path_factory.mktemp("world")
    configuration = {
        "ingestion": {"source": {"data_folder": str(folder / "data" / "raw"), "sample": {"accidents": 1500}}},
        "training": {
            "models": ["logistic_regression"],
            "models_folder": str(folder / "models"),
            "reports_folder": str(folder / "reports"),
        },
        "evaluation": {"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump({"parameters": {"configuration": configuration}}))
    return folder


def environment(folder: Path) -> dict[str, str]:
    own = {"ZENML_CONFIG_PATH": f"{folder}/config", "ZENML_LOCAL_STORES_PATH": f"{folder}/stores"}
    return os.environ | own | {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}


@pytest.fixture(scope="module")
def run(world: Path) -> Run:
    def execute(*command: str) -> str:
        ended = subprocess.run(command, cwd=PROJECT, env=environment(world), capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return execute


@pytest.fixture(scope="module")
def python(run: Run) -> Callable[[str], Any]:
    """Runs code in a process of its own; returns what it puts into `result`."""

    def execute(code: str) -> Any:
        return json.loads(run(sys.executable, "-c", f"{code}\nimport json\nprint(json.dumps(result))").splitlines()[-1])

    return execute


VERSIONS = """
from zenml.client import Client
client = Client()
result = {
    model.name: [
        [one.name, one.number, str(one.stage), [link.pipeline_run.name.partition("-")[0] for link in
         client.list_model_version_pipeline_run_links(model_version_id=one.id).items]]
        for one in client.list_model_versions(model=model.name).items
    ]
    for model in client.list_models().items
}
"""


def test_pipelines_and_models_as_zenml_has_them(world: Path, run: Run, python: Callable[[str], Any]) -> None:
    file = str(world / "run.yaml")
    run(ZENML, "pipeline", "run", "pipelines.training.training", "-c", file)
    assert python(VERSIONS) == {NAME: [["1", 1, "None", ["training"]]]}
    statuses = python(f"""
from pipelines.training import training
run = training.with_options(config_path={file!r})()
result = [str(step.status) for step in run.steps.values()]
""")
    assert set(statuses) == {"cached"}
    assert python(VERSIONS) == {NAME: [["1", 1, "None", ["training", "training"]]]}

    run(sys.executable, "run.py", "registry", "promote", "--model-name", NAME)
    assert python(VERSIONS)[NAME][0][2] == "production"
    served = python(f"""
import steps
from zenml import Model
model = Model(name={NAME!r}, version="production")
bundle = model.load_artifact("logistic_regression_model")
card = model.load_artifact("logistic_regression_model_card")
rows = len(model.load_artifact("accidents"))
result = [bundle.model_type, str(card).splitlines()[0], rows, model.run_metadata["mlflow_version"]]
""")
    assert served == ["logistic_regression", "# Model card: Logistic Regression", 1500, "1"]

    evaluation = yaml.safe_load(Path(file).read_text()) | {"model": {"name": NAME, "version": "production"}}
    (world / "evaluation.yaml").write_text(yaml.safe_dump(evaluation))
    run(ZENML, "pipeline", "run", "pipelines.evaluation.evaluation", "-c", str(world / "evaluation.yaml"))
    assert python(VERSIONS)[NAME][0][3] == ["training", "training", "evaluation"]
    assert (
        python("""
from zenml.client import Client
(run,) = Client().list_pipeline_runs(pipeline="evaluation", hydrate=True).items
result = run.model_version.number
""")
        == 1
    )


def test_pipelines_are_registered_and_have_snapshots(world: Path, run: Run, python: Callable[[str], Any]) -> None:
    file = str(world / "run.yaml")
    parameters = world / "parameters.json"
    parameters.write_text(json.dumps(yaml.safe_load(Path(file).read_text())["parameters"]))
    run(ZENML, "pipeline", "register", "pipelines.features.features", "--parameters", str(parameters))
    run(ZENML, "pipeline", "build", "pipelines.training.training", "-c", file)
    listed = python(f"""
from pipelines.training import training
from zenml.client import Client
training.with_options(config_path={file!r}).create_snapshot("nightly")
result = [[one.name for one in Client().list_snapshots(named_only=True).items],
          sorted(one.name for one in Client().list_pipelines().items)]
""")
    assert listed[0] == ["nightly"]
    assert {"features", "training"} <= set(listed[1])


def test_two_trainings_at_once_on_a_fresh_store_both_finish(tmp_path: Path) -> None:
    command = [sys.executable, "run.py", "--training", *small_tracked_training(tmp_path), "--no-cache"]

    def train() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=PROJECT, env=environment(tmp_path), capture_output=True, text=True)

    with ThreadPoolExecutor(2) as threads:
        ended = [future.result() for future in [threads.submit(train) for _ in range(2)]]
    assert [one.returncode for one in ended] == [0, 0], "\n".join(one.stderr for one in ended)
    check = [sys.executable, "run.py", "registry", "check", "--dry-run"]
    found = subprocess.run(check, cwd=PROJECT, env=environment(tmp_path), capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
