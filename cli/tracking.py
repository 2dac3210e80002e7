"""Which MLflow records a command, told before it begins, and what was recorded, told at the end."""

import sys
from collections.abc import Mapping
from typing import Any

from accidents.configuration.tracking import TrackingSettings
from accidents.models import display_name
from cli.timing import phase


def tracking_store(settings: TrackingSettings) -> str | None:
    """Say which MLflow is used, make sure that it answers, and return its identity; None where nothing is recorded.

    Raises:
        ConfigurationError: environment and stack name different servers.
        TrackingError: it does not answer, and going on without it is not allowed.
    """
    if not settings.mlflow.enabled:
        print("tracking off (mlflow.enabled)", flush=True)
        return None
    from tracking.connection import connect, current_target
    from tracking.errors import TrackingError

    to = current_target(settings)
    print(f"tracking {to}", flush=True)
    try:
        with phase("MLflow"), connect(settings, to) as connection:
            return connection.identity
    except TrackingError as error:
        if not settings.allow_untracked:
            raise
        print(f"not tracked: {error.summary}", file=sys.stderr, flush=True)
        return None


def print_registered(registered: Mapping[str, Mapping[str, Any]]) -> None:
    """One line: the versions that the models of a training became."""
    versions = [f"{display_name(kind)} {found['version']}" for kind, found in registered.items() if found["version"]]
    if versions:
        print(f"versions  {', '.join(versions)} (python run.py registry list-versions)")
