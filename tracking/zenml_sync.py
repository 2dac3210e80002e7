"""ZenML's Model control plane, kept in sync with the MLflow model registry.

One ZenML model per registered model and one version per registered version. Version 3 is named `v3` in ZenML, which
reserves plain numbers for its own counter. MLflow is the source of truth: `reconcile` repairs ZenML where they differ.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from zenml.client import Client
from zenml.enums import MetadataResourceTypes
from zenml.exceptions import EntityExistsError
from zenml.models import ModelVersionResponse, RunMetadataResource

from accidents.configuration.stages import NONE, STAGES

URI_METADATA = "mlflow_model"
"""Metadata key of a ZenML model version: its model URI in MLflow."""

_STAGES_BY_ZENML_NAME = {stage.lower(): stage for stage in STAGES}


class ZenmlVersion(NamedTuple):
    """A model version in ZenML: its stage, under the name used in the registry, and its model URI in MLflow."""

    stage: str
    uri: str


def add_version(
    name: str, version: str, uri: str, metrics: Mapping[str, float] | None = None, tags: Mapping[str, str] | None = None
) -> None:
    """Create a model version in ZenML if it does not exist.

    Args:
        name: registered model name.
        version: version number in the MLflow registry.
        uri: model URI `models:/m-…`; a ZenML version of the same number with another URI is replaced.
        metrics: metrics, stored as metadata.
        tags: facts about the training, stored as metadata.
    """
    client = Client()
    if not client.list_models(name=name).items:
        with suppress(EntityExistsError):  # created by another process in the meantime
            client.create_model(name, description="The versions of this model in the MLflow registry.")
    existing = _model_versions(name).get(version)
    if existing is not None:
        if existing.run_metadata.get(URI_METADATA) == uri:
            return
        client.delete_model_version(existing.id)
    description = f"{name} {version}, registered in MLflow as {uri}"
    created = client.create_model_version(name, f"v{version}", description=description)
    metadata: dict[str, str | float] = {URI_METADATA: uri, **(metrics or {}), **(tags or {})}
    client.create_run_metadata(
        metadata={key: value for key, value in metadata.items() if value != ""},
        resources=[RunMetadataResource(id=created.id, type=MetadataResourceTypes.MODEL_VERSION)],
    )


def set_stage(name: str, version: str, stage: str) -> None:
    """Set the stage of a version; ZenML archives the version that held it before."""
    Client().update_model_version(name, _model_versions(name)[version].id, stage=stage.lower(), force=True)


def list_versions(name: str) -> dict[str, ZenmlVersion]:
    """The versions of a model in ZenML by version number; empty if ZenML has no such model."""
    return {
        number: ZenmlVersion(
            _STAGES_BY_ZENML_NAME.get(str(version.stage or "none"), NONE), str(version.run_metadata.get(URI_METADATA))
        )
        for number, version in _model_versions(name).items()
    }


def delete_version(name: str, version: str) -> None:
    """Delete a version if it exists."""
    if existing := _model_versions(name).get(version):
        Client().delete_model_version(existing.id)


def delete_model(name: str) -> None:
    """Delete a model with all its versions if it exists."""
    if Client().list_models(name=name).items:
        Client().delete_model(name)


def _model_versions(name: str) -> dict[str, ModelVersionResponse]:
    """ZenML's model versions by version number."""
    client = Client()
    if not client.list_models(name=name).items:
        return {}
    versions = client.list_model_versions(model=name, size=10_000, hydrate=True).items
    return {version.name.removeprefix("v"): version for version in versions}
