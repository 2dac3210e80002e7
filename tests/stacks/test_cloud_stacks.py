"""What stacks of clouds do without an account: manifests for Kubernetes, artifact stores of emulators."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.team.servers import zenml_server
from tests.conftest import PROJECT
from tests.servers import azurite, fake_gcs, s3_server

pytestmark = pytest.mark.long

SUBMIT = """
import json, os, sys
from zenml.client import Client
from zenml.config import DockerSettings
from zenml.config.schedule import Schedule
from pipelines.session import prepare_process
from stacks.definition import find_stack_file, read_stack_file
from stacks.registration import register_stack

prepare_process()
register_stack(read_stack_file(find_stack_file("kubernetes"), os.environ), os.environ)
Client().activate_stack("kubernetes")
from pipelines.training import training

image = DockerSettings(parent_image="registry.example.org/accidents:1", skip_build=True)
settings = {"docker": image, "orchestrator": {"synchronous": False}}
arguments = {"configuration": json.loads(sys.argv[1]), "fingerprint": "", "track": False}
run = training.with_options(settings=settings)(**arguments)
steps = Client().get_pipeline_run(run.id).snapshot.step_configurations
print(json.dumps({name: [step.config.resource_settings.memory, step.config.retry.max_retries]
                  for name, step in steps.items()}))
training.with_options(settings=settings, schedule=Schedule(name="nightly", cron_expression="0 3 * * 1"))(**arguments)
"""
STORE = """
import sys
from zenml.client import Client
from zenml.enums import StackComponentType as Kind
from pipelines.session import prepare_process

prepare_process()
client, (flavor, path, connection) = Client(), sys.argv[1:]
configuration = {"path": path}
if connection:
    client.create_secret("storage", {"connection_string": connection})
    configuration["authentication_secret"] = "storage"
client.create_stack_component("cloud", flavor, Kind.ARTIFACT_STORE, configuration)
client.create_stack("cloud", {Kind.ORCHESTRATOR: "default", Kind.ARTIFACT_STORE: "cloud"})
client.activate_stack("cloud")
from pipelines.ingestion import ingestion

run = ingestion(configuration={"ingestion": {"source": {"sample": {"accidents": 500}}}})
accidents = run.steps["ingest"].outputs["accidents"][0]
print(len(accidents.load()), accidents.uri)
"""


@contextmanager
def fake_cluster(folder: Path) -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
    """An API server that accepts everything: variables of its clients, and the objects that were created."""
    created: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # named by the library
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            created.append({"path": self.path, **body})
            self._answer(201, body)

        def do_GET(self) -> None:  # named by the library
            self._answer(404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})

        def _answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configuration = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "fake", "user": {}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        "current-context": "fake",
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(configuration))
    try:
        yield {"KUBECONFIG": str(file), "KUBERNETES_CONTEXT": "fake"}, created
    finally:
        server.shutdown()
        server.server_close()


def run(code: str, *arguments: str, folder: Path, **variables: str) -> str:
    """The last line that the code prints, in a process with a configuration folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZENML_", "AWS_", "MLFLOW_"))}
    environment = kept | {"ZENML_CONFIG_PATH": str(folder / "config"), **variables}
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


def test_kubernetes_gets_valid_manifests_with_the_token_as_secret(tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate").validate
    configuration = {"training": {"models": ["lightgbm"]}}
    with (
        s3_server(tmp_path / "s3") as s3,
        zenml_server(tmp_path / "zenml", f"sqlite:///{tmp_path}/zenml.db") as server,
        fake_cluster(tmp_path) as (cluster, created),
    ):
        access = server.client_variables()
        others = {"CONTAINER_REGISTRY": "registry.example.org/x", "MLFLOW_TRACKING_URI": "https://mlflow.example.org"}
        variables = access | cluster | s3.environment | others
        printed = run(SUBMIT, json.dumps(configuration), folder=tmp_path, **variables)
    steps = json.loads(next(line for line in printed.splitlines() if line.startswith("{")))
    assert steps["train_lightgbm"] == ["8GB", 2]
    assert steps["ingest"] == ["4GB", 2]
    kinds = {"jobs": ("batch/v1", "Job"), "cronjobs": ("batch/v1", "CronJob"), "secrets": ("v1", "Secret")}
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in created:
        name = item.pop("path").partition("?")[0].rpartition("/")[2]
        by_kind.setdefault(name, []).append(item)
        if name in kinds:
            item["apiVersion"], item["kind"] = kinds[name]
            validate(item, "1.34", strict=True)
    assert {"jobs", "cronjobs", "secrets", "serviceaccounts", "rolebindings"} <= by_kind.keys()
    assert all(_token_is_referred_to(job) for job in by_kind["jobs"])
    (cron,) = by_kind["cronjobs"]
    assert cron["spec"]["schedule"] == "0 3 * * 1"
    assert cron["spec"]["successfulJobsHistoryLimit"] == 3


def _token_is_referred_to(job: dict[str, Any]) -> bool:
    """Whether a job names the secret with its token, and does not hold it."""
    variables = job["spec"]["template"]["spec"]["containers"][0]["env"]
    tokens = [one for one in variables if "TOKEN" in one["name"]]
    return bool(tokens) and all("valueFrom" in one and "value" not in one for one in tokens)


def test_artifacts_lie_in_azure_blob_storage(tmp_path: Path) -> None:
    pytest.importorskip("adlfs", reason="pip install adlfs azure-storage-blob, or the environment of [azure]")
    from azure.storage.blob import BlobServiceClient

    with azurite(tmp_path / "azurite") as connection:
        service = BlobServiceClient.from_connection_string(connection)
        container = service.create_container("artifacts")
        printed = run(STORE, "azure", "az://artifacts/zenml", connection, folder=tmp_path)
        assert printed.splitlines()[-1].startswith("500 az://artifacts/zenml/ingest/accidents/")
        assert [blob.name for blob in container.list_blobs(name_starts_with="zenml/ingest/accidents/")]


def test_artifacts_lie_in_google_cloud_storage(tmp_path: Path) -> None:
    pytest.importorskip("gcsfs", reason="pip install gcsfs google-cloud-storage, or the environment of [gcp]")
    (tmp_path / "gcs" / "artifacts").mkdir(parents=True)
    with fake_gcs(tmp_path / "gcs") as url:
        printed = run(STORE, "gcp", "gs://artifacts/zenml", "", folder=tmp_path, STORAGE_EMULATOR_HOST=url)
    assert printed.splitlines()[-1].startswith("500 gs://artifacts/zenml/ingest/accidents/")
    assert list((tmp_path / "gcs" / "artifacts" / "zenml" / "ingest" / "accidents").rglob("*.parquet"))
