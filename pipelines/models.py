"""Trained models as inputs of a pipeline, and the version of the ZenML model that its run belongs to.

The version is chosen as in ZenML, by `model` of the run configuration, or by the parameters `model_name` and `version`.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

from zenml import ExternalArtifact, Model
from zenml.client import Client
from zenml.models import PipelineRunResponse

import materializers.bundle  # noqa: F401  # stores the bundle
from accidents.bundle import Bundle
from accidents.configuration.loading import Configuration
from accidents.errors import ConfigurationError, ModelError
from pipelines.definition import configured_model, set_model
from tracking import zenml_sync
from tracking.connection import connect
from tracking.lookup import download_model, find_version
from tracking.registry import RegisteredVersion, Registry
from tracking.stages import sync_model


def model_input(
    configuration: Configuration,
    bundle: str | None,
    model_name: str | None,
    version: str | None,
    *,
    evaluated: bool = False,
) -> Any:
    """A trained model as input of a step.

    Args:
        configuration: where models are registered.
        bundle: id of a model artifact, or path of a bundle.
        model_name: registered name, in any letter case.
        version: number, stage or alias; Production where None.
        evaluated: take the evaluated twin of a final model, unless that was named by its file or artifact.

    Returns:
        The model that was named; the best one of the latest training where none was.

    Raises:
        ModelError: there is no valid bundle at the path, or no training has run.
        RegistryError: there is no such model or version.
    """
    if bundle is None and (model_name or configured_model()):
        stage = configuration.tracking.mlflow.model_registry.production_stage
        with connect(configuration.tracking) as connection:
            registry = Registry(connection)
            found = _find_registered(registry, model_name, version, stage)
            if evaluated:
                return ExternalArtifact(value=registry.load_evaluated_bundle(found))
            file = download_model(registry, found, configuration.training.models_folder / "registry")
        return ExternalArtifact(value=Bundle.load(file))
    try:
        artifact = UUID(bundle) if bundle else _latest_model(evaluated=evaluated)
    except ValueError:
        return ExternalArtifact(value=Bundle.load(Path(str(bundle))))
    if linked := zenml_sync.version_of_artifact(artifact):
        set_model(Model(name=linked.model.name, version=linked.number))
    return Client().get_artifact_version(artifact)


def registered_version(
    configuration: Configuration, model_name: str | None, version: str | None, stage: str
) -> RegisteredVersion:
    """A registered version, to which the run of the pipeline belongs.

    Args:
        configuration: where models are registered.
        model_name: registered name, in any letter case; the best one in the stage where None.
        version: number, stage or alias; `stage` where None.
        stage: the stage, where no version is named.

    Raises:
        RegistryError: there is no such model or version, or none is in the stage.
    """
    with connect(configuration.tracking) as connection:
        return _find_registered(Registry(connection), model_name, version, stage)


def latest_run(pipeline: str) -> PipelineRunResponse:
    """The latest completed run of a pipeline.

    Raises:
        ModelError: there is none; names the command that makes one.
    """
    runs = Client().list_pipeline_runs(pipeline=pipeline, status="completed", sort_by="desc:created", size=1).items
    if not runs:
        raise ModelError(f"the pipeline {pipeline} has not run to its end here: python run.py --{pipeline}")
    return runs[0]


def _latest_model(*, evaluated: bool) -> UUID:
    """Id of the artifact of the model that the latest training proposed: of the final one, or of its evaluated twin."""
    run = latest_run("training")
    best = run.steps["compare_models"].outputs["best_model_type"][0].load()
    final = run.steps.get(f"fit_final_{best}")
    if final and not evaluated:
        return final.outputs[f"{best}_final_model"][0].id
    return run.steps[f"train_{best}"].outputs[f"{best}_model"][0].id


def _find_registered(registry: Registry, name: str | None, version: str | None, stage: str) -> RegisteredVersion:
    """The version that the run configuration or the parameters name; the run belongs to it."""
    configured = configured_model()
    if configured and name:
        raise ConfigurationError("name the model once: by `model` of the run configuration, or by model_name")
    if configured:
        name, version = configured.name, None if configured.version is None else str(configured.version)
        if registry.resolve_name(name) != name:
            raise ConfigurationError(f"model {name}: the registered name is {registry.resolve_name(name)}")
    found = find_version(registry, registry.resolve_name(name) if name else None, version, stage)
    if found.version not in zenml_sync.list_versions(found.name):
        sync_model(registry, found.name)
    set_model(Model(name=found.name, version=int(found.version)))
    return found
