"""Pipelines on orchestrators of other machines: what their steps are given, and that they need nothing else."""

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from zenml import pipeline, step
from zenml.image_builders.build_context import BuildContext
from zenml.pipelines.pipeline_definition import Pipeline

from accidents.errors import ConfigurationError
from pipelines.orchestrators import (
    DOCKER_SETTINGS,
    FOLDER,
    OrchestratorOptions,
    configure_for_orchestrator,
    read_options,
)
from tests.conftest import PROJECT
from tests.pipelines import step_processes

CLASSES = [
    ("kubernetes", "integrations.kubernetes.flavors.kubernetes_orchestrator_flavor", "Kubernetes"),
    ("sagemaker", "integrations.aws.flavors.sagemaker_orchestrator_flavor", "Sagemaker"),
    ("vertex", "integrations.gcp.flavors.vertex_orchestrator_flavor", "Vertex"),
    ("azureml", "integrations.azure.flavors.azureml_orchestrator_flavor", "AzureML"),
    ("local_docker", "orchestrators.local_docker.local_docker_orchestrator", "LocalDocker"),
]
"""Flavor, and where the class of its settings is."""

CODE = """
import json, sys
from pathlib import Path
from zenml.client import Client
from zenml.enums import StackComponentType as Kind
from pipelines.session import prepare_process

prepare_process()
folder, configuration = sys.argv[1], json.loads(sys.argv[2])
client = Client()
client.create_flavor("step_processes.StepProcessesFlavor", Kind.ORCHESTRATOR)
client.create_stack_component("elsewhere", "step_processes", Kind.ORCHESTRATOR, {"folder": folder})
client.create_stack_component("elsewhere", "local", Kind.ARTIFACT_STORE, {"path": f"{folder}/artifacts"})
client.create_stack("elsewhere", {Kind.ORCHESTRATOR: "elsewhere", Kind.ARTIFACT_STORE: "elsewhere"})
before = client.active_stack_model.id
from pipelines.training import training

runs = []
for stack in ("elsewhere", before):
    client.activate_stack(stack)
    run = training.with_options(enable_cache=False)(configuration=configuration)
    retries = {step.config.retry.max_retries if step.config.retry else 0 for step in run.steps.values()}
    outputs = run.steps["compare_models"].outputs
    runs.append({
        "status": str(run.status), "retries": sorted(retries), "best": outputs["best_model_type"][0].load(),
        "evaluations": outputs["evaluations"][0].load(),
        "resources": [step.config.resource_settings.memory for step in run.steps.values()],
        "digest": outputs["model_comparison"][0].load().drop(columns="fit_seconds", errors="ignore").to_json(),
        "fingerprint": run.steps["ingest"].run_metadata["fingerprint"],
        "registered": run.steps["track_training"].outputs["registered_models"][0].load(),
    })
print(json.dumps(runs))
"""


def image_files() -> dict[str, str]:
    """Path in the image, and of the project, of the code that an image for steps holds."""
    dockerignore = DOCKER_SETTINGS.build_config.dockerignore
    return BuildContext(root=str(PROJECT), dockerignore_file=dockerignore).get_files()


def test_an_image_holds_code_and_no_data() -> None:
    files = {file for file, path in image_files().items() if Path(path).is_file()}
    assert {"steps/ingestion/ingest.py", "accidents/bundle/__init__.py", "configs/training.yaml"} <= files
    code = {"accidents", "configs", "examples", "materializers", "pipelines", "pyproject.toml", "run.py", "steps"}
    locks = {lock.name for lock in PROJECT.glob("requirements*.lock")}
    assert {file.partition("/")[0] for file in files} <= {*code, *locks, "Dockerfile", "tracking"}
    assert not [file for file in files if "__pycache__" in file]


def test_every_file_of_an_orchestrator_is_valid() -> None:
    names = {step.stem for step in PROJECT.glob("steps/*/*.py")}
    for file in FOLDER.glob("*.yaml"):
        options = read_options(file)
        assert options.steps.keys() <= names, file
        requirements = options.settings.get("docker", {}).get("requirements", DOCKER_SETTINGS.requirements)
        assert Path(requirements).is_file(), file


