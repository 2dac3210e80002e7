"""The image `serving` as it is deployed: nothing to write but volumes, little memory, an ordinary user."""

import threading

import pytest
import requests

from tests.deploy.conftest import Deployed
from tests.deploy.podman import LOCKED_DOWN, TEMPORARY, container, image, podman
from tests.serving.in_process import ACCIDENT
from tests.serving.load_generator import LoadGenerator, wait_until
from tests.serving.service_process import free_port

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


def test_service_without_active_key_does_not_start(deployed: Deployed) -> None:
    (deployed.folder / "url").write_text("sqlite:////data/other.db\n")
    run = podman("run", "--rm", *options(deployed, free_port()), check=False)
    assert run.returncode == 2
    assert "there is no active API key" in run.stderr
