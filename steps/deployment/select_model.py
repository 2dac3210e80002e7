"""Record the registered version to deploy."""

from typing import Annotated

from zenml import step

from accidents.configuration.tracking import TrackingSettings
from steps.metadata import log_step_metadata
from tracking.connection import connect
from tracking.registry import Registry


@step(enable_cache=False)
def select_model(
    name: str, version: str, tracking: TrackingSettings
) -> tuple[Annotated[str, "model_name"], Annotated[str, "model_version"]]:
    """Look the version up and record it with its stage.

    Args:
        name: registered name.
        version: number of the version.
        tracking: where models are registered.

    Raises:
        RegistryError: there is no such version any more.
    """
    with connect(tracking) as connection:
        selected = Registry(connection).version(name, version)
    print(f"{selected.title}, {selected.stage}")
    log_step_metadata({"model": selected.name, "version": selected.version, "stage": selected.stage})
    return selected.name, selected.version
