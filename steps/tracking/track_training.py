"""Tracking of a training: nested MLflow runs, and a new registered version of every model."""

from typing import Annotated, Any

import pandas as pd
from zenml import step
from zenml.types import HTMLString, MarkdownString

import materializers.bundle
import materializers.frame
import materializers.reports  # noqa: F401  # load the inputs
from accidents.bundle import Bundle
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.engine.frame_files import AccidentFrames, Frame
from accidents.inference.smoke_test import sample_each
from accidents.report.report_files import ReportFiles
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from materializers.json_file import JSON_MATERIALIZER
from steps.caching import cache_policy
from steps.execution import run
from steps.metadata import log_step_metadata
from steps.tracking.provenance import run_provenance
from steps.validation import validate_frames
from tracking.registration import connect_and_register
from tracking.training_record import build_training_record


@step(cache_policy=cache_policy(__name__, "tracking.pyfunc_model"), output_materializers=JSON_MATERIALIZER)
@validate_frames(accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def track_training(
    models: list[Bundle],
    predictions: list[pd.DataFrame],
    finals: list[Bundle],
    evaluations: dict[str, Any],
    reports: ReportFiles,
    accidents: Frame,
    vehicles: Frame,
    people: Frame,
    comparison_report: HTMLString,
    model_card: MarkdownString,
    best: str,
    settings: TrackingSettings,
    source: str,
    store: str,
    engine: EngineSettings = LOCAL_ENGINE,
) -> Annotated[dict[str, Any], "registered_models"]:
    """Log a training as MLflow runs, register its models; `run_id`, `model_uri`, `name`, `version` by model type.

    Args:
        models: the bundles.
        predictions: for each model, its predictions on accidents outside its training set.
        finals: for each model, its final model, which is registered with it; empty without.
        evaluations: evaluations on the test set, by model type.
        reports: report files of each model, logged with its run.
        accidents: the accidents.
        vehicles: their vehicles.
        people: their people.
        comparison_report: logged with the run of the training.
        model_card: the same.
        best: the proposed model type.
        settings: what is logged.
        source: where the accidents come from, as typed.
        store: identity of the MLflow in use; part of the cache key, so that a training is tracked once in each.
        engine: where accidents are read, to store a few with each model.
    """
    details = AccidentFrames(accidents, vehicles, people)
    stored = run(engine, sample_each, predictions, count=settings.stored_accidents, accidents=details)
    pages = {"comparison.html": comparison_report, "model_card.md": model_card}
    training = build_training_record(
        models, stored, evaluations, reports,
        best=best, pages=pages, source=source, tags=run_provenance(), finals=finals,
    )  # fmt: skip
    registered = connect_and_register(training, settings)
    log_step_metadata({"store": store, "versions": {name: str(entry["version"]) for name, entry in registered.items()}})
    return registered
