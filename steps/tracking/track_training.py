"""A training on record: runs in MLflow, and every model as a new registered version."""

from typing import Annotated, Any

import pandas as pd
from zenml import step
from zenml.types import HTMLString, MarkdownString

import materializers.bundle
import materializers.frame
import materializers.reports  # noqa: F401  # the three read what goes in
from accidents.bundle import Bundle
from accidents.configuration.tracking import TrackingSettings
from accidents.report.report_files import ReportFiles
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.tables import Accidents
from steps.caching import cache_policy
from steps.metadata import log_step_metadata
from steps.tracking.provenance import run_provenance
from steps.validation import validate_frames
from tracking.registration import connect_and_register
from tracking.training_record import build_training_record


@step(cache_policy=cache_policy(__name__, "tracking.pyfunc_model"))
@validate_frames(accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def track_training(
    models: list[Bundle],
    predictions: list[pd.DataFrame],
    evaluations: dict[str, Any],
    reports: ReportFiles,
    accidents: pd.DataFrame,
    vehicles: pd.DataFrame,
    people: pd.DataFrame,
    comparison_report: HTMLString,
    model_card: MarkdownString,
    best: str,
    settings: TrackingSettings,
    source: str,
    store: str,
) -> Annotated[dict[str, Any], "registered_models"]:
    """Record the training in MLflow and register its models; by model type: run, address, registered name, version.

    Args:
        models: the bundles.
        predictions: for each of them, what it says of accidents that it has not learned from.
        evaluations: what was measured of each of them, by model type.
        reports: the files of each of them, which are kept with its run.
        accidents: the accidents.
        vehicles: their vehicles.
        people: their people.
        comparison_report: kept with the training.
        model_card: kept with the training.
        best: the model type that compared best.
        settings: what is recorded.
        source: where the accidents come from, as typed.
        store: identity of the MLflow in use, so that another one is told of the training, too.
    """
    pages = {"comparison.html": comparison_report, "model_card.md": model_card}
    training = build_training_record(
        models, predictions, evaluations, reports, Accidents(accidents, vehicles, people),
        best=best, pages=pages, source=source, tags=run_provenance(), stored=settings.stored_accidents,
    )  # fmt: skip
    registered = connect_and_register(training, settings)
    log_step_metadata({"store": store, "versions": {name: str(found["version"]) for name, found in registered.items()}})
    return registered
