"""Select the registered version to deploy."""

from typing import Annotated

from zenml import step

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.tracking import TrackingSettings
from steps.metadata import log_step_metadata
from tracking.connection import connect
from tracking.registry import Registry


@step(enable_cache=False)
def select_model(
    name: str | None, version: str | None, settings: DeploymentSettings, tracking: TrackingSettings
) -> tuple[Annotated[str, "model_name"], Annotated[str, "model_version"]]:
    """Select the named version, or the holder of the stage to deploy.

    Args:
        name: registered name; by default the model with the best F1 among the holders of the stage.
        version: version number; by default the holder of the stage.
        settings: the stage to deploy.
        tracking: where models are registered.
    """
    with connect(tracking) as connection:
        registry = Registry(connection)
        if name is None:
            chosen = registry.best(stage=settings.stage)
        elif version is None:
            chosen = registry.in_stage(name, settings.stage)
        else:
            chosen = registry.version(name, version)
    print(f"{chosen.title}, {chosen.stage}")
    log_step_metadata({"model": chosen.name, "version": chosen.version, "stage": chosen.stage})
    return chosen.name, chosen.version
