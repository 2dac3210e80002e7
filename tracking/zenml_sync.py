"""ZenML's Model control plane, kept in sync with the MLflow model registry.

One ZenML model per registered model, and one version of the same number per registered version, with stage, metrics
and the artifacts and run of its training. MLflow is the source of truth: `reconcile` repairs ZenML where they differ.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from zenml.client import Client
from zenml.enums import MetadataResourceTypes
from zenml.exceptions import EntityExistsError
from zenml.model.utils import link_artifact_version_to_model_version
from zenml.models import (
    ArtifactVersionResponse,
    ModelVersionPipelineRunRequest,
    ModelVersionResponse,
    PipelineRunResponse,
    RunMetadataResource,
)

from accidents.configuration.stages import NONE, STAGES
from accidents.report.report_files import CARD_ARTIFACT

URI_METADATA = "mlflow_model"
"""Metadata key of a ZenML model version: its model URI in MLflow."""

VERSION_METADATA = "mlflow_version"
RUN_METADATA = "zenml_run_id"
"""Metadata key of a model version, and tag in MLflow: the run of its training."""

_TRAINING_STEPS = ("ingest", "build_features", "compare_models")
_OF_BEST_MODEL = {"evaluation_report", "model_card", "model_card_text"}
_STAGES_BY_ZENML_NAME = {stage.lower(): stage for stage in STAGES}
_MODEL = {
    "description": "The versions of this model in the MLflow registry, of the same numbers.",
    "license": "MIT",
    "audience": "Dispatchers and analysts of road safety.",
    "use_cases": "Order reported accidents by the probability that somebody was killed or hospitalised.",
    "limitations": "Trained on accidents that the police recorded; the label depends on who fills in the form.",
    "ethics": "An order of work, never a reason not to send help.",
}


class ZenmlVersion(NamedTuple):
    """A model version in ZenML: its stage, under the name used in the registry, its name, and its model URI in MLflow.

    The name is the number, but for versions that were registered before ZenML's numbers were those of MLflow.
    """

    stage: str
    uri: str
    name: str


def add_version(
    name: str,
    version: str,
    uri: str,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    description: str = "",
) -> ZenmlVersion:
    """Create a model version in ZenML if it does not exist; return it.

    ZenML numbers versions itself, in ascending order. So those of this number and above make room: they belong to
    another MLflow store, or the caller adds them again, in ascending order.

    Args:
        name: registered model name.
        version: version number in the MLflow registry.
        uri: model URI `models:/m-…`.
        metrics: metrics, stored as metadata.
        tags: facts about the training, stored as metadata; the artifacts of the run `RUN_METADATA` are linked.
        description: text for people.
    """
    client, tags = Client(), dict(tags or {})
    existing = _model_versions(name)
    found = existing.get(version)
    if found is not None and found.run_metadata.get(URI_METADATA) == uri and found.number == int(version):
        return _zenml_version(found if found.name == version else _rename(found, version, tags))
    if not client.list_models(name=name).items:
        with suppress(EntityExistsError):  # created by another process in the meantime
            client.create_model(name, **_MODEL)
    for other in existing.values():
        if other.number >= int(version) or other is found:
            client.delete_model_version(other.id)
    created = _create_numbered(name, int(version), description or f"{name} {version}, in MLflow {uri}")
    if created.number != int(version):  # another process has made it in the meantime
        client.delete_model_version(created.id)
        return _zenml_version(_model_versions(name)[version])
    _link_training(created, tags)
    metadata: dict[str, str | float] = {VERSION_METADATA: version, **tags, **(metrics or {}), URI_METADATA: uri}
    client.create_run_metadata(
        metadata={key: value for key, value in metadata.items() if value != ""},
        resources=[RunMetadataResource(id=created.id, type=MetadataResourceTypes.MODEL_VERSION)],
    )
    return ZenmlVersion(NONE, uri, version)


def _rename(version: ModelVersionResponse, name: str, tags: Mapping[str, str]) -> ModelVersionResponse:
    _link_training(version, tags)
    return Client().update_model_version(version.model.name, version.id, name=name)


def _create_numbered(name: str, number: int, description: str) -> ModelVersionResponse:
    """Create the version of a number; where ZenML's counter is behind, versions in between are made and deleted."""
    client, behind = Client(), []
    while (created := client.create_model_version(name, description=description)).number < number:
        behind.append(created.id)
    for identifier in behind:
        client.delete_model_version(identifier)
    return created


