"""Which MLflow server records a training, printed before it begins, and the registered versions, printed at its end."""

from collections.abc import Mapping
from typing import Any

from accidents.configuration.tracking import TrackingSettings
from accidents.models import display_name
from cli.timing import phase


def check_tracking_server(settings: TrackingSettings) -> str | None:
    """Print the MLflow server or database in use and connect to it once.

    Returns:
        Its identity, which the training pipeline takes as `store`; None where the training is not tracked.

    Raises:
        ConfigurationError: environment and stack name different servers.
        TrackingError: it does not answer, and `--allow-untracked` was not given.
    """
    if not settings.mlflow.enabled:
        print("tracking off (mlflow.enabled)", flush=True)
        return None
    from tracking.connection import current_target, store_identity

    target = current_target(settings)
    print(f"tracking {target}", flush=True)
    with phase("MLflow"):
        return store_identity(settings, target)


def print_registered_versions(registered: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the registered versions of the models of a training in one line."""
    versions = [
        f"{display_name(model_type)} {model['version']}" for model_type, model in registered.items() if model["version"]
    ]
    if versions:
        print(f"versions  {', '.join(versions)} (python run.py registry list-versions)")
