"""Deployed services of this machine: their records in ZenML, their folders and their processes, brought together."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import requests

from accidents.errors import ConfigurationError
from tracking import zenml_sync
from tracking.service_processes import ServiceMarker, find_processes

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer
    from zenml.integrations.mlflow.services import MLFlowDeploymentService
    from zenml.models import ServiceResponse

PIPELINE_NAME = "deployment"
HOST = "127.0.0.1"
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class DeployedService:
    """A service: model name and version, whether it answers, prediction URL, process id and, in ZenML, id and folder.

    `pid` is None where no process of it runs, and `record` where ZenML does not know it.
    """

    name: str
    version: str
    running: bool
    url: str
    pid: int | None
    port: int
    folder: str
    record: UUID | None


def active_model_deployer() -> "MLFlowModelDeployer":
    """The model deployer of the active stack.

    Raises:
        ConfigurationError: the stack has no MLflow model deployer; names the commands that add one.
    """
    from zenml.client import Client

    stack = Client().active_stack
    deployer = stack.model_deployer
    if deployer is None or deployer.flavor != "mlflow":
        has = "has no model deployer" if deployer is None else f"has a model deployer of the flavor {deployer.flavor}"
        raise ConfigurationError(
            f"the stack {stack.name} {has}, and models are deployed by one of the flavor mlflow: "
            "python run.py stack register local-mlflow, then add --stack local-mlflow"
        )
    return deployer


def deployer_folder() -> Path:
    """The folder of the model deployer, which is on this machine.

    Raises:
        ConfigurationError: the stack has no MLflow model deployer.
    """
    return Path(active_model_deployer().local_path)


def list_services(name: str | None = None) -> list[DeployedService]:
    """Services of one registered model, or of all: those with a record in ZenML, and those that run without one."""
    processes = find_processes(deployer_folder())
    recorded = {_runtime_path(record): record for record in _records()}
    pids = {marker.folder: found[0].pid for marker, found in processes.items()}
    services = [
        _service(_marker(record), pids.get(folder), record.id)
        for folder, record in recorded.items()
        if record.config.get("pipeline_name") == PIPELINE_NAME
    ]
    services += [_service(one, pids[one.folder], None) for one in processes if one.folder not in recorded]
    return [one for one in services if name is None or one.name == name]


def create_record(service: "MLFlowDeploymentService") -> UUID:
    """Create the record of a service that has not started yet; without its class ZenML would delete it again.

    The record belongs to the version of the ZenML model that the service serves.
    """
    from zenml.client import Client
    from zenml.models import ServiceRequest

    client = Client()
    response = client.zen_store.create_service(
        ServiceRequest(
            project=client.active_project.id,
            name=service.config.service_name,
            service_type=service.SERVICE_TYPE,
            service_source=service.model_dump()["type"],
            admin_state=service.admin_state,
            config=service.config.model_dump(),
            status=service.status.model_dump(),
            endpoint=service.endpoint.model_dump(),
            prediction_url=service.endpoint.prediction_url,
            model_version_id=zenml_sync.version_id(
                service.config.registry_model_name, service.config.registry_model_version
            ),
        )
    )
    return response.id


def delete_unknown_folders() -> None:
    """Delete folders of services, such as killed commands leave, that neither a record nor a process names."""
    parent, records = deployer_folder(), _records()
    known = {_runtime_path(record) for record in records} | {str(parent / str(record.id)) for record in records}
    known |= {marker.folder for marker in find_processes(parent)}
    for folder in parent.iterdir():
        if str(folder) not in known and _is_uuid(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _records() -> "list[ServiceResponse]":
    """ZenML's records of all services of MLflow model deployers."""
    from zenml.client import Client
    from zenml.integrations.mlflow.services import MLFlowDeploymentService

    kind = MLFlowDeploymentService.SERVICE_TYPE
    return list(Client().list_services(type=kind.type, flavor=kind.flavor, size=1000, hydrate=True).items)


def _runtime_path(record: "ServiceResponse") -> str:
    return str((record.status or {}).get("runtime_path") or deployer_folder() / str(record.id))


def _marker(record: "ServiceResponse") -> ServiceMarker:
    config, endpoint = record.config, record.endpoint or {}
    return ServiceMarker(
        _runtime_path(record),
        str(config.get("registry_model_name")),
        str(config.get("registry_model_version")),
        int(endpoint.get("status", {}).get("port") or 0),
    )


def _service(marker: ServiceMarker, pid: int | None, record: UUID | None) -> DeployedService:
    url = f"http://{HOST}:{marker.port}/invocations" if marker.port else ""
    running = pid is not None and bool(marker.port) and _answers(marker.port)
    return DeployedService(marker.name, marker.version, running, url, pid, marker.port, marker.folder, record)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://{HOST}:{port}/ping", timeout=_TIMEOUT_SECONDS).ok
    except requests.RequestException:
        return False
