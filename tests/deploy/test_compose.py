"""`make up` on images from packages of Debian: a training through the servers of a team, and its model behind TLS."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml

from scripts.team.servers import service_account_key
from tests.conftest import PROJECT
from tests.deploy.podman import environment, image, podman
from tests.serving.in_process import ACCIDENT
from tests.serving.service_process import free_port

pytestmark = pytest.mark.long
PORTS = ("ZENML_PORT", "MLFLOW_PORT", "STORE_PORT", "HTTPS_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
FOREIGN = ("MARIADB", "POSTGRES", "PROXY", "PROMETHEUS", "ALERTMANAGER", "GRAFANA")
DEBIAN = "localhost/debian-services"
Make = Callable[..., str]


@pytest.fixture
def ports() -> dict[str, str]:
    return {name: str(free_port()) for name in PORTS}


@pytest.fixture
def variables(ports: dict[str, str]) -> dict[str, str]:
    """Free ports, images of Debian, and volumes of a project of the tests."""
    for target in ("pipelines", "mlflow", "serving", "store"):
        image(target)
    if podman("image", "exists", DEBIAN, check=False).returncode:
        pytest.skip(f"there is no image {DEBIAN}: podman build -f deploy/images/debian-services.Dockerfile")
    images = {f"{name}_IMAGE": DEBIAN for name in FOREIGN}
    return environment() | ports | images | {"COMPOSE_PROJECT_NAME": f"accidents-test-{os.getpid()}"}


@pytest.fixture
def make(variables: dict[str, str], tmp_path: Path) -> Iterator[Make]:
    """Runs make in a copy of what compose.yaml names; the servers and their volumes are removed in the end."""
    if not (PROJECT / ".venv-deploy" / ".ready").exists():
        pytest.skip("there is no .venv-deploy: make deploy-check")
    for name in ("deploy", "monitoring"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("secrets"))
    for name in ("compose.yaml", "Makefile", "requirements-deploy.lock"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / ".venv-deploy").symlink_to(PROJECT / ".venv-deploy")

    def run(*arguments: str) -> str:
        ready = ("-o", f"{sys.prefix}/.ready", "-o", ".venv-deploy/.ready", f"VENV={sys.prefix}")
        command = ["make", *ready, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield run
    run("down")
    project = variables["COMPOSE_PROJECT_NAME"]
    volumes = podman("volume", "ls", "--format", "{{.Name}}").stdout.split()
    podman("volume", "rm", "--force", *(name for name in volumes if name.startswith(project)))


def test_team_trains_promotes_and_serves(
    make: Make, variables: dict[str, str], ports: dict[str, str], tmp_path: Path
) -> None:
    make("up")
    secrets = tmp_path / "deploy" / "compose" / "secrets"
    server = f"http://127.0.0.1:{ports['ZENML_PORT']}"
    configurations = {
        "ingestion": {"source": {"sample": {"accidents": 1500}, "data_folder": str(tmp_path / "data")}},
        "training": {"models_folder": str(tmp_path / "models"), "reports_folder": str(tmp_path / "reports")},
    }
    options = []
    for name, content in configurations.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"pipeline": name, **content}))
        options += ["--config", str(tmp_path / f"{name}.yaml")]
    client = {name: value for name, value in os.environ.items() if not name.startswith(("ZENML_", "MLFLOW_"))} | {
        "ZENML_CONFIG_PATH": str(tmp_path / "zenml"),
        "ZENML_STORE_URL": server,
        "ZENML_STORE_API_KEY": service_account_key(server, (secrets / "zenml-admin-password").read_text()),
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['MLFLOW_PORT']}",
        "ARTIFACT_BUCKET": "s3://accidents/zenml",
        "PUBLISHED_MODELS": "s3://accidents/published",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['STORE_PORT']}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": (secrets / "s3-key").read_text(),
        "AWS_SECRET_ACCESS_KEY": (secrets / "s3-secret").read_text(),
    }
    for arguments in (
        ("stack", "register", "team"),
        ("--training", "--models", "lightgbm", "--stack", "team", *options),
        ("registry", "--stack", "team", "promote", "--model-name", "lightgbm"),
    ):
        command = [sys.executable, "run.py", *arguments]
        done = subprocess.run(command, cwd=PROJECT, env=client, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    compose = [PROJECT / ".venv-deploy" / "bin" / "podman-compose", "run", "--rm", "serving"]
    command = [*map(str, compose), "keys", "create", "--name", "tests", "--role", "predict"]
    serving = variables | {"COMPOSE_PROFILES": "serving"}
    created = subprocess.run(command, cwd=tmp_path, env=serving, capture_output=True, text=True)
    key = created.stdout.split()[-1]
    make("up", "PROFILES=serving,monitoring")
    url = f"https://127.0.0.1:{ports['HTTPS_PORT']}"
    answer = requests.post(
        f"{url}/v1/predict", json=ACCIDENT, headers={"X-API-Key": key}, verify=secrets / "tls.pem", timeout=60
    )
    assert answer.json()["model"] == {"name": "Accident_Prediction_Lightgbm", "version": "1", "type": "lightgbm"}
    assert requests.get(f"{url}/metrics", verify=secrets / "tls.pem", timeout=60).status_code == 404
