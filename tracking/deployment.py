"""The MLflow model deployer of the active stack: one service a registered model, started, replaced, found, stopped."""

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import requests

from accidents.configuration.deployment import DeploymentSettings
from accidents.errors import ConfigurationError, ModelError
from accidents.inference.json_scoring import NESTED
from tracking.environment import temporary_environment
from tracking.registry import RegisteredVersion

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer
    from zenml.integrations.mlflow.services import MLFlowDeploymentService

PIPELINE_NAME = "deployment"
_PATIENCE = 30  # seconds for one answer
_GLANCE = 0.1  # seconds between two looks at a process
_PRIVATE = 0o700
_ZENML_FILES = ("config.yaml", "credentials.yaml")


@dataclass(frozen=True)
class DeployedService:
    """A deployed model: its name and version, whether it answers, and where."""

    name: str
    version: str
    running: bool
    url: str
    pid: int | None


@dataclass(frozen=True)
class Deployment:
    """A service that answers, and for how many seconds nobody answered while it took the place of another."""

    service: DeployedService
    gap_seconds: float


def active_model_deployer() -> "MLFlowModelDeployer":
    """The model deployer of the active stack.

    Raises:
        ConfigurationError: the stack has none, or one of another kind; says how to come by one.
    """
    from zenml.client import Client

    stack = Client().active_stack
    found = stack.model_deployer
    if found is None or found.flavor != "mlflow":
        has = "has no model deployer" if found is None else f"has a model deployer of the flavor {found.flavor}"
        raise ConfigurationError(
            f"the stack {stack.name} {has}, and models are deployed by one of the flavor mlflow: "
            "python run.py stack register local-mlflow, then add --stack local-mlflow"
        )
    return found


def list_services(name: str | None = None) -> list[DeployedService]:
    """Deployment services, of one registered model or of all, the latest first."""
    return [_told(found) for found in _found(name)]


def deploy_version(version: RegisteredVersion, settings: DeploymentSettings) -> Deployment:
    """Serve a version; a service of another version of the same model makes place for it.

    If the new one does not start, the one before is started again.

    Raises:
        ConfigurationError: the stack has no MLflow model deployer.
        ModelError: the service did not start.
    """
    before = [one for one in list_services(version.name) if one.running]
    started = time.monotonic()
    try:
        service = _started(version.name, version.version, settings)
    except RuntimeError as error:
        for old in before:
            _started(old.name, old.version, settings)
        back = f"; version {before[0].version} answers again" if before else ""
        raise ModelError(f"{version.title} did not start: {error}{back}") from error
    return Deployment(service, time.monotonic() - started if before else 0.0)


def redeploy_if_served(version: RegisteredVersion, settings: DeploymentSettings) -> Deployment | None:
    """Serve a version where another one of its model is served on the active stack; None where none is.

    Raises:
        ModelError: the service did not start.
    """
    try:
        served = [one for one in list_services(version.name) if one.running]
    except ConfigurationError:
        return None
    return deploy_version(version, settings) if served and served[0].version != version.version else None


def stop_services(name: str | None = None) -> list[DeployedService]:
    """Stop and remove services, of one registered model or of all; returns those that there were."""
    found = _found(name)
    for service in found:
        processes = _processes(service.status.pid)
        active_model_deployer().delete_model_server(service.uuid, timeout=_PATIENCE)
        _end(processes)
    return [_told(service) for service in found]


def request_predictions(service: DeployedService, accidents: Sequence[str]) -> list[dict[str, Any]]:
    """Send accidents (JSON texts) to a service and return its answers.

    Raises:
        ModelError: it does not answer, or not as it should.
    """
    try:
        answer = requests.post(
            service.url, json={"dataframe_records": [{NESTED: text} for text in accidents]}, timeout=_PATIENCE
        )
        answer.raise_for_status()
        return list(answer.json()["predictions"])
    except (requests.RequestException, json.JSONDecodeError, KeyError) as error:
        raise ModelError(f"{service.url} does not answer as it should: {error}") from None


def _started(name: str, version: str, settings: DeploymentSettings) -> DeployedService:
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
    with _environment_of_a_service():
        service = active_model_deployer().deploy_model(
            config=config,
            service_type=MLFlowDeploymentService.SERVICE_TYPE,
            continuous_deployment_mode=True,
            timeout=settings.timeout_seconds,
        )
    told = _told(service)
    if not told.running:
        raise RuntimeError(f"no answer within {settings.timeout_seconds} s; see {service.status.log_file}")
    return told


def _environment_of_a_service() -> AbstractContextManager[None]:
    """What a service inherits: the programs of this environment, and a ZenML configuration of its own.

    It is a copy, since a process of ZenML writes the stack that it was started for into its configuration, and the
    stack of this command alone must not become that of the user.
    """
    from zenml.config.global_config import GlobalConfiguration

    own = GlobalConfiguration()
    copy = Path(active_model_deployer().local_path) / "zenml"
    copy.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    for file in _ZENML_FILES:
        if (Path(own.config_directory) / file).is_file():
            shutil.copy(Path(own.config_directory) / file, copy / file)
    changed = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "ZENML_LOCAL_STORES_PATH": own.local_stores_path,
        "ZENML_CONFIG_PATH": str(copy),
    }
    return temporary_environment(changed)


def _processes(pid: int | None) -> list[psutil.Process]:
    """The process of a service and all that it has started; none where it is gone."""
    try:
        process = psutil.Process(pid) if pid else None
        return [process, *process.children(recursive=True)] if process else []
    except psutil.NoSuchProcess:
        return []


def _end(processes: list[psutil.Process]) -> None:
    """Wait until processes that were told to stop have done so, and kill those that have not in time."""
    deadline = time.monotonic() + _PATIENCE
    while (left := [process for process in processes if _alive(process)]) and time.monotonic() < deadline:
        time.sleep(_GLANCE)
    for process in left:
        process.kill()


def _alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked for its result does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _found(name: str | None) -> "list[MLFlowDeploymentService]":
    from zenml.integrations.mlflow.services import MLFlowDeploymentService

    found = active_model_deployer().find_model_server(service_type=MLFlowDeploymentService.SERVICE_TYPE)
    own = [service for service in found if service.config.pipeline_name == PIPELINE_NAME]
    return [service for service in own if name is None or service.config.model_name == name]


def _told(service: "MLFlowDeploymentService") -> DeployedService:
    running = bool(service.is_running)
    return DeployedService(
        name=str(service.config.registry_model_name),
        version=str(service.config.registry_model_version),
        running=running,
        url=str(service.endpoint.prediction_url or ""),
        pid=service.status.pid if running else None,
    )
