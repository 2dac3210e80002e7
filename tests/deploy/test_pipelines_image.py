"""The image `pipelines`: a training in a container that can write nothing but volumes, and one by local_docker."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import PROJECT
from tests.deploy.podman import LOCKED_DOWN, TEMPORARY, environment, image, podman

pytestmark = pytest.mark.long


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """Address of podman's service, which speaks the API of Docker."""
    socket = tmp_path / "podman.sock"
    command = ["podman", "system", "service", "--time", "0", f"unix://{socket}"]
    service = subprocess.Popen(command, env=environment())
    try:
        while not socket.exists():
            assert service.poll() is None
            time.sleep(0.1)
        yield f"unix://{socket}"
    finally:
        service.terminate()
        service.wait(30)


def test_training_writes_only_to_volumes(tmp_path: Path) -> None:
    small = tmp_path / "ingestion.yaml"
    small.write_text(yaml.safe_dump({"pipeline": "ingestion", "source": {"sample": {"accidents": 1500}}}))
    folders = ("/app/data", "/app/models", "/app/reports", "/app/mlruns", "/home/accidents")
    volumes = [word for folder in folders for word in ("--volume", folder)]
    command = [
        *LOCKED_DOWN[:-1],
        "4g",
        *TEMPORARY,
        *volumes,
        "--volume",
        f"{tmp_path}:/etc/accidents:ro",
        image("pipelines"),
    ]
    for path in (tmp_path, *tmp_path.parents):
        if path.name.startswith("pytest") or path == tmp_path:
            path.chmod(0o755)
    done = podman(
        "run", "--rm", *command, "--training", "--models", "lightgbm", "--config", "/etc/accidents/ingestion.yaml"
    )  # fmt: skip
    assert "versions  LightGBM 1" in done.stdout


def test_steps_run_in_containers_of_local_docker(tmp_path: Path, engine: str) -> None:
    variables = os.environ | {
        "DOCKER_HOST": engine,
        "ZENML_CONFIG_PATH": str(tmp_path / "config"),
        "ZENML_LOCAL_STORES_PATH": str(tmp_path / "stores"),
        "ZENML_ENABLE_REPO_INIT_WARNINGS": "false",
    }
    for name in ("MLFLOW_TRACKING_URI", "ZENML_ACTIVE_STACK_ID"):
        variables.pop(name, None)
    (tmp_path / "stores").mkdir()
    command = [sys.executable, "-m", "tests.deploy.docker_training", image("pipelines"), str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    status, *steps = done.stdout.strip().splitlines()[-1].split()
    assert (status, {"ingest", "build_features", "compare_models", "track_training"} <= {*steps}) == ("completed", True)
