"""A registered version, served by the model deployer of the stack."""

from dataclasses import asdict
from typing import Annotated, Any

from zenml import step

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.tracking import TrackingSettings
from steps.metadata import log_step_metadata
from tracking.connection import connect
from tracking.deployment import deploy_version
from tracking.registry import Registry


@step(enable_cache=False)
def deploy_model(
    name: str,
    version: str,
    check: dict[str, Any],
    settings: DeploymentSettings,
    tracking: TrackingSettings,
) -> Annotated[dict[str, Any], "deployment"]:
    """Deploy the version and wait until it answers.

    Args:
        name: registered name.
        version: number of the version.
        check: what the check before found; a model that fails it never comes here.
        settings: workers and time.
        tracking: where models are registered.

    Returns:
        `name`, `version`, `running`, `url`, `pid` of the service, and `gap_seconds` without an answer.
    """
    with connect(tracking) as connection:
        deployed = deploy_version(Registry(connection).version(name, version), settings)
    told = asdict(deployed.service) | {"gap_seconds": round(deployed.gap_seconds, 1)}
    log_step_metadata({**told, "pid": str(told["pid"]), "checked_accidents": check["accidents"]})
    return told
