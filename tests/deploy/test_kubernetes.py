"""The manifests: what they say, and the Deployment run twice by podman behind a proxy, updated under load."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.conftest import PROJECT
from tests.deploy.conftest import Deployed
from tests.deploy.podman import image, podman
from tests.serving.load_generator import LoadGenerator
from tests.serving.service_process import free_port

pytestmark = pytest.mark.long
KUBECTL = PROJECT / ".venv-deploy" / "bin" / "kubectl"
MANIFESTS = PROJECT / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The overlay for one node, as kubectl renders it."""
    if not KUBECTL.exists():
        pytest.skip("there is no .venv-deploy: make deploy-check")
    copy = tmp_path_factory.mktemp("manifests") / "kubernetes"
    shutil.copytree(MANIFESTS, copy, ignore=shutil.ignore_patterns("secrets"))
    secrets = copy / "overlays" / "single-node" / "secrets"
    secrets.mkdir()
    for name in ("aws-access-key-id", "aws-secret-access-key", "zenml-api-key", "mlflow-username", "mlflow-password"):
        (secrets / name).write_text("placeholder")
    (secrets / "database-url").write_text("placeholder")
    command = [KUBECTL, "kustomize", copy / "overlays" / "single-node"]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(rendered))


def for_podman(resources: list[dict[str, Any]], name: str, port: int, folder: Path) -> str:
    """The Deployment under another name with its ConfigMaps, and the folder as bucket, database and secrets.

    podman 4.3 leaves the values of a Secret in base64, and pods share the volumes of one name.
    """
    documents = []
    for one in yaml.safe_load_all(yaml.safe_dump_all(resources)):  # copies
        one["metadata"].pop("namespace", None)
        if one["kind"] == "Deployment":
            one["metadata"]["name"] = name
            pod = one["spec"]["template"]["spec"]
            container = pod["containers"][0]
            container["image"] = image("serving")
            container["ports"][0] |= {"hostPort": port, "hostIP": "127.0.0.1"}
            container["volumeMounts"].append({"name": "data", "mountPath": "/data"})
            pod["volumes"].append({"name": "data", "hostPath": {"path": str(folder)}})
            for volume in pod["volumes"]:
                if "secret" in volume:
                    del volume["secret"]
                    volume["hostPath"] = {"path": str(folder / "secrets")}
            for volume in (*pod["volumes"], *container["volumeMounts"]):
                volume["name"] = f"{name}-{volume['name']}"
        elif one["kind"] != "ConfigMap":
            continue
        elif one["metadata"]["name"].startswith("accidents-locations"):
            one["data"]["PUBLISHED_MODELS"] = "/data/published"
        documents.append(one)
    return yaml.safe_dump_all(documents)


@contextmanager
def pod(manifest: str, folder: Path, name: str, port: int) -> Iterator[str]:
    """A pod of the Deployment that is ready; stopped as Kubernetes does, and removed with the block."""
    file = folder / f"{name}.yaml"
    file.write_text(manifest)
    url = f"http://127.0.0.1:{port}"
    try:
        podman("play", "kube", file)
        deadline = time.monotonic() + 120
        while not is_ready(url):
            assert time.monotonic() < deadline, podman("logs", f"{name}-pod-0-serving").stdout
            time.sleep(0.5)
        yield url
    finally:
        stop(name)
        podman("pod", "rm", "--force", f"{name}-pod-0", check=False)
        podman("volume", "rm", f"{name}-models", f"{name}-temporary", check=False)


def stop(name: str) -> None:
    podman("pod", "stop", "--time", "60", f"{name}-pod-0", check=False)


def is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def proxy(folder: Path, port: int, upstreams: list[int]) -> Iterator[Any]:
    """nginx before the pods; yields a function that gives it other ones, as the endpoints of a Service change."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    file = folder / "nginx.conf"

    def write(ports: list[int]) -> None:
        servers = "".join(f"server 127.0.0.1:{one};" for one in ports)
        file.write_text(
            f"pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
            f"http {{ access_log off; upstream pods {{ {servers} keepalive 16; }}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://pods; proxy_next_upstream off;\n"
            'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost; } } }\n'
        )

    write(upstreams)
    command = [nginx, "-c", str(file), "-p", str(folder)]
    subprocess.run(command, check=True)

    def change(ports: list[int]) -> None:
        write(ports)
        subprocess.run([*command, "-s", "reload"], check=True)

    try:
        yield change
    finally:
        subprocess.run([*command, "-s", "quit"], check=False)


def test_deployment_is_updated_without_a_failed_request(
    resources: list[dict[str, Any]], deployed: Deployed, tmp_path: Path
) -> None:
    """Two pods; each in turn gives way to a new one once that is ready, as in a rolling update."""
    ports = [free_port() for _ in range(5)]
    secrets = deployed.folder / "secrets"
    secrets.mkdir()
    for name in ("aws-access-key-id", "aws-secret-access-key"):
        (secrets / name).write_text("placeholder")
    (secrets / "database-url").write_text("sqlite:////data/serving.db")
    front, url = ports[4], f"http://127.0.0.1:{ports[4]}"
    names = [f"accidents{tmp_path.name[-1]}{number}" for number in range(4)]

    with ExitStack() as pods, proxy(tmp_path, front, ports[:2]) as change:

        def start(number: int) -> str:
            manifest = for_podman(resources, names[number], ports[number], deployed.folder)
            return pods.enter_context(pod(manifest, tmp_path, names[number], ports[number]))

        urls = [start(0), start(1)]
        with LoadGenerator(url, deployed.headers) as load:
            load.wait_for_version("1")
            deployed.publish(2)
            for old, new in ((0, 2), (1, 3)):
                urls.append(start(new))
                change([ports[new], ports[old + 1]])
                drain(names[old])
                load.wait_for_responses()
            load.wait_for_version("2")
            load.wait_for_responses(100)
        assert load.errors == []
        assert load.versions() == {"1", "2"}
        assert [model_version(one, deployed) for one in urls[2:]] == ["2", "2"]


def drain(name: str) -> None:
    """What Kubernetes does with a pod: it waits for its preStop hook, then sends SIGTERM and waits."""
    hook = yaml.safe_load((MANIFESTS / "base" / "deployment.yaml").read_text())
    container = hook["spec"]["template"]["spec"]["containers"][0]
    subprocess.run(container["lifecycle"]["preStop"]["exec"]["command"], check=True)
    stop(name)


def model_version(url: str, deployed: Deployed) -> str:
    return str(requests.get(f"{url}/v1/model", headers=deployed.headers, timeout=30).json()["version"])
