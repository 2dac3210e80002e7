"""Trained models as inputs of a pipeline."""

from pathlib import Path
from typing import Any
from uuid import UUID

from zenml import ExternalArtifact
from zenml.client import Client

import materializers.bundle  # noqa: F401  # stores the bundle
from accidents.bundle import Bundle


def model_input(model: str) -> Any:
    """A trained model as input of a step.

    Args:
        model: id of a model artifact, or path of a bundle.

    Raises:
        ModelError: there is no valid bundle at the path.
    """
    try:
        return Client().get_artifact_version(UUID(model))
    except ValueError:
        return ExternalArtifact(value=Bundle.load(Path(model)))
