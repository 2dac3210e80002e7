"""Nested MLflow runs: training > model > trial of the hyperparameter search."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accidents.bundle import Bundle
from accidents.configuration.tracking import TrackingSettings
from accidents.evaluation.results import Evaluation
from accidents.features.catalogue import CELLS, FEATURES
from accidents.models import display_name
from accidents.process_owner import ProcessOwner
from accidents.tables import LABEL
from accidents.temporary_files import temporary_folder
from tracking.connection import Connection
from tracking.interrupted_runs import PROCESS_TAG
from tracking.mlflow_model import archive_code, log_model
from tracking.training_record import ModelRecord, TrainingRecord

if TYPE_CHECKING:
    from mlflow.data.dataset import Dataset

_MAX_PARAMETER_CHARACTERS = 500


@dataclass(frozen=True)
class LoggedModel:
    """The MLflow run of a model, and its model URI `models:/m-…`; None where the model was not logged.

    `digests` are the tags of `tracking.model_files`.
    """

    model_type: str
    run_id: str
    model_uri: str | None
    digests: dict[str, str]


def log_training(connection: Connection, training: TrainingRecord, settings: TrackingSettings) -> list[LoggedModel]:
    """Log a training with its models and trials as nested runs. Call it inside `connect`.

    Active runs and models of MLflow belong to a thread. A thread of its own leaves those of the caller untouched.

    Returns:
        One entry a model, in the order of `training.models`.
    """
    with ThreadPoolExecutor(1, "mlflow-runs") as thread:
        return thread.submit(_log_training, connection, training, settings).result()


def _log_training(connection: Connection, training: TrainingRecord, settings: TrackingSettings) -> list[LoggedModel]:
    import mlflow

    dataset = _dataset(training)
    code = archive_code() if settings.mlflow.log_model else None
    with mlflow.start_run(experiment_id=connection.experiment_id, run_name=training.name, tags=_tags(training)):
        mlflow.log_input(dataset, context="training")
        mlflow.log_params(_shared_parameters(training))
        if settings.mlflow.log_artifacts:
            _log_files(training.pages)
        logged = [_log_model_run(connection, model, training, dataset, code, settings) for model in training.models]
        best = next(model for model in training.models if model.bundle.model_type == training.best)
        mlflow.log_metrics(_test_metrics(best.evaluation))
    return logged


def _log_model_run(
    connection: Connection,
    model: ModelRecord,
    training: TrainingRecord,
    dataset: "Dataset",
    code: bytes | None,
    settings: TrackingSettings,
) -> LoggedModel:
    import mlflow

    bundle = model.bundle
    name = display_name(bundle.model_type)
    method = {"model_type": bundle.model_type, "training_method": training_method(bundle), "level": bundle.level}
    tags = _tags(training) | method
    with mlflow.start_run(experiment_id=connection.experiment_id, nested=True, run_name=name, tags=tags) as run:
        mlflow.log_input(dataset, context="training")
        mlflow.log_params(_shared_parameters(training) | _parameters(bundle))
        if settings.mlflow.log_artifacts:
            _log_files(model.files)
        twin = bundle if model.final else None
        uri, digests = (None, {}) if code is None else log_model(model.answering, model.stored, twin, code)
        # After the model: MLflow would ask for each metric that it finds, to record it with the model, too.
        mlflow.log_metrics(_metrics(model), model_id=uri and uri.rpartition("/")[2])
        for trial in bundle.trials:
            _log_trial_run(connection, name, trial)
    return LoggedModel(bundle.model_type, run.info.run_id, uri, digests)


def _log_trial_run(connection: Connection, name: str, trial: Mapping[str, Any]) -> None:
    import mlflow

    tags = {"given_up": str(trial["score"] is None).lower(), PROCESS_TAG: str(ProcessOwner.current())}
    run_name = f"{name} trial {trial['number'] + 1:02d}"
    with mlflow.start_run(experiment_id=connection.experiment_id, nested=True, run_name=run_name, tags=tags):
        mlflow.log_params(trial["parameters"])
        metrics = {"cv_roc_auc": trial["score"], "seconds": trial["seconds"]}
        mlflow.log_metrics({key: value for key, value in metrics.items() if value is not None})


def _tags(training: TrainingRecord) -> dict[str, str]:
    process = {PROCESS_TAG: str(ProcessOwner.current())}
    tags = {"source": training.source, "data_fingerprint": training.fingerprint, **training.tags, **process}
    return {name: value for name, value in tags.items() if value}


def training_method(bundle: Bundle) -> str:
    """Search and resampling of a model, and whether it is a final one, for people, such as `grid search, smote`."""
    search = "fixed hyperparameters" if bundle.tuning == "none" else f"{bundle.tuning} search"
    resampling = f", {bundle.resampling}" if bundle.resampling != "none" else ""
    return f"{search}{resampling}{', final' if bundle.evaluated_twin else ''}"


def _shared_parameters(training: TrainingRecord) -> dict[str, Any]:
    """Parameters that all models of a training share."""
    bundle = training.models[0].bundle
    return {
        "source": training.source,
        "data_fingerprint": training.fingerprint,
        "level": bundle.level,
        "geography": bundle.geography,
        "resampling": bundle.resampling,
        "tuning": bundle.tuning,
        "seed": bundle.seed,
        "threshold_rule": bundle.rule,
        **{f"split_{name}": value for name, value in bundle.split.items()},
        **{f"{part}_accidents": count for part, count in bundle.rows.items()},
    }


def _parameters(bundle: Bundle) -> dict[str, str]:
    parameters = {f"model_{name}": value for name, value in {"type": bundle.model_type, **bundle.parameters}.items()}
    return {name: str(value)[:_MAX_PARAMETER_CHARACTERS] for name, value in parameters.items()}


def _test_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Metrics on the test set, with the bounds of their intervals."""
    metrics = evaluation.metrics
    for name, interval in evaluation.intervals.items():
        if interval is not None:
            metrics |= {f"{name}_low": interval[0], f"{name}_high": interval[1]}
    return {name: value for name, value in metrics.items() if value is not None}


def _metrics(model: ModelRecord) -> dict[str, float]:
    bundle = model.bundle
    own = {"threshold": bundle.threshold, "fit_seconds": bundle.fit_seconds, "best_cv_score": bundle.best_cv_score}
    validation = {f"validation_{name}": value for name, value in bundle.metrics.get("validation", {}).items()}
    metrics = own | validation | _test_metrics(model.evaluation)
    return {name: float(value) for name, value in metrics.items() if value is not None}


def _dataset(training: TrainingRecord) -> "Dataset":
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.types import ColSpec, Schema

    columns = [*(feature.name for feature in FEATURES), *CELLS, LABEL]
    schema = Schema([ColSpec("double", name, required=False) for name in columns])
    source = CodeDatasetSource({"source": training.source, "fingerprint": training.fingerprint})
    name = Path(training.source).name or training.source
    return MetaDataset(source, name=name, digest=training.fingerprint[:32], schema=schema)  # type: ignore[abstract]


def _log_files(files: Mapping[str, str]) -> None:
    import mlflow

    with temporary_folder() as folder:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        mlflow.log_artifacts(str(folder))
