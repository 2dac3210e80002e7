"""What the orchestrators of clouds send for a training: captured from their own SDKs without an account, and validated.

The SDKs are in environments of their own (docs/stacks.md); a test whose environment is absent is skipped.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import boto3
import jsonschema
import jwt
import pytest
import yaml
from botocore.model import Shape
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.server import ThreadedMotoServer

from scripts.team.processes import MissingProgramError, program
from scripts.team.servers import zenml_server
from tests.stacks import clouds
from tests.stacks.clouds import Reply

pytestmark = pytest.mark.long

AWS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
NO_TELEMETRY = "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
VALIDATE_VERTEX = """
import json, sys
from google.protobuf.json_format import ParseDict
from kfp.components import load_component_from_text
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig
ParseDict(json.loads(sys.argv[1])["deploymentSpec"], PipelineDeploymentConfig())
print(load_component_from_text(sys.argv[1]).pipeline_spec.schema_version)
"""
VALIDATE_AZURE = """
import sys
from azure.ai.ml import load_job
result = load_job(sys.argv[1])._validate()
assert result.passed, result.error_messages
"""


def send_training(cloud: str, image: str, folder: Path, **variables: str) -> dict[str, dict[str, Any]]:
    """Register the shipped stack, run `training` on it and schedule it; returns the steps as ZenML knows them."""
    with zenml_server(folder / "zenml", f"sqlite:///{folder}/zenml.db") as server:
        access = server.client_variables() | {"MLFLOW_TRACKING_URI": "https://mlflow.example.org"}
        options = {"ZENML_DISABLE_PIPELINE_LOGS_STORAGE": "true", **access, **variables}
        python = clouds.environment_of(cloud)
        arguments = (cloud, image, clouds.CONFIGURATION)
        steps = clouds.printed_json(
            clouds.run(clouds.SEND_TRAINING, *arguments, folder=folder, python=python, **options)
        )
    assert steps["train_lightgbm"]["retries"] == 2
    return dict(steps)


def json_schema(shape: Shape) -> dict[str, Any]:
    """A shape of AWS's own service model as JSON Schema."""
    limits, kind = shape.metadata, shape.type_name
    if kind == "structure":
        members = {name: json_schema(member) for name, member in shape.members.items()}
        required = limits.get("required", [])
        return {"type": "object", "properties": members, "required": required, "additionalProperties": False}
    if kind == "map":
        return {
            "type": "object",
            "propertyNames": json_schema(shape.key),
            "additionalProperties": json_schema(shape.value),
        }
    if kind == "list":
        sizes = {"minItems": limits.get("min", 0), "maxItems": limits.get("max", 1000)}
        return {"type": "array", "items": json_schema(shape.member), **sizes}
    if kind == "string":
        rules = {"enum": limits.get("enum"), "minLength": limits.get("min"), "maxLength": limits.get("max")}
        rules["pattern"] = f"^(?:{limits['pattern']})$" if "pattern" in limits else None
        return {"type": "string"} | {name: rule for name, rule in rules.items() if rule}
    if kind in {"integer", "long"}:
        rules = {"minimum": limits.get("min"), "maximum": limits.get("max")}
        return {"type": "integer"} | {name: rule for name, rule in rules.items() if rule is not None}
    return {"type": {"boolean": "boolean", "float": "number", "double": "number"}.get(kind, "string")}


