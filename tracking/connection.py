"""Connection to an MLflow server or database: client, experiment, and environment variables while it is open.

Tracking URI and credentials are set in the environment only inside `connect`, so that one process can use several
servers, one after the other.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.bundle.publication import LOCATION_ENV
from accidents.configuration.redaction import redact_credentials
from accidents.configuration.tracking import MODEL_NAME_PREFIX, TrackingSettings
from accidents.errors import storage_fault
from tracking.database_file import create_database_file
from tracking.environment import temporary_environment
from tracking.errors import TrackingError
from tracking.tracking_uri import CREDENTIALS, SQLITE, TrackingTarget, active_stack_tracker, resolve_target

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

_RETRIES = 1
_LOG_LEVELS = {
    "mlflow": logging.WARNING,
    "mlflow.store.db.utils": logging.CRITICAL,  # logs the traceback of every error that it raises
    "alembic": logging.WARNING,
    "urllib3": logging.ERROR,
}
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_IGNORED_VARIABLES = (
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_ACTIVE_MODEL_ID",
    "_MLFLOW_ACTIVE_MODEL_ID",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_ENABLE_ASYNC_LOGGING",
)
"""Variables by which MLflow would write to another run, experiment, model or registry, or after the run has ended."""


@dataclass(frozen=True)
class Connection:
    """An open connection to MLflow.

    Attributes:
        target: tracking URI and its origin.
        client: MLflow client of that URI.
        experiment_id: experiment of the project.
        identity: unique per store, also for one that was deleted and created again at the same address.
        model_name_prefix: beginning of the names of registered models.
        publish_to: folder or URL to which changes of Production publish the best model; None for none.
    """

    target: TrackingTarget
    client: "MlflowClient"
    experiment_id: str
    identity: str
    model_name_prefix: str = MODEL_NAME_PREFIX
    publish_to: str | None = None


def current_target(settings: TrackingSettings) -> TrackingTarget:
    """The tracking target of this process, from environment variables, active stack and configuration."""
    return resolve_target(settings, active_stack_tracker(), os.environ)


@contextmanager
def connect(settings: TrackingSettings, target: TrackingTarget | None = None) -> Iterator[Connection]:
    """Connect to MLflow; inside the block the functions of the module `mlflow` use the same server.

    Args:
        settings: experiment name, timeout.
        target: tracking target; `current_target(settings)` by default.

    Raises:
        TrackingError: MLflow does not answer within the timeout, or refuses access.
    """
    target = target or current_target(settings)
    import mlflow
    from mlflow.exceptions import MlflowException

    with _mlflow_environment(target, settings), ExitStack() as stack:
        tracking_uri, registry_uri = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
        stack.callback(mlflow.set_tracking_uri, tracking_uri)
        stack.callback(mlflow.set_registry_uri, "" if registry_uri == tracking_uri else registry_uri)
        try:
            yield _connect(target, settings)
        except BrokenPipeError:  # stdout of this process is closed; not an error of MLflow
            raise
        except (MlflowException, OSError) as error:
            raise TrackingError(_unreachable_message(target, error)) from error


def store_identity(settings: TrackingSettings, target: TrackingTarget | None = None) -> str | None:
    """The identity of the MLflow that tracks trainings; None where tracking is off, or optional and not possible.

    Raises:
        ConfigurationError: environment and stack name different servers.
        TrackingError: MLflow does not answer, and `allow_untracked` is off.
    """
    if not settings.mlflow.enabled:
        return None
    try:
        with connect(settings, target) as connection:
            return connection.identity
    except TrackingError as error:
        if not settings.allow_untracked:
            raise
        print(f"not tracked: {error.summary}", file=sys.stderr, flush=True)
        return None


def _connect(target: TrackingTarget, settings: TrackingSettings) -> Connection:
    if target.uri.startswith(_DATABASES):
        _check_database(target)
    import mlflow
    from mlflow import MlflowClient

    for name, level in _LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    mlflow.set_tracking_uri(target.uri)
    mlflow.set_registry_uri(target.uri)
    client = MlflowClient(target.uri, target.uri)
    experiment = get_or_create_experiment(client, settings.mlflow.experiment_name, target.artifacts)
    identity = f"{redact_credentials(target.uri)}#{experiment.experiment_id}-{experiment.creation_time}"
    names = settings.mlflow.model_registry
    publish_to = os.environ.get(LOCATION_ENV) or names.publish_to
    return Connection(target, client, experiment.experiment_id, identity, names.registered_model_name, publish_to)


def _check_database(target: TrackingTarget) -> None:
    """Open a database once: MLflow itself would retry for minutes where it cannot be opened.

    Raises:
        TrackingError: the database cannot be opened, or the file is not a database.
    """
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import SQLAlchemyError

    try:
        if target.uri.startswith(SQLITE):
            file = Path(target.uri.removeprefix(SQLITE).partition("?")[0])
            _create_folder(file.parent)
            create_database_file(file)
        engine = create_engine(target.uri)
        try:
            inspect(engine).get_table_names()
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise TrackingError(_unreachable_message(target, error)) from error


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrackingError(
            f"{folder}: MLflow cannot keep its database there: {error.strerror}. Check the disk and the rights, set "
            "'folder' in configs/tracking.yaml, or train without tracking: --allow-untracked"
        ) from error


def get_or_create_experiment(client: "MlflowClient", name: str, artifacts: str | None) -> "Experiment":
    """Get an experiment by name; create it if it does not exist.

    Raises:
        TrackingError: the experiment is deleted.
    """
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            client.create_experiment(name, artifact_location=artifacts)
        except MlflowException:
            if client.get_experiment_by_name(name) is None:  # no other process has created it
                raise
        experiment = client.get_experiment_by_name(name)
    if experiment is None:
        raise TrackingError(f"the MLflow experiment '{name}' was created and cannot be read")
    if experiment.lifecycle_stage == "deleted":
        raise TrackingError(
            f"the MLflow experiment '{name}' is deleted: restore it ('mlflow experiments restore --experiment-id "
            f"{experiment.experiment_id}'), or choose another experiment_name in configs/tracking.yaml"
        )
    return experiment


def _unreachable_message(target: TrackingTarget, error: Exception) -> str:
    reason = redact_credentials(" ".join(_root_cause(error).split()))
    if fault := storage_fault(reason):
        return f"the MLflow {target} cannot store: {fault}, and run it again"
    return (
        f"the MLflow {target} does not answer or refuses: {reason[:300]}\nStart it, correct the address or "
        "the credentials (MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD), or train without tracking: "
        "--allow-untracked"
    )


def _root_cause(error: BaseException) -> str:
    """Text of the OSError in the chain of causes, such as "Connection refused"; else the text of the error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error)


def _mlflow_environment(target: TrackingTarget, settings: TrackingSettings) -> AbstractContextManager[None]:
    """Set tracking URI, credentials and timeouts of MLflow; restore the environment afterwards.

    Credentials of the target replace all of the environment, which may belong to another server.
    """
    values: Mapping[str, str] = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(round(settings.timeout_seconds) or 1),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(_RETRIES),
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "PGCONNECT_TIMEOUT": str(max(2, round(settings.timeout_seconds))),
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_TRACKING_URI": target.uri,
        **target.environment,
    }
    return temporary_environment(values, without=(*_IGNORED_VARIABLES, *(CREDENTIALS if target.environment else ())))
