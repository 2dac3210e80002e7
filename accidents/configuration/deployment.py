"""Configuration of the deployment pipeline: stage of the model, latency limit, timeout."""

from pydantic import Field

from accidents.configuration.stages import EXCLUSIVE_STAGE_PATTERN, PRODUCTION
from accidents.settings import Settings


class DeploymentSettings(Settings):
    """How a registered model is checked and served by the model deployer of the stack."""

    stage: str = Field(PRODUCTION, pattern=EXCLUSIVE_STAGE_PATTERN)
    """Stage of the model that is served."""
    workers: int = Field(1, ge=1, le=64)
    """Processes that answer requests."""
    timeout_seconds: int = Field(120, ge=10)
    """Time for a service to start and answer."""
    slowest_milliseconds: float = Field(100, gt=0)
    """A model that takes longer for one accident, at the median, is not served."""
