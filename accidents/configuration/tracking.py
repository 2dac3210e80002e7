"""Configuration of tracking: MLflow server, experiment, what is logged, pruning of versions."""

from pathlib import Path

from pydantic import Field

from accidents.configuration.project_path import ProjectPath
from accidents.settings import Settings


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
    model_registry: bool = True
    """Register every stored model as a new version."""


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
