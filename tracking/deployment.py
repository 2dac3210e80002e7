"""Deployment of registered versions on the MLflow model deployer of the active stack: one service a model.

A service has a record in ZenML, a folder below that of the model deployer, and processes. The record is complete before
the first process starts, and every process says which service it belongs to (`service_processes`). So a command that is
killed at any moment leaves nothing that the next one does not find (`deployed_services`).
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.stages import PRODUCTION
from accidents.errors import ConfigurationError, ModelError
from accidents.file_lock import file_lock
from accidents.inference.json_scoring import NESTED_COLUMN
from accidents.temporary_files import temporary_folder
from tracking.deployed_services import (
    HOST,
    PIPELINE_NAME,
    DeployedService,
    create_record,
    delete_unknown_folders,
    deployer_folder,
    list_services,
)
from tracking.environment import temporary_environment
from tracking.registry import RegisteredVersion, Registry, download_files
from tracking.service_processes import ServiceMarker, end_processes

if TYPE_CHECKING:
    from zenml.integrations.mlflow.services import MLFlowDeploymentService

_TIMEOUT_SECONDS = 30
_LOCK_SECONDS = 300
"""Time to wait for another deployment on this machine."""
_POLL_SECONDS = 0.1
_PRIVATE_FOLDER_MODE = 0o700
_ZENML_FILES = ("config.yaml", "credentials.yaml")


@dataclass(frozen=True)
class Deployment:
    """A started service, and the seconds without a service while it replaced another one."""

    service: DeployedService
    downtime_seconds: float


def deploy_version(version: RegisteredVersion, settings: DeploymentSettings) -> Deployment:
    """Start a service of a version, in place of the services of the same model, on the same port.

    If the new service does not start, the previous one is started again.

    Raises:
        ConfigurationError: the stack has no MLflow model deployer.
        LockedError: another process is deploying.
        RegistryError: files of the version were changed since the registration.
        ModelError: the service did not start.
    """
    with temporary_folder() as folder:
        download_files(version, folder)  # the service runs code of these files
    with _deployment_lock():
        delete_unknown_folders()
        previous = list_services(version.name)
        running = next((one for one in previous if one.running), None)
        started = time.monotonic()
        try:
            service = _replace(previous, version.name, version.version, settings)
        except RuntimeError as error:
            back = ""
            if running:
                _replace(list_services(version.name), running.name, running.version, settings)
                back = f"; version {running.version} answers again"
            raise ModelError(f"{version.title} did not start: {error}{back}") from error
        return Deployment(service, time.monotonic() - started if running else 0.0)


def redeploy_if_served(version: RegisteredVersion, settings: DeploymentSettings) -> Deployment | None:
    """Deploy a version if a service of another version of the model runs on the active stack; else return None.

    Raises:
        LockedError: another process is deploying.
        ModelError: the service did not start.
    """
    try:
        running = [one for one in list_services(version.name) if one.pid]
    except ConfigurationError:
        return None
    others = [one for one in running if one.version != version.version]
    return deploy_version(version, settings) if others else None


def services_besides_production(registry: Registry) -> list[tuple[DeployedService, RegisteredVersion]]:
    """Running services of another version than the one in Production, each with the version that is."""
    try:
        running = [one for one in list_services() if one.pid]
    except ConfigurationError:
        return []
    in_production = {one.name: registry.holder(one.name, PRODUCTION) for one in running}
    return [
        (service, version)
        for service in running
        if (version := in_production[service.name]) and version.version != service.version
    ]


def stop_services(name: str | None = None) -> list[DeployedService]:
    """Stop and delete services of one registered model, or of all; returns them.

    Raises:
        LockedError: another process is deploying.
    """
    with _deployment_lock():
        services = list_services(name)
        for service in services:
            _end(service)
        delete_unknown_folders()
        return services


def request_predictions(service: DeployedService, accidents: Sequence[str]) -> list[dict[str, Any]]:
    """Request predictions of accidents from a service.

    Args:
        service: the service.
        accidents: JSON texts in the nested form.

    Returns:
        For each accident `probability`, `prediction` and `interpretation`.

    Raises:
        ModelError: the service does not answer, or the response is invalid.
    """
    try:
        response = requests.post(
            service.url,
            json={"dataframe_records": [{NESTED_COLUMN: text} for text in accidents]},
            timeout=_TIMEOUT_SECONDS,
        )
        response.raise_for_status()
        return list(response.json()["predictions"])
    except (requests.RequestException, json.JSONDecodeError, KeyError) as error:
        raise ModelError(f"{service.url} does not answer as it should: {error}") from None


def _deployment_lock() -> AbstractContextManager[None]:
    return file_lock(deployer_folder() / "deployment.lock", "deploying or stopping models", _LOCK_SECONDS)


def _replace(
    previous: Sequence[DeployedService], name: str, version: str, settings: DeploymentSettings
) -> DeployedService:
    """Record a new service, end the previous ones, and start it on their port.

    Raises:
        RuntimeError: it does not start.
    """
    from zenml.client import Client

    folder = deployer_folder() / str(uuid4())
    folder.mkdir(mode=_PRIVATE_FOLDER_MODE)
    ports = [one.port for one in sorted(previous, key=lambda one: not one.running) if one.port]
    service = _new_service(folder, name, version, settings, _choose_port(ports[0] if ports else None, wait=False))
    record = create_record(service)
    for one in previous:
        _end(one)
    port = _choose_port(ports[0] if ports else None, wait=True)
    _set_port(service, port)
    Client().update_service(record, endpoint=service.endpoint.model_dump())
    marker = ServiceMarker(str(folder), name, version, port)
    try:
        with _service_environment(marker):
            service.start(timeout=settings.timeout_seconds)
    except Exception as error:  # ZenML raises whatever its daemon, its database and its health check do
        end_processes(str(folder), _TIMEOUT_SECONDS)
        raise RuntimeError(str(error)) from error
    info = next(one for one in list_services(name) if one.folder == str(folder))
    if not info.running:
        end_processes(str(folder), _TIMEOUT_SECONDS)
        raise RuntimeError(f"no answer within {settings.timeout_seconds} s; see {service.status.log_file}")
    Client().update_service(record, admin_state=service.admin_state, status=service.status.model_dump())
    return info


def _new_service(
    folder: Path, name: str, version: str, settings: DeploymentSettings, port: int
) -> "MLFlowDeploymentService":
    from zenml.integrations.mlflow.services import MLFlowDeploymentConfig, MLFlowDeploymentService

    config = MLFlowDeploymentConfig(
        name=name,
        description=f"{name} {version}",
        pipeline_name=PIPELINE_NAME,
        model_name=name,
        model_uri=f"models:/{name}/{version}",
        registry_model_name=name,
        registry_model_version=version,
        workers=settings.workers,
        timeout=settings.timeout_seconds,
        root_runtime_path=str(folder),
        singleton=True,  # the folder is of this service alone
    )
    service = MLFlowDeploymentService(uuid=uuid4(), config=config)
    service.status.runtime_path = str(folder)
    # Without another port: the daemon would take one that its record does not name.
    service.endpoint.config.allocate_port = False
    _set_port(service, port)
    return service


def _set_port(service: "MLFlowDeploymentService", port: int) -> None:
    endpoint = service.endpoint
    endpoint.config.port = endpoint.status.port = port
    endpoint.status.protocol, endpoint.status.hostname = endpoint.config.protocol, endpoint.config.ip_address


def _choose_port(preferred: int | None, *, wait: bool) -> int:
    """The preferred port if it becomes free in time, or another one."""
    from zenml.utils.networking_utils import lookup_preferred_or_free_port, port_available

    deadline = time.monotonic() + (_TIMEOUT_SECONDS if wait else 0)
    while preferred and not port_available(preferred, HOST) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    if preferred and not wait:
        return preferred
    return lookup_preferred_or_free_port([preferred] if preferred else [], address=HOST)


def _end(service: DeployedService) -> None:
    """End the processes of a service, then delete its record, then its folder."""
    from zenml.client import Client

    end_processes(service.folder, _TIMEOUT_SECONDS)
    if service.record:
        with suppress(KeyError):  # deleted in the meantime
            Client().delete_service(service.record)
    if Path(service.folder).parent == deployer_folder():
        shutil.rmtree(service.folder, ignore_errors=True)


def _service_environment(marker: ServiceMarker) -> AbstractContextManager[None]:
    """Environment of a service: its marker, the PATH of this virtual environment, a copy of the ZenML configuration.

    A ZenML process writes its active stack into its configuration; with a copy, the active stack of the user stays.
    """
    from zenml.config.global_config import GlobalConfiguration

    configuration = GlobalConfiguration()
    copy = deployer_folder() / "zenml"
    copy.mkdir(mode=_PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    for file in _ZENML_FILES:
        if (Path(configuration.config_directory) / file).is_file():
            shutil.copy(Path(configuration.config_directory) / file, copy / file)
    values = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "ZENML_LOCAL_STORES_PATH": configuration.local_stores_path,
        "ZENML_CONFIG_PATH": str(copy),
        **marker.environment(),
    }
    return temporary_environment(values)
