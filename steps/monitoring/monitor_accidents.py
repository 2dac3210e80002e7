"""Comparison of accidents of a source with the reference of a model."""

from typing import Annotated, Any

from zenml import step
from zenml.types import HTMLString

import materializers.bundle
import materializers.frame  # noqa: F401  # load the inputs
from accidents.bundle import Bundle
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.monitoring import MonitoringSettings
from accidents.configuration.source import SAMPLE
from accidents.engine.frame_files import Frame
from accidents.models import model_types
from accidents.monitoring.windows import window_of_accidents
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from materializers.json_file import JSON_MATERIALIZER
from steps.caching import cache_policy
from steps.execution import load_accidents
from steps.monitoring.comparison import compare_window
from steps.validation import validate_frames


@step(
    cache_policy=cache_policy(__name__, *(f"accidents.models.{name}" for name in model_types())),
    output_materializers={"monitoring": JSON_MATERIALIZER},
)
@validate_frames(accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def monitor_accidents(
    model: Bundle,
    accidents: Frame,
    vehicles: Frame,
    people: Frame,
    settings: MonitoringSettings,
    ingestion: IngestionSettings,
) -> tuple[
    Annotated[dict[str, Any], "monitoring"],
    Annotated[HTMLString, "monitoring_report"],
    Annotated[HTMLString, "drift_pictures"],
]:
    """Compare the accidents of a source with the reference of a model: inputs, predictions, outcomes, volume.

    Args:
        model: the bundle, with its reference.
        accidents: the accidents with their labels.
        vehicles: of these accidents.
        people: of these accidents.
        settings: least effects, false discovery rate, season.
        ingestion: the source, and how that of the season profile is read.

    Raises:
        ModelError: the model has no reference.
        DataError: too few accidents.
    """
    window = window_of_accidents(load_accidents(accidents, vehicles, people), model)
    location = ingestion.source.location
    result, report, pictures = compare_window(
        model, window, location, settings, ingestion, synthetic=location == SAMPLE
    )
    return result, report, pictures  # ZenML counts the outputs by this tuple