def _link_training(version: ModelVersionResponse, tags: Mapping[str, str]) -> None:
    """Link a version with the run of its training, and the artifacts that it was made of and measured with."""
    try:
        run = Client().get_pipeline_run(UUID(tags[RUN_METADATA]))
    except (KeyError, ValueError):  # outside of a pipeline, pruned, or of another ZenML server
        return
    model_type = tags.get("model_type")
    outputs = [(step, *output) for step, run_step in run.steps.items() for output in run_step.outputs.items()]
    steps = {*_TRAINING_STEPS, f"train_{model_type}", f"fit_final_{model_type}"}
    for step, name, artifacts in outputs:
        of_training = step in steps and name not in _OF_BEST_MODEL
        of_another_model = name.endswith(CARD_ARTIFACT) and name != f"{model_type}{CARD_ARTIFACT}"
        if of_training and not of_another_model:
            for artifact in artifacts:
                link_artifact_version_to_model_version(artifact, version)
    _link(version, run)


def link_artifact(name: str, version: str, artifact: ArtifactVersionResponse) -> None:
    """Link an artifact with a version."""
    link_artifact_version_to_model_version(artifact, _model_versions(name)[version])


def link_run(run: PipelineRunResponse, versions: Iterable[tuple[str | None, str | None]]) -> None:
    """Let a run belong to those of these versions, by name and number, that exist."""
    for name, number in versions:
        if name and number and (version := _model_versions(name).get(number)):
            _link(version, run)


def _link(version: ModelVersionResponse, run: PipelineRunResponse) -> None:
    Client().zen_store.create_model_version_pipeline_run_link(
        ModelVersionPipelineRunRequest(model_version=version.id, pipeline_run=run.id)
    )


def version_of_artifact(artifact: UUID) -> ModelVersionResponse | None:
    """The latest model version that an artifact is linked with."""
    store, links = Client().zen_store, Client().list_model_version_artifact_links
    linked = links(artifact_version_id=artifact, sort_by="desc:created", size=1).items
    # Where a pipeline is compiled, the client looks single entities up at run time.
    return store.get_model_version(linked[0].model_version) if linked else None


def version_id(name: str, version: str) -> UUID | None:
    """ZenML's id of a version; None where ZenML does not have it."""
    found = _model_versions(name).get(version)
    return found.id if found else None


def set_stage(name: str, version: str, stage: str) -> None:
    """Set the stage of a version; ZenML archives the version that held it before."""
    Client().update_model_version(name, _model_versions(name)[version].id, stage=stage.lower(), force=True)


def list_versions(name: str) -> dict[str, ZenmlVersion]:
    """The versions of a model in ZenML by version number; empty if ZenML has no such model."""
    return {number: _zenml_version(version) for number, version in _model_versions(name).items()}


def _zenml_version(version: ModelVersionResponse) -> ZenmlVersion:
    stage = _STAGES_BY_ZENML_NAME.get(str(version.stage or "none"), NONE)
    return ZenmlVersion(stage, str(version.run_metadata.get(URI_METADATA)), str(version.name))


def delete_version(name: str, version: str) -> None:
    """Delete a version if it exists."""
    if existing := _model_versions(name).get(version):
        Client().delete_model_version(existing.id)


def delete_model(name: str) -> None:
    """Delete a model with all its versions if it exists."""
    if Client().list_models(name=name).items:
        Client().delete_model(name)


def _model_versions(name: str) -> dict[str, ModelVersionResponse]:
    """ZenML's model versions by version number; version 3 was named `v3` before the numbers were those of MLflow."""
    client = Client()
    if not client.list_models(name=name).items:
        return {}
    versions = client.list_model_versions(model=name, size=10_000, hydrate=True).items
    return {version.name.removeprefix("v"): version for version in versions}
