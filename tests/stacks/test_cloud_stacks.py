"""What stacks of clouds do without an account: packages, manifests for Kubernetes, artifact stores of emulators."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.team.servers import zenml_server
from tests.servers import azurite, fake_gcs, s3_server
from tests.stacks.clouds import (
    CONFIGURATION,
    SEND_TRAINING,
    Reply,
    api_server,
    environment_of,
    printed_json,
    process,
    run,
)
from tests.stacks.test_shipped_stacks import OF_CLOUDS, VARIABLES

pytestmark = pytest.mark.long

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
if connection:
    from azure.storage.blob import BlobServiceClient

    BlobServiceClient.from_connection_string(connection).create_container("artifacts")
from pipelines.ingestion import ingestion

run = ingestion(configuration={"ingestion": {"source": {"sample": {"accidents": 500}}}})
accidents = run.steps["ingest"].outputs["accidents"][0]
print(len(accidents.load()), accidents.uri)
"""
LIST_BLOBS = """
import sys
from azure.storage.blob import BlobServiceClient
container = BlobServiceClient.from_connection_string(sys.argv[1]).get_container_client("artifacts")
print(*container.list_blob_names())
"""


@contextmanager
def fake_cluster(folder: Path) -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
    """An API server that accepts everything: variables of its clients, and the objects that were created."""
    created: list[dict[str, Any]] = []

    def answer(method: str, path: str, body: Any) -> Reply:
        if method != "POST":
            return 404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
        created.append({"path": path, **body})
        return 201, body

    with api_server(answer) as url:
        file = folder / "kubeconfig"
        file.write_text(yaml.safe_dump(kubeconfig(url)))
        yield {"KUBECONFIG": str(file), "KUBERNETES_CONTEXT": "fake"}, created


def kubeconfig(url: str) -> dict[str, Any]:
    """How clients reach an API server."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": {"server": url}}],
        "users": [{"name": "fake", "user": {}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        "current-context": "fake",
    }


def test_kubernetes_gets_valid_manifests_with_the_token_as_secret(tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate").validate
    image = "registry.example.org/accidents:1"
    with (
        s3_server(tmp_path / "s3") as s3,
        zenml_server(tmp_path / "zenml", f"sqlite:///{tmp_path}/zenml.db") as server,
        fake_cluster(tmp_path) as (cluster, created),
    ):
        access = server.client_variables()
        others = {"CONTAINER_REGISTRY": "registry.example.org/x", "MLFLOW_TRACKING_URI": "https://mlflow.example.org"}
        variables = access | cluster | s3.environment | others
        printed = run(SEND_TRAINING, "kubernetes", image, CONFIGURATION, folder=tmp_path, **variables)
    steps = printed_json(printed)
    assert [steps["train_lightgbm"][key] for key in ("memory", "retries")] == ["8GB", 2]
    assert [steps["ingest"][key] for key in ("memory", "retries")] == ["4GB", 2]
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
    python = environment_of("azure")
    with azurite(tmp_path / "azurite") as connection:
        printed = run(STORE, "azure", "az://artifacts/zenml", connection, folder=tmp_path, python=python)
        assert printed.splitlines()[-1].startswith("500 az://artifacts/zenml/ingest/accidents/")
        assert run(LIST_BLOBS, connection, folder=tmp_path, python=python).count("zenml/ingest/accidents/") > 0


def test_artifacts_lie_in_google_cloud_storage(tmp_path: Path) -> None:
    python = environment_of("gcp")
    (tmp_path / "gcs" / "artifacts").mkdir(parents=True)
    with fake_gcs(tmp_path / "gcs") as url:
        emulator = {"STORAGE_EMULATOR_HOST": url}
        printed = run(STORE, "gcp", "gs://artifacts/zenml", "", folder=tmp_path, python=python, **emulator)
    assert printed.splitlines()[-1].startswith("500 gs://artifacts/zenml/ingest/accidents/")
    assert list((tmp_path / "gcs" / "artifacts" / "zenml" / "ingest" / "accidents").rglob("*.parquet"))


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_an_environment_has_what_its_stack_needs(cloud: str, tmp_path: Path) -> None:
    environment, variables = environment_of(cloud), VARIABLES | OF_CLOUDS[cloud]
    variables["AZURE_STORAGE_CONNECTION_STRING"] = "DefaultEndpointsProtocol=http;AccountName=x;AccountKey=eA=="
    remedy = f"it belongs to the extra [{cloud}]: make install VENV=.venv-{cloud} LOCK=requirements-{cloud}.lock"
    for python, is_missing in ((environment, False), (sys.executable, True)):
        options: dict[str, Any] = {"folder": tmp_path / str(is_missing), "python": python, **variables}
        registered = process("run.py", "stack", "register", cloud, **options)
        assert registered.returncode == 0, registered.stdout + registered.stderr
        checked = process("run.py", "stack", "check", cloud, "--json", **options)
        lines = {line["kind"]: line["text"] for line in json.loads(checked.stdout)["answers"]}
        assert (remedy in lines["orchestrator"]) is is_missing, lines
        assert is_missing or lines["orchestrator"] == "installed; not contacted", lines
    run(
        f"import zenml.integrations.{cloud}.service_connectors.{cloud}_service_connector",
        folder=tmp_path,
        python=environment,
    )
