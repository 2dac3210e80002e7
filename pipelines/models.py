"""How a pipeline takes up a model that was trained before."""

from pathlib import Path
from typing import Any
from uuid import UUID

from zenml import ExternalArtifact
from zenml.client import Client

import materializers.bundle  # noqa: F401  # stores the bundle
from accidents.bundle import Bundle


def model_input(model: str) -> Any:
    """The input of a step for `model`: the id of a model artifact, or the path of a bundle.

    Raises:
        ModelError: there is no bundle at that path, or it is damaged or of another version.
    """
    try:
        return Client().get_artifact_version(UUID(model))
    except ValueError:
        return ExternalArtifact(value=Bundle.load(Path(model)))
