"""Configuration of tracking: MLflow server, experiment, what is logged, pruning of versions."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from accidents.configuration.project_path import ProjectPath
from accidents.configuration.stages import EXCLUSIVE_STAGE_PATTERN, PRODUCTION
from accidents.settings import Settings

MODEL_NAME_PREFIX = "Accident_Prediction"


class ModelRegistrySettings(Settings):
    """Names and stages of registered models."""

    enabled: bool = True
    """Register every stored model as a new version."""
    registered_model_name: str = Field(MODEL_NAME_PREFIX, pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,99}$")
    """Beginning of the registered names, before the model type: Accident_Prediction_Lightgbm."""
    default_stage: Literal["None", "Staging"] = "None"
    """Stage of a new version; Staging: without the promotion rule."""
    production_stage: str = Field(PRODUCTION, pattern=EXCLUSIVE_STAGE_PATTERN)
    """Stage of the version that a command uses where it names no stage."""
    publish_to: str | None = Field(None, min_length=1)
    """Folder or URL to which changes of Production publish the best model; PUBLISHED_MODELS goes before it."""


def _as_section(value: Any) -> Any:
    """Accept true and false for `enabled` alone."""
    return {"enabled": value} if isinstance(value, bool) else value


class MlflowSettings(Settings):
    """What is logged to MLflow."""

    enabled: bool = True
    """Record trainings at all."""
    tracking_uri: str | None = None
    """Server or database; the environment and the active stack go before it; null: embedded."""
    experiment_name: str = Field("french-road-accidents", min_length=1)
    """Experiment that runs belong to."""
    log_model: bool = True
    """Store the models with their runs."""
    log_artifacts: bool = True
    """Store pictures, reports and tables with their runs."""
    model_registry: Annotated[ModelRegistrySettings, BeforeValidator(_as_section)] = ModelRegistrySettings()
    """Registration of stored models; true or false stands for `enabled` alone."""


class PruningSettings(Settings):
    """Which registered versions are deleted; versions with a stage are kept."""

    keep_latest: int = Field(10, ge=1)
    """Latest versions of each model that stay, whatever their age."""
    older_than_days: float = Field(30, ge=0)
    """Of the others, those of this age or more go."""


class TrackingSettings(Settings):
    """Settings of tracking."""

    mlflow: MlflowSettings = MlflowSettings()
    folder: ProjectPath = Field(Path("mlruns"), validate_default=True)
    """Embedded store; a relative path is one inside the project."""
    allow_untracked: bool = False
    """Train on without a record where the server does not answer."""
    timeout_seconds: float = Field(10, gt=0)
    """Patience with a server that does not answer."""
    stored_accidents: int = Field(50, ge=2)
    """Accidents that are stored with a model, with the probabilities it must give again."""
    pruning: PruningSettings = PruningSettings()