@pytest.mark.parametrize(("flavor", "module", "name"), CLASSES)
def test_zenml_takes_the_settings_of_each_orchestrator(flavor: str, module: str, name: str) -> None:
    settings = read_options(FOLDER / f"{flavor}.yaml").settings["orchestrator"]
    settings_class = getattr(import_module(f"zenml.{module}"), f"{name}OrchestratorSettings")
    assert settings.keys() <= settings_class.model_fields.keys()
    assert settings_class.model_validate(settings).model_dump(mode="json", include=settings.keys()) == settings


def fitted_on(flavor: str, **settings: dict[str, Any]) -> Pipeline:
    """A pipeline of one step, named like one that the files configure, on an orchestrator."""

    @step(name="train_model")
    def fit() -> int:
        return 1

    @pipeline(name="small", settings={"docker": DOCKER_SETTINGS} | settings)
    def small() -> None:
        fit(id="fit")

    small.prepare()
    configure_for_orchestrator(small, flavor)
    return small


def test_steps_are_retried_elsewhere_than_on_this_machine() -> None:
    def retries(flavor: str) -> int:
        retry = fitted_on(flavor).invocations["fit"].step.configuration.retry
        return retry.max_retries if retry else 0

    assert (retries("local"), retries("local_docker"), retries("kubernetes")) == (0, 2, 2)


def test_settings_of_the_user_go_before_those_of_a_file() -> None:
    chosen = {"docker": {"requirements": "own.txt"}}
    assert fitted_on("kubernetes", **chosen).configuration.settings["docker"].requirements == "own.txt"


def test_a_faulty_file_names_the_key(tmp_path: Path) -> None:
    file = tmp_path / "kubernetes.yaml"
    assert read_options(file) == OrchestratorOptions()
    file.write_text("steps: {train_model: {retries: 3}}\n")
    with pytest.raises(ConfigurationError, match=r"kubernetes.yaml: steps.train_model.retries"):
        read_options(file)


@pytest.mark.long
def test_steps_need_no_file_of_the_client(tmp_path: Path) -> None:
    for name in ("code", "home", "work", "client"):
        (tmp_path / name).mkdir()
    for file, path in image_files().items():
        if Path(path).is_file():
            (tmp_path / "code" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, tmp_path / "code" / file)
    shutil.copy(step_processes.__file__, tmp_path / "code")
    shutil.copy(step_processes.__file__, tmp_path / "client")
    configuration: dict[str, Any] = {
        "ingestion": {"source": {"sample": {"accidents": 1500}}},
        "training": {"models": ["lightgbm", "logistic_regression"]},
        "evaluation": {"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
    }
    environment = os.environ | {
        "ZENML_CONFIG_PATH": str(tmp_path / "config"),
        "ZENML_LOCAL_STORES_PATH": str(tmp_path / "stores"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow/mlflow.db",
        "PYTHONPATH": str(tmp_path / "client"),
    }
    command = [sys.executable, "-c", CODE, str(tmp_path), json.dumps(configuration)]
    ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    elsewhere, here = json.loads(ended.stdout.splitlines()[-1])
    assert elsewhere["status"] == here["status"] == "completed"
    for name in ("best", "fingerprint", "evaluations", "digest"):
        assert elsewhere[name] == here[name], name
    assert (elsewhere["retries"], here["retries"]) == ([2], [0])
    assert set(elsewhere["resources"]) == {"4GB", "8GB"}
    assert set(here["resources"]) == {None}
    versions = [{model["version"] for model in run["registered"].values()} for run in (elsewhere, here)]
    assert versions == [{"1"}, {"2"}]
    assert (tmp_path / "code" / "data" / "raw" / "sample").is_dir()
    assert not [path for path in (tmp_path / "home").rglob("*") if "accident" in path.name.lower()]
