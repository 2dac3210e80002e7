"""Publication of a result of monitoring: for the service and its metrics, and as an MLflow run."""

from datetime import UTC, datetime
from typing import Annotated, Any

from zenml import step
from zenml.types import HTMLString

from accidents.configuration.serving import RecordSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.monitoring.summary import figures
from materializers.json_file import JSON_MATERIALIZER
from serving.records.database import migrate, open_database
from serving.records.monitorings import store_monitoring
from steps.metadata import log_step_metadata
from steps.tracking.provenance import run_provenance
from steps.validation import validate_frames
from tracking.connection import connect
from tracking.monitoring_runs import log_monitoring


@step(enable_cache=False, output_materializers={"published": JSON_MATERIALIZER})
@validate_frames()
def publish_monitoring(
    monitoring: dict[str, Any],
    report: HTMLString,
    records: RecordSettings,
    tracking: TrackingSettings,
    store: str | None,
) -> Annotated[dict[str, Any], "published"]:
    """Store a result in the database of the service, and log it to MLflow.

    Args:
        monitoring: the result.
        report: its page.
        records: the database of the service.
        tracking: MLflow in use.
        store: identity of that MLflow; None: not tracked.

    Raises:
        RecordsError: the database does not answer.
    """
    now = datetime.now(UTC)
    engine = open_database(records)
    try:
        migrate(engine)
        store_monitoring(engine, now, monitoring["trained_at"], monitoring)
    finally:
        engine.dispose()
    run_id = None
    if store is not None:
        tags = run_provenance() | {"model_type": monitoring["model"], "verdict": monitoring["verdict"]}
        with connect(tracking) as connection:
            run_id = log_monitoring(connection, f"monitoring-{now:%Y%m%d-%H%M%S}", figures(monitoring), tags, report)
        log_step_metadata({"mlflow_run_id": run_id})
    return {"at": now.isoformat(timespec="seconds"), "mlflow_run_id": run_id}
