"""MLflow runs of processes that were killed, which would stay RUNNING for ever."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from accidents.process_owner import ProcessOwner
from tracking.connection import Connection

if TYPE_CHECKING:
    from mlflow.entities import Run

PROCESS_TAG = "process"
"""Tag of a run: the process that writes it."""

_MAX_RUNS = 1_000


def interrupted_runs(connection: Connection, experiment_ids: list[str]) -> "Iterator[Run]":
    """Runs of these experiments that are RUNNING and whose process has ended, as far as this machine can tell."""
    runs = connection.client.search_runs(experiment_ids, "attributes.status = 'RUNNING'", max_results=_MAX_RUNS)
    for run in runs:
        process = ProcessOwner.parse(run.data.tags.get(PROCESS_TAG))
        if process is not None and process.has_ended:
            yield run


def end_run(connection: Connection, run: "Run", status: str = "KILLED") -> None:
    """Set the status of an interrupted run, and of the models that it has not logged to their end."""
    client, run_id = connection.client, run.info.run_id
    for model in client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'"):
        if str(model.status) == "PENDING":
            client.finalize_logged_model(model.model_id, "FAILED")
    client.set_terminated(run_id, status)