@contextmanager
def emulated_aws() -> Iterator[tuple[dict[str, str], Any]]:
    """Variables of clients of an emulator of AWS, and a function that makes clients of its services."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": AWS["AWS_REGION"]}
    try:
        yield AWS | {"AWS_ENDPOINT_URL": url}, lambda name: boto3.client(name, endpoint_url=url, **keys)
    finally:
        server.stop()


def test_sagemaker_gets_a_valid_pipeline_and_schedule(tmp_path: Path) -> None:
    clouds.environment_of("aws")
    registry, role = "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "arn:aws:iam::123456789012:role/training"
    (tmp_path / "sagemaker.yaml").write_text(NO_TELEMETRY)
    with emulated_aws() as (variables, client):
        region = {"LocationConstraint": AWS["AWS_REGION"]}
        client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration=region)
        variables |= {"ARTIFACT_BUCKET": "s3://artifacts/zenml", "SAGEMAKER_BUCKET": "artifacts"}
        variables |= {"CONTAINER_REGISTRY": registry, "SAGEMAKER_ROLE_ARN": role}
        variables["SAGEMAKER_USER_CONFIG_OVERRIDE"] = str(tmp_path / "sagemaker.yaml")
        steps = send_training("aws", f"{registry}/accidents:1", tmp_path, **variables)
        sagemaker = client("sagemaker")
        names = [pipeline["PipelineName"] for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]]
        definitions = [sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] for name in names]
        executions = [sagemaker.list_pipeline_executions(PipelineName=name) for name in names]
        (planned,) = client("scheduler").list_schedules()["Schedules"]
        schedule = client("scheduler").get_schedule(Name=planned["Name"])
    assert sorted(len(found["PipelineExecutionSummaries"]) for found in executions) == [0, 1]
    assert schedule["ScheduleExpression"] == "cron(0 3 ? * MON *)"
    schema = json_schema(sagemaker.meta.service_model.operation_model("CreateTrainingJob").input_shape)
    schema["required"].remove("TrainingJobName")  # SageMaker names the jobs of a pipeline
    job = jsonschema.Draft202012Validator(schema)  # some patterns are not Python's: those of fields that are not sent
    for definition in map(json.loads, definitions):
        sent = {step["Name"]: step for step in definition["Steps"]}
        assert {name: sorted(step.get("DependsOn", [])) for name, step in sent.items()} == {
            name: step["upstream"] for name, step in steps.items()
        }
        for step in sent.values():
            arguments = step["Arguments"]
            run_id = arguments["Environment"].pop("ZENML_SAGEMAKER_RUN_ID")
            assert run_id == {"Get": "Execution.PipelineExecutionArn"}
            job.validate(arguments)
            assert arguments["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"


def google_api(created: dict[str, Any]) -> Any:
    """What the APIs of Google Cloud answer: tokens, an absent bucket, and jobs and schedules, which are kept."""

    def answer(method: str, path: str, body: Any) -> Reply:
        place = urlsplit(path).path
        if place == "/token":
            return 200, {"access_token": "token", "expires_in": 3600, "token_type": "Bearer"}
        if place.endswith("/iam"):
            return 200, {"bindings": [], "version": 1, "etag": "x"}
        if method == "GET":
            return 404, {}
        if place.startswith("/v1/projects"):
            created[place.rpartition("/")[2]] = body
            return 200, {**body, "name": f"{place.removeprefix('/v1/')}/1"}
        return 200, body

    return answer


def service_account(url: str) -> str:
    """A key file of a service account, with a key that nobody else has."""
    key = rsa.generate_private_key(65537, 2048)
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    account = {"type": "service_account", "project_id": "project", "private_key_id": "1", "client_id": "1"}
    account |= {"client_email": "me@project.iam.gserviceaccount.com", "token_uri": f"{url}/token"}
    return json.dumps(account | {"private_key": key.private_bytes(*formats).decode()})


def test_vertex_gets_a_valid_pipeline_and_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python, created = clouds.environment_of("gcp"), dict[str, Any]()
    registry = "europe-west1-docker.pkg.dev/project/accidents"
    with clouds.api_server(google_api(created)) as url:
        # ZenML takes the endpoint of Vertex from the region alone; the SDK itself can be told another.
        endpoint = f"from google.cloud import aiplatform\naiplatform.init(api_endpoint={url!r}, api_transport='rest')\n"
        monkeypatch.setattr(clouds, "SEND_TRAINING", endpoint + clouds.SEND_TRAINING)
        (tmp_path / "key.json").write_text(service_account(url))
        variables = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"), "GOOGLE_CLOUD_PROJECT": "project"}
        variables |= {"GOOGLE_CLOUD_REGION": "europe-west1", "STORAGE_EMULATOR_HOST": url}
        variables |= {"ARTIFACT_BUCKET": "gs://artifacts/zenml", "CONTAINER_REGISTRY": registry}
        variables["VERTEX_SERVICE_ACCOUNT"] = "training@project.iam.gserviceaccount.com"
        steps = send_training("gcp", f"{registry}/pipelines:1", tmp_path, **variables)
    assert created["schedules"]["cron"] == "TZ=UTC 0 3 * * 1"
    jobs = created["pipelineJobs"], created["schedules"]["createPipelineJobRequest"]["pipelineJob"]
    for job in jobs:
        assert job["serviceAccount"] == variables["VERTEX_SERVICE_ACCOUNT"]
        assert job["labels"]["project"] == "french-road-accidents"
        specification = job["pipelineSpec"]
        assert clouds.run(VALIDATE_VERTEX, json.dumps(specification), folder=tmp_path, python=python).strip() == "2.1.0"
        tasks = specification["root"]["dag"]["tasks"]
        assert {name: sorted(task.get("dependentTasks", [])) for name, task in tasks.items()} == {
            _dashed(name): sorted(map(_dashed, step["upstream"])) for name, step in steps.items()
        }
        containers = {name: one["container"] for name, one in specification["deploymentSpec"]["executors"].items()}
        for name, step in steps.items():
            memory = containers[f"exec-{_dashed(name)}"]["resources"]["resourceMemoryLimit"]
            assert f"{memory}B" == step["memory"]


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def azure_api(url: list[str], sent: dict[str, Any]) -> Any:
    """What Azure's APIs answer: addresses, tokens, a workspace, and what was put there, which is kept."""

    def answer(method: str, path: str, body: Any) -> Reply:
        parts = urlsplit(path)
        if parts.path == "/metadata":
            places = {"portal": url[0], "resourceManager": url[0], "suffixes": {"storage": "core.windows.net"}}
            return 200, {"name": "Local", "authentication": {"loginEndpoint": url[0]}, **places}
        if parts.path == "/token":
            audience = parse_qs(parts.query)["resource"][0]
            return 200, {"access_token": jwt.encode({"aud": audience}, "k" * 32), "expires_on": "4102444800"}
        if method == "GET" and parts.path.endswith("/workspaces/workspace"):
            return 200, {"id": parts.path, "name": "workspace", "location": "westeurope", "properties": {}}
        if method == "PUT":
            sent[parts.path] = body
        if parts.path not in sent:
            return 404, {"error": {"code": "NotFound", "message": "not found"}}
        kept = {**sent[parts.path], "id": parts.path, "name": parts.path.rpartition("/")[2], "type": "kept"}
        studio = {"Studio": {"endpoint": f"{url[0]}/studio", "jobServiceType": "Studio"}}
        return 200, kept | {"properties": kept["properties"] | {"provisioningState": "Succeeded", "services": studio}}

    return answer


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1, and its key; Azure's libraries send no token over plain HTTP."""
    try:
        openssl = program("openssl")
    except MissingProgramError as error:
        pytest.skip(str(error))
    files = folder / "certificate.pem", folder / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


