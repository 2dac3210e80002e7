"""Smoke test of a registered version before it is served."""

from dataclasses import asdict
from typing import Annotated, Any

from zenml import step

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.tracking import TrackingSettings
from materializers.json_file import JSON_MATERIALIZER
from steps.metadata import log_step_metadata
from tracking.connection import connect
from tracking.registry import Registry
from tracking.smoke_test import run_smoke_test


@step(enable_cache=False, output_materializers={"deployment_check": JSON_MATERIALIZER})
def check_model(
    name: str, version: str, settings: DeploymentSettings, tracking: TrackingSettings
) -> Annotated[dict[str, Any], "deployment_check"]:
    """Load the version in a process of its own, and predict the accidents that are stored with it.

    Args:
        name: registered name.
        version: number of the version.
        settings: timeout, and the longest time of a prediction.
        tracking: where models are registered.

    Raises:
        ModelError: the model does not load, predicts other probabilities than after its training, or is too slow.
    """
    with connect(tracking) as connection:
        result = asdict(run_smoke_test(Registry(connection).version(name, version), settings))
    print(f"{result['accidents']} stored predictions reproduced, one takes {result['milliseconds']:.1f} ms")
    log_step_metadata(result)
    return result
