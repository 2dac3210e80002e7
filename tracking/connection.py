"""A connection to the MLflow in use: its client, and the experiment that runs belong to.

Credentials and addresses stand in the environment of the process only while a connection is used, so that one process
can speak with several servers, one after the other.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.configuration.tracking import TrackingSettings
from tracking.environment import environment
from tracking.errors import TrackingError
from tracking.tracking_uri import SQLITE, Destination, destination, stack_tracker, without_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

_RETRIES = 1
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


@dataclass(frozen=True)
class Connection:
    """An MLflow that has answered.

    `identity` is another one for every store, also where one was deleted and made again under the same address.
    """

    destination: Destination
    client: "MlflowClient"
    experiment_id: str
    identity: str


def chosen(settings: TrackingSettings) -> Destination:
    """The MLflow to use in this process: see `destination.destination`."""
    return destination(settings, stack_tracker(), os.environ)


@contextmanager
def connected(settings: TrackingSettings, to: Destination | None = None) -> Iterator[Connection]:
    """Connect, and let mlflow's own functions use this connection inside the block.

    Args:
        settings: names of experiment and store, patience.
        to: the MLflow to use; the one that environment, stack and configuration name, if not given.

    Raises:
        TrackingError: it does not answer in time, or refuses.
    """
    to = to or chosen(settings)
    from mlflow.exceptions import MlflowException

    with _environment(to, settings):
        try:
            yield _connect(to, settings)
        except BrokenPipeError:  # whoever read the output has left; that is no fault of MLflow's
            raise
        except (MlflowException, OSError) as error:
            raise TrackingError(_unreachable(to, error)) from error


def _connect(to: Destination, settings: TrackingSettings) -> Connection:
    if to.uri.startswith(_DATABASES):
        _see_database(to)
    import mlflow
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR if name == "urllib3" else logging.WARNING)
    mlflow.set_tracking_uri(to.uri)
    mlflow.set_registry_uri(to.uri)
    client = MlflowClient(to.uri, to.uri)
    experiment = experiment_of(client, settings.mlflow.experiment_name, to.artifacts)
    return Connection(
        to,
        client,
        experiment.experiment_id,
        f"{without_credentials(to.uri)}#{experiment.experiment_id}-{experiment.creation_time}",
    )


def _see_database(to: Destination) -> None:
    """Open a database once, since MLflow itself goes on trying for minutes where one cannot be opened.

    Raises:
        TrackingError: it cannot be opened, or holds something else.
    """
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import SQLAlchemyError

    if to.uri.startswith(SQLITE):
        Path(to.uri.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)
    try:
        engine = create_engine(to.uri)
        try:
            inspect(engine).get_table_names()
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise TrackingError(_unreachable(to, error)) from error


def experiment_of(client: "MlflowClient", name: str, artifacts: str | None) -> "Experiment":
    """The experiment of a name, made now if there is none."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            client.create_experiment(name, artifact_location=artifacts)
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process may have been quicker
            if found is None:
                raise
        found = found or client.get_experiment_by_name(name)
    if found is None:
        raise TrackingError(f"the MLflow experiment '{name}' was made and is not there")
    if found.lifecycle_stage == "deleted":
        raise TrackingError(
            f"the MLflow experiment '{name}' is deleted: restore it ('mlflow experiments restore --experiment-id "
            f"{found.experiment_id}'), or choose another experiment_name in configs/tracking.yaml"
        )
    return found


def _unreachable(to: Destination, error: Exception) -> str:
    reason = without_credentials(" ".join(_reason(error).split()))
    return (
        f"the MLflow {to} does not answer or refuses: {reason[:300]}\nStart it, correct the address or the credentials "
        "(MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD), or train without a record: --allow-untracked"
    )


def _reason(error: BaseException) -> str:
    """What the operating system says, such as "Connection refused", where it stands behind the error; else its text."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, OSError) and behind.strerror:
            return behind.strerror
        behind = behind.__cause__ or behind.__context__
    return str(error)


def _environment(to: Destination, settings: TrackingSettings) -> AbstractContextManager[None]:
    """Put address, credentials and patience into the environment, and everything back at the end."""
    wanted: Mapping[str, str] = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(round(settings.timeout_seconds) or 1),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(_RETRIES),
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "PGCONNECT_TIMEOUT": str(max(2, round(settings.timeout_seconds))),
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_TRACKING_URI": to.uri,
        **to.environment,
    }
    return environment(wanted, also=("MLFLOW_REGISTRY_URI",))