def pipeline_file(job: dict[str, Any], sent: dict[str, Any], folder: Path) -> Path:
    """A job and its components as the files that Azure's own loader reads and checks against each other."""
    jobs = {}
    for name, node in job["jobs"].items():
        component = {**sent[node["componentId"]]["properties"]["componentSpec"]}
        component.pop("_source")  # how it was written, which the service alone is told
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(component))
        inputs = {key: value["value"] for key, value in node.get("inputs", {}).items()}
        jobs[name] = {"type": "command", "component": f"./{name}.yaml", "inputs": inputs}
    settings = {"default_compute": f"azureml:{job['computeId'].rpartition('/')[2]}"}
    file = folder / "pipeline.yaml"
    file.write_text(yaml.safe_dump({"type": "pipeline", "jobs": jobs, "settings": settings}))
    return file


def test_azureml_gets_a_valid_pipeline_and_schedule(tmp_path: Path) -> None:
    python, sent, address = clouds.environment_of("azure"), dict[str, Any](), list[str]()
    files = certificate(tmp_path)
    with clouds.api_server(azure_api(address, sent), files) as url:
        address.append(url)
        variables = {"ARM_CLOUD_METADATA_URL": f"{url}/metadata", "REQUESTS_CA_BUNDLE": str(files[0])}
        variables |= {"IDENTITY_ENDPOINT": f"{url}/token", "IDENTITY_HEADER": "x"}  # those of Azure's App Service
        variables |= {"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential", "AZURE_SUBSCRIPTION_ID": str(UUID(int=0))}
        variables |= {"AZURE_RESOURCE_GROUP": "group", "AZURE_ML_WORKSPACE": "workspace"}
        variables |= {"ARTIFACT_BUCKET": "az://artifacts", "AZURE_STORAGE_CONNECTION_STRING": "AccountName=x"}
        variables["CONTAINER_REGISTRY"] = "accidents.azurecr.io"
        steps = send_training("azure", "accidents.azurecr.io/pipelines:1", tmp_path, **variables)
    by_kind = {path.split("/")[-2]: body["properties"] for path, body in sent.items()}
    assert by_kind["computes"]["properties"]["vmSize"] == "Standard_D4s_v3"
    assert by_kind["computes"]["properties"]["scaleSettings"]["minNodeCount"] == 0
    assert by_kind["schedules"]["trigger"] == {"triggerType": "Cron", "expression": "0 3 * * 1", "timeZone": "UTC"}
    for number, job in enumerate((by_kind["jobs"], by_kind["schedules"]["action"]["jobDefinition"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        clouds.run(VALIDATE_AZURE, str(pipeline_file(job, sent, folder)), folder=tmp_path, python=python)
        components = [sent[node["componentId"]]["properties"]["componentSpec"] for node in job["jobs"].values()]
        assert {one["name"]: sorted(one.get("inputs", {})) for one in components} == {
            name: step["upstream"] for name, step in steps.items()
        }
        assert all(f"--step_name {one['name']} " in one["command"] for one in components)
