"""Monitorings as MLflow runs of the experiment `…-monitoring`."""

from collections.abc import Mapping

from accidents.process_owner import ProcessOwner
from tracking.connection import Connection, get_or_create_experiment
from tracking.interrupted_runs import PROCESS_TAG


def log_monitoring(
    connection: Connection, name: str, metrics: Mapping[str, float], tags: Mapping[str, str], report: str
) -> str:
    """Log a monitoring with its report; returns the id of the run. Call it inside `connect`.

    Args:
        connection: the open connection.
        name: of the run.
        metrics: figures of the result.
        tags: model, verdict, ZenML run.
        report: the HTML page.
    """
    client = connection.client
    own = client.get_experiment(connection.experiment_id)
    experiment = get_or_create_experiment(client, f"{own.name}-monitoring", connection.target.artifacts)
    run = client.create_run(
        experiment.experiment_id, run_name=name, tags={**tags, PROCESS_TAG: str(ProcessOwner.current())}
    )
    run_id = str(run.info.run_id)
    for metric, value in metrics.items():
        client.log_metric(run_id, metric, value)
    client.log_text(run_id, report, "monitoring.html")
    client.set_terminated(run_id)
    return run_id
