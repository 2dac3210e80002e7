"""Registration of logged models as new versions in the MLflow model registry, with tags and description."""

import json
import sys
from typing import Any

from accidents.configuration.stages import NONE
from accidents.configuration.tracking import ModelRegistrySettings, TrackingSettings
from accidents.models import display_name
from tracking.connection import Connection, connect
from tracking.errors import RegistryError, TrackingError
from tracking.interrupted_runs import end_run, interrupted_runs
from tracking.ledger import LedgerEntry
from tracking.lock import model_lock
from tracking.names import registered_name
from tracking.registry import Registry
from tracking.stages import sync_model, transition
from tracking.training_record import ModelRecord, TrainingRecord
from tracking.training_runs import LoggedModel, log_training, training_method

DESCRIPTION = "Is a French road accident a priority: was somebody killed or hospitalised? {} on BAAC open data."


def connect_and_register(training: TrainingRecord, settings: TrackingSettings) -> dict[str, dict[str, Any]]:
    """Connect to MLflow and call `record_and_register`; with `allow_untracked`, skip it if MLflow does not answer.

    Raises:
        TrackingError: MLflow does not answer or refuses access, and `allow_untracked` is off.
    """
    try:
        with connect(settings) as connection:
            return record_and_register(connection, training, settings)
    except TrackingError as error:
        if not settings.allow_untracked:
            raise
        print(f"not tracked: {error.summary}", flush=True)
        return {}


def record_and_register(
    connection: Connection, training: TrainingRecord, settings: TrackingSettings
) -> dict[str, dict[str, Any]]:
    """Log a training as MLflow runs and register each of its models as a new version; end runs of killed trainings.

    Returns:
        By model type: `run_id`, `model_uri`, `name`, `version`; the last three are None where no model was logged or
        registered.
    """
    for run in interrupted_runs(connection, [connection.experiment_id]):
        end_run(connection, run)
    logged_models = log_training(connection, training, settings)
    return {
        logged.model_type: _register_model(connection, logged, model, training, settings.mlflow.model_registry)
        for logged, model in zip(logged_models, training.models, strict=True)
    }


def _register_model(
    connection: Connection,
    logged: LoggedModel,
    model: ModelRecord,
    training: TrainingRecord,
    settings: ModelRegistrySettings,
) -> dict[str, Any]:
    from mlflow.exceptions import MlflowException

    result: dict[str, Any] = {"run_id": logged.run_id, "model_uri": logged.model_uri, "name": None, "version": None}
    if logged.model_uri is None or not settings.enabled:
        return result
    client, name = connection.client, registered_name(logged.model_type, settings.registered_model_name)
    try:
        client.create_registered_model(name, description=DESCRIPTION.format(display_name(logged.model_type)))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    created = client.create_model_version(
        name,
        source=logged.model_uri,
        run_id=logged.run_id,
        tags=_tags(model, training) | logged.digests,
        description=_description(model, training),
        model_id=logged.model_uri.rpartition("/")[2],
    )
    version = str(created.version)
    _add_to_zenml(connection, name)
    if settings.default_stage != NONE:
        _move_to_default_stage(connection, name, version, settings.default_stage)
    return result | {"name": name, "version": version}


def _add_to_zenml(connection: Connection, name: str) -> None:
    try:
        with model_lock(connection, name):
            sync_model(Registry(connection), name)
    except RegistryError as error:  # MLflow has the version, and ZenML follows
        print(f"{error}; python run.py registry check brings ZenML up to date", file=sys.stderr, flush=True)


def _move_to_default_stage(connection: Connection, name: str, number: str, stage: str) -> None:
    registry = Registry(connection)
    entry = LedgerEntry("transition", name, number, stage, reasons=("default_stage of new versions",))
    transition(registry, registry.version(name, number), stage, entry, registry.holder(name, stage))


def _test_metrics(model: ModelRecord) -> dict[str, float]:
    return {name: value for name, value in model.evaluation.metrics.items() if value is not None}


def _tags(model: ModelRecord, training: TrainingRecord) -> dict[str, str]:
    bundle = model.bundle
    tags = {
        "stage": "None",
        "model_type": bundle.model_type,
        "training_method": training_method(model.answering),
        "level": bundle.level,
        "source": training.source,
        "data_fingerprint": training.fingerprint,
        "editions": json.dumps(bundle.editions) if bundle.editions else "",
        "threshold": repr(bundle.threshold),
        "trained_at": model.answering.trained_at,
        "evaluated_twin": model.answering.evaluated_twin.get("digest", ""),
        **{name: f"{value:.6f}" for name, value in _test_metrics(model).items()},
        **training.tags,
    }
    return {name: value for name, value in tags.items() if value}


def _about_final(model: ModelRecord) -> str:
    if model.final is None:
        return ""
    accidents = model.final.rows["training"]
    return f"Fitted again on all {accidents:,} labelled accidents; figures are of its evaluated twin. "


def _description(model: ModelRecord, training: TrainingRecord) -> str:
    bundle, evaluation = model.bundle, model.evaluation
    return (
        f"{display_name(bundle.model_type)} at level {bundle.level}, trained on {training.source} "
        f"({bundle.rows.get('training', 0):,} accidents), {training_method(bundle)}. {_about_final(model)}Test set, "
        f"{evaluation.n:,} accidents: F1 {evaluation.f1 or 0:.3f}, ROC-AUC {evaluation.roc_auc or 0:.3f}, "
        f"ECE {evaluation.ece:.3f}."
    )
