"""LoggedModel models as versions of registered models, with what people want to know of them."""

from typing import Any

from accidents.configuration.tracking import TrackingSettings
from accidents.evaluation.metrics import METRICS
from accidents.models import display_name
from tracking import zenml_sync
from tracking.connection import Connection, connect
from tracking.errors import TrackingError
from tracking.names import registered_name
from tracking.training_runs import LoggedModel, ModelRecord, TrainingRecord, log_training, training_method

DESCRIPTION = "Is a French road accident a priority: was somebody killed or hospitalised? {} on BAAC open data."


def connect_and_register(training: TrainingRecord, settings: TrackingSettings) -> dict[str, dict[str, Any]]:
    """Connect, and `record_and_register`; nothing where MLflow does not answer and that is allowed.

    Raises:
        TrackingError: MLflow does not answer or refuses, and training without a record is not allowed.
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
    """Record a training, and register each of its models as a new version where that is wanted.

    Returns:
        By model type: `run_id`, `model_uri`, `name` and `version`; the last three None where nothing was stored.
    """
    recorded = log_training(connection, training, settings)
    return {
        found.model_type: _registered(connection, found, model, training, settings)
        for found, model in zip(recorded, training.models, strict=True)
    }


def _registered(
    connection: Connection, found: LoggedModel, model: ModelRecord, training: TrainingRecord, settings: TrackingSettings
) -> dict[str, Any]:
    result: dict[str, Any] = {"run_id": found.run_id, "model_uri": found.model_uri, "name": None, "version": None}
    if found.model_uri is None or not settings.mlflow.model_registry:
        return result
    name = registered_name(found.model_type)
    version = _register(connection, name, found, model, training)
    zenml_sync.add_version(name, version, found.model_uri, _figures(model), training.tags)
    return result | {"name": name, "version": version}


def _register(
    connection: Connection, name: str, found: LoggedModel, model: ModelRecord, training: TrainingRecord
) -> str:
    from mlflow.exceptions import MlflowException

    client = connection.client
    try:
        client.create_registered_model(name, description=DESCRIPTION.format(display_name(found.model_type)))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        name,
        source=str(found.model_uri),
        run_id=found.run_id,
        tags=_tags(model, training),
        description=_description(model, training),
        model_id=str(found.model_uri).rpartition("/")[2],
    )
    return str(version.version)


def _figures(model: ModelRecord) -> dict[str, float]:
    evaluation = model.evaluation
    return {name: getattr(evaluation, name) for name in METRICS if getattr(evaluation, name) is not None}


def _tags(model: ModelRecord, training: TrainingRecord) -> dict[str, str]:
    bundle = model.bundle
    told = {
        "stage": "None",
        "model_type": bundle.model_type,
        "training_method": training_method(bundle),
        "level": bundle.level,
        "source": training.source,
        "data_fingerprint": training.fingerprint,
        "threshold": repr(bundle.threshold),
        "trained_at": bundle.trained_at,
        **{name: f"{value:.6f}" for name, value in _figures(model).items()},
        **training.tags,
    }
    return {name: value for name, value in told.items() if value}


def _description(model: ModelRecord, training: TrainingRecord) -> str:
    bundle, evaluation = model.bundle, model.evaluation
    return (
        f"{display_name(bundle.model_type)} at level {bundle.level}, trained on {training.source} "
        f"({bundle.rows.get('training', 0):,} accidents), {training_method(bundle)}. Test part, "
        f"{evaluation.n:,} accidents: F1 {evaluation.f1 or 0:.3f}, ROC-AUC {evaluation.roc_auc or 0:.3f}, "
        f"ECE {evaluation.ece:.3f}."
    )
