"""Deploy a registered version with the model deployer of the stack."""

from dataclasses import asdict
from typing import Annotated, Any

from zenml import step

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.tracking import TrackingSettings
from materializers.json_file import JSON_MATERIALIZER
from steps.metadata import log_step_metadata
from tracking.connection import connect
from tracking.deployment import deploy_version
from tracking.registry import Registry


@step(enable_cache=False, output_materializers={"deployment": JSON_MATERIALIZER})
def deploy_model(
    name: str,
    version: str,
    check: dict[str, Any],
    settings: DeploymentSettings,
    tracking: TrackingSettings,
) -> Annotated[dict[str, Any], "deployment"]:
    """Deploy a version and wait until its service answers.

    Args:
        name: registered name.
        version: number of the version.
        check: result of the smoke test, which the step depends on.
        settings: workers, timeout.
        tracking: where models are registered.

    Returns:
        `name`, `version`, `running`, `url`, `pid` of the service, and `downtime_seconds`.
    """
    with connect(tracking) as connection:
        deployed = deploy_version(Registry(connection).version(name, version), settings)
    service = asdict(deployed.service)
    info = {name: service[name] for name in ("name", "version", "running", "url", "pid")}
    info["downtime_seconds"] = round(deployed.downtime_seconds, 1)
    log_step_metadata({**info, "pid": str(info["pid"]), "checked_accidents": check["accidents"]})
    return info
