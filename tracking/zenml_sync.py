"""ZenML's Model control plane, kept in step with the MLflow registry: a model a name, a version a version.

Version 3 is called `v3` there, since ZenML keeps names that are numbers for its own counting.
The MLflow registry says what is true. Where the two differ, `checking` finds it and mends this side.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from zenml.models import ModelVersionResponse

STAGES = {"None": "none", "Staging": "staging", "Production": "production", "Archived": "archived"}
"""Stages of ZenML by those of the registry."""

MODEL_URI = "mlflow_model"
"""Metadata of a version: where MLflow keeps its model."""


class Known(NamedTuple):
    """A version as ZenML knows it: a stage of the registry, and where MLflow keeps its model."""

    stage: str
    uri: str


def add_version(
    name: str, version: str, uri: str, figures: Mapping[str, float] | None = None, tags: Mapping[str, str] | None = None
) -> None:
    """Make sure that ZenML knows a version.

    Args:
        name: the registered model.
        version: its number in the MLflow registry.
        uri: `models:/m-…`, by which a version is known again; one of another store under the same number is replaced.
        figures: metrics, for the record.
        tags: facts about the training, for the record.
    """
    from zenml.client import Client
    from zenml.enums import MetadataResourceTypes
    from zenml.models import RunMetadataResource

    client = Client()
    _model(name)
    known = next((found for found in _listed(name) if found.name == _named(version)), None)
    if known is not None and known.run_metadata.get(MODEL_URI) == uri:
        return
    if known is not None:
        client.delete_model_version(known.id)
    made = client.create_model_version(
        name, _named(version), description=f"{name} {version}, registered in MLflow as {uri}"
    )
    told: dict[str, str | float] = {MODEL_URI: uri, **(figures or {}), **(tags or {})}
    client.create_run_metadata(
        metadata={key: value for key, value in told.items() if value != ""},
        resources=[RunMetadataResource(id=made.id, type=MetadataResourceTypes.MODEL_VERSION)],
    )


def set_stage(name: str, version: str, stage: str) -> None:
    """Give a version its stage; a version that held it before is archived by ZenML."""
    from zenml.client import Client

    Client().update_model_version(name, versions(name)[version], stage=STAGES[stage], force=True)


def versions(name: str) -> dict[str, UUID]:
    """Ids of the versions that ZenML knows, by their number."""
    return {_number(found.name): found.id for found in _listed(name)}


def known(name: str) -> dict[str, Known]:
    """What ZenML knows, by version."""
    own = {theirs: ours for ours, theirs in STAGES.items()}
    return {
        _number(found.name): Known(own.get(str(found.stage or "none"), "None"), str(found.run_metadata.get(MODEL_URI)))
        for found in _listed(name)
    }


def delete_version(name: str, version: str) -> None:
    """Forget a version, if it is known."""
    from zenml.client import Client

    found = versions(name).get(version)
    if found:
        Client().delete_model_version(found)


def delete_model(name: str) -> None:
    """Forget a model with all its versions, if it is known."""
    from zenml.client import Client

    if Client().list_models(name=name).items:
        Client().delete_model(name)


def _named(version: str) -> str:
    return f"v{version}"


def _number(name: str) -> str:
    return name.removeprefix("v")


def _model(name: str) -> None:
    from zenml.client import Client
    from zenml.exceptions import EntityExistsError

    client = Client()
    if not client.list_models(name=name).items:
        try:
            client.create_model(name, description="The versions of this model in the MLflow registry.")
        except EntityExistsError:
            return


def _listed(name: str) -> "list[ModelVersionResponse]":
    from zenml.client import Client

    client = Client()
    if not client.list_models(name=name).items:
        return []
    return client.list_model_versions(model=name, size=10_000, hydrate=True).items
