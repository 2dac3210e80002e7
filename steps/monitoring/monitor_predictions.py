"""Comparison of the prediction log of the service with the reference of a model."""

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from zenml import step
from zenml.types import HTMLString

import materializers.bundle  # noqa: F401  # loads the model
from accidents.bundle import Bundle
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.monitoring import MonitoringSettings
from accidents.configuration.serving import RecordSettings
from accidents.monitoring.windows import window_of_predictions
from materializers.json_file import JSON_MATERIALIZER
from serving.records.database import migrate, open_database, redacted_url
from serving.records.monitorings import daily_predictions, read_predictions
from steps.monitoring.comparison import compare_window
from steps.validation import validate_frames


@step(enable_cache=False, output_materializers={"monitoring": JSON_MATERIALIZER})
@validate_frames()
def monitor_predictions(
    model: Bundle, settings: MonitoringSettings, records: RecordSettings, ingestion: IngestionSettings
) -> tuple[
    Annotated[dict[str, Any], "monitoring"],
    Annotated[HTMLString, "monitoring_report"],
    Annotated[HTMLString, "drift_pictures"],
]:
    """Compare the latest logged predictions with the reference of a model; never cached.

    Args:
        model: the bundle, with its reference.
        settings: days that are compared, least effects, false discovery rate, season.
        records: the database of the service; `SERVING_DATABASE_URL` goes before it.
        ingestion: how the source of the season profile is read.

    Raises:
        RecordsError: the database does not exist or answer.
        ModelError: the model has no reference.
        DataError: too few accidents.
    """
    engine = open_database(records, create=False)
    since = datetime.now(UTC) - timedelta(days=settings.days)
    try:
        migrate(engine)
        logged = read_predictions(engine, since, settings.accidents_at_most)
        first = logged[0].at if logged else since
        earlier = daily_predictions(engine, first, 10 * settings.accidents_at_most)
    finally:
        engine.dispose()
    logged = [one for one in logged if one.content is not None]
    window = window_of_predictions(
        [one.content for one in logged],
        # The threshold is a number that two models hardly share.
        [one.probability if one.threshold == model.threshold else math.nan for one in logged],
        [one.outcome for one in logged],
        [one.at for one in logged],
        earlier,
    )
    result, report, pictures = compare_window(
        model, window, redacted_url(engine.url), settings, ingestion, synthetic=False
    )
    return result, report, pictures  # ZenML counts the outputs by this tuple
