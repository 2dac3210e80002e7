"""Deployment of registered versions with the MLflow model deployer of the active stack: one service a model."""

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil
import requests

from accidents.configuration.deployment import DeploymentSettings
from accidents.errors import ConfigurationError, ModelError
from accidents.inference.json_scoring import NESTED_COLUMN
from tracking.environment import temporary_environment
from tracking.registry import RegisteredVersion, download_files

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer
    from zenml.integrations.mlflow.services import MLFlowDeploymentService

PIPELINE_NAME = "deployment"
_TIMEOUT_SECONDS = 30
_POLL_SECONDS = 0.1
_PRIVATE_FOLDER_MODE = 0o700
_ZENML_FILES = ("config.yaml", "credentials.yaml")


@dataclass(frozen=True)
class DeployedService:
    """A service of the model deployer: model name and version, state, prediction URL and process id."""

    name: str
    version: str
    running: bool
    url: str
    pid: int | None


@dataclass(frozen=True)
class Deployment:
    """A started service, and the seconds without a service while it replaced another one."""

    service: DeployedService
    downtime_seconds: float


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


def list_services(name: str | None = None) -> list[DeployedService]:
    """Services of one registered model, or of all."""
    return [_service_info(service) for service in _find_services(name)]


def deploy_version(version: RegisteredVersion, settings: DeploymentSettings) -> Deployment:
    """Start a service of a version, in place of the service of another version of the same model.

    If the new service does not start, the previous one is started again.

    Raises:
        ConfigurationError: the stack has no MLflow model deployer.
        RegistryError: files of the version were changed since the registration.
        ModelError: the service did not start.
    """
    with TemporaryDirectory() as folder:
        download_files(version, Path(folder))  # the service runs code of these files
    previous = [one for one in list_services(version.name) if one.running]
    started = time.monotonic()
    try:
        service = _start_service(version.name, version.version, settings)
    except RuntimeError as error:
        for old in previous:
            _start_service(old.name, old.version, settings)
        back = f"; version {previous[0].version} answers again" if previous else ""
        raise ModelError(f"{version.title} did not start: {error}{back}") from error
    return Deployment(service, time.monotonic() - started if previous else 0.0)


def redeploy_if_served(version: RegisteredVersion, settings: DeploymentSettings) -> Deployment | None:
    """Deploy a version if a service of another version of the model runs on the active stack; else return None.

    Raises:
        ModelError: the service did not start.
    """
    try:
        running = [one for one in list_services(version.name) if one.running]
    except ConfigurationError:
        return None
    return deploy_version(version, settings) if running and running[0].version != version.version else None


def stop_services(name: str | None = None) -> list[DeployedService]:
    """Stop and delete services of one registered model, or of all; returns them."""
    services = _find_services(name)
    for service in services:
        processes = _processes(service.status.pid)
        active_model_deployer().delete_model_server(service.uuid, timeout=_TIMEOUT_SECONDS)
        _wait_or_kill(processes)
    return [_service_info(service) for service in services]


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


def _start_service(name: str, version: str, settings: DeploymentSettings) -> DeployedService:
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
    )
    stop_services(name)
    with _service_environment():
        service = active_model_deployer().deploy_model(
            config=config,
            service_type=MLFlowDeploymentService.SERVICE_TYPE,
            continuous_deployment_mode=True,
            timeout=settings.timeout_seconds,
        )
    info = _service_info(service)
    if not info.running:
        raise RuntimeError(f"no answer within {settings.timeout_seconds} s; see {service.status.log_file}")
    return info


def _service_environment() -> AbstractContextManager[None]:
    """Environment of a service: the PATH of this virtual environment, and a copy of the ZenML configuration.

    A ZenML process writes its active stack into its configuration; with a copy, the active stack of the user stays.
    """
    from zenml.config.global_config import GlobalConfiguration

    configuration = GlobalConfiguration()
    copy = Path(active_model_deployer().local_path) / "zenml"
    copy.mkdir(mode=_PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    for file in _ZENML_FILES:
        if (Path(configuration.config_directory) / file).is_file():
            shutil.copy(Path(configuration.config_directory) / file, copy / file)
    values = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "ZENML_LOCAL_STORES_PATH": configuration.local_stores_path,
        "ZENML_CONFIG_PATH": str(copy),
    }
    return temporary_environment(values)


def _processes(pid: int | None) -> list[psutil.Process]:
    """The process of a service and its child processes; empty if it has ended."""
    try:
        process = psutil.Process(pid) if pid else None
        return [process, *process.children(recursive=True)] if process else []
    except psutil.NoSuchProcess:
        return []


def _wait_or_kill(processes: list[psutil.Process]) -> None:
    """Wait for terminated processes to end, and kill those still running after the timeout."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while (running := [process for process in processes if _is_running(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    for process in running:
        process.kill()


def _is_running(process: psutil.Process) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _find_services(name: str | None) -> "list[MLFlowDeploymentService]":
    from zenml.integrations.mlflow.services import MLFlowDeploymentService

    services = active_model_deployer().find_model_server(service_type=MLFlowDeploymentService.SERVICE_TYPE)
    own = [service for service in services if service.config.pipeline_name == PIPELINE_NAME]
    return [service for service in own if name is None or service.config.model_name == name]


def _service_info(service: "MLFlowDeploymentService") -> DeployedService:
    running = bool(service.is_running)
    return DeployedService(
        name=str(service.config.registry_model_name),
        version=str(service.config.registry_model_version),
        running=running,
        url=str(service.endpoint.prediction_url or ""),
        pid=service.status.pid if running else None,
    )
