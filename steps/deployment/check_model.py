"""A registered version, tried before it is served."""

from dataclasses import asdict
from typing import Annotated, Any

from zenml import step

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.tracking import TrackingSettings
from steps.metadata import log_step_metadata
from tracking.connection import connect
from tracking.registry import Registry
from tracking.smoke_test import run_smoke_test


@step(enable_cache=False)
def check_model(
    name: str, version: str, settings: DeploymentSettings, tracking: TrackingSettings
) -> Annotated[dict[str, Any], "deployment_check"]:
    """Load the version in a process of its own, and ask it for the accidents that were stored with it.

    Args:
        name: registered name.
        version: number of the version.
        settings: how long it may take.
        tracking: where models are registered.

    Raises:
        ModelError: it does not load, answers otherwise than when it was trained, or is too slow.
    """
    with connect(tracking) as connection:
        proof = asdict(run_smoke_test(Registry(connection).version(name, version), settings))
    print(f"{proof['accidents']} stored accidents answered alike, one takes {proof['milliseconds']:.1f} ms")
    log_step_metadata(proof)
    return proof
