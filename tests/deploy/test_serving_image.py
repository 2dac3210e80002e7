"""The image `serving` as it is deployed: nothing to write but volumes, little memory, an ordinary user."""

import threading

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from accidents.bundle.publication import publish_model
from tests.deploy.conftest import Deployed
from tests.deploy.podman import LOCKED_DOWN, TEMPORARY, container, image, podman
from tests.serving.in_process import ACCIDENT
from tests.serving.load_generator import LoadGenerator, wait_until
from tests.serving.service_process import free_port
from tests.tracking.helpers import NAME

pytestmark = pytest.mark.long


def options(deployed: Deployed, port: int) -> tuple[str, ...]:
    return (
        *LOCKED_DOWN,
        *TEMPORARY,
        *("--volume", "/app/models"),
        *("--volume", f"{deployed.folder}:/data", "--publish", f"127.0.0.1:{port}:8080"),
        *("--env", "PUBLISHED_MODELS=/data/published", "--env", "SERVING_DATABASE_URL_FILE=/data/url"),
        image("serving"),
    )


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.RequestException:
        return False


def test_service_follows_publications_and_stops_gracefully(deployed: Deployed) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (deployed.folder / "url").write_text("sqlite:////data/serving.db\n")
    with container(*options(deployed, port)) as name:
        wait_until(
            lambda: answers(url) or podman("inspect", "--format", "{{.State.Status}}", name).stdout == "exited\n"
        )
        assert answers(url), podman("logs", name).stderr
        assert podman("healthcheck", "run", name, check=False).returncode == 0
        with LoadGenerator(url, deployed.headers) as load:
            load.wait_for_version("1")
            deployed.publish(2)
            changed = requests.post(f"{url}/v1/admin/reload", headers=deployed.headers, timeout=60).json()
            assert changed["model"]["version"] == "2"
            load.wait_for_version("2")
        assert load.errors == []
        assert podman("exec", name, "id", "--user").stdout == "10001\n"
        assert podman("exec", name, "touch", "/app/run.py", check=False).returncode != 0
        for module in ("zenml", "mlflow", "jupyterlab", "matplotlib"):
            assert podman("exec", name, "python", "-c", f"import {module}", check=False).returncode != 0
        batch = {"accidents": [ACCIDENT] * 1000}
        results: list[int] = []

        def send() -> None:
            answer = requests.post(f"{url}/v1/predict/batch", json=batch, headers=deployed.headers, timeout=60)
            results.append(answer.status_code)

        sender = threading.Thread(target=send)
        sender.start()
        before = requests.get(f"{url}/metrics", headers=deployed.headers, timeout=30)
        assert before.ok
        podman("stop", "--time", "60", name)
        sender.join(60)
        assert results == [200]
        assert podman("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", name).stdout == "0 false\n"


def test_service_loads_its_model_from_a_bucket(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """With credentials from files; the image has no other client of S3 than its own."""
    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    store.start()
    host, at = store.get_host_and_port()
    location = {"AWS_ENDPOINT_URL": f"http://{host}:{at}", "AWS_DEFAULT_REGION": "us-east-1"}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in (location | credentials).items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="models")
    publish_model("s3://models/accidents", NAME, "7", deployed.folder / "1.zip", None)
    for name, value in credentials.items():
        (deployed.folder / name).write_text(value)
        location[f"{name}_FILE"] = f"/data/{name}"
    location["PUBLISHED_MODELS"] = "s3://models/accidents"
    variables = [word for name, value in location.items() for word in ("--env", f"{name}={value}")]
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (*LOCKED_DOWN, *TEMPORARY, "--volume", "/app/models", "--volume", f"{deployed.folder}:/data", *variables)
    database = ("--env", "SERVING_DATABASE_URL=sqlite:////data/serving.db", "--network", "host")
    served = ("--serve", "--anonymous", "--port", str(port))
    try:
        with container(*command, *database, image("serving"), *served) as name:
            wait_until(lambda: answers(url))
            assert requests.get(f"{url}/v1/model", timeout=30).json()["version"] == "7", podman("logs", name).stderr
    finally:
        store.stop()


def test_service_without_active_key_does_not_start(deployed: Deployed) -> None:
    (deployed.folder / "url").write_text("sqlite:////data/other.db\n")
    run = podman("run", "--rm", *options(deployed, free_port()), check=False)
    assert run.returncode == 2
    assert "there is no active API key" in run.stderr
