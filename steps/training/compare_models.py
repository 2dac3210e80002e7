"""Comparison of all trained models on the same test set, with reports."""

from typing import Annotated, Any

import pandas as pd
from zenml import step
from zenml.types import HTMLString, MarkdownString

import materializers.bundle
import materializers.frame
import materializers.reports  # noqa: F401  # load the inputs and store the outputs
from accidents.bundle import Bundle
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.evaluation import EvaluationSettings
from accidents.engine.frame_files import Frame
from accidents.report import model_report
from accidents.report.report_files import ReportFiles
from accidents.schemas.accidents import accidents_schema
from accidents.schemas.features import features_schema
from materializers.json_file import JSON_MATERIALIZER
from steps.caching import cache_policy
from steps.execution import run
from steps.metadata import log_step_metadata
from steps.training.model_cards import save_model_cards
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__), output_materializers={"evaluations": JSON_MATERIALIZER})
@validate_frames(features=features_schema, accidents=accidents_schema)
def compare_models(
    models: list[Bundle],
    predictions: list[pd.DataFrame],
    finals: list[Bundle],
    features: Frame,
    accidents: Frame,
    settings: EvaluationSettings,
    source: str,
    without_place: dict[str, Any] | None = None,
    engine: EngineSettings = LOCAL_ENGINE,
) -> tuple[
    Annotated[pd.DataFrame, "model_comparison"],
    Annotated[dict[str, Any], "evaluations"],
    Annotated[str, "best_model_type"],
    Annotated[HTMLString, "comparison_report"],
    Annotated[HTMLString, "evaluation_report"],
    Annotated[HTMLString, "model_card"],
    Annotated[MarkdownString, "model_card_text"],
    Annotated[ReportFiles, "model_reports"],
]:
    """Evaluate every model, compare them, report on each, and describe the proposed one in a card.

    Args:
        models: the bundles of one training.
        predictions: for each, its predictions on accidents outside its training set.
        finals: for each, its final model, which the reports name; empty without.
        features: the features of all accidents.
        accidents: the accidents; metrics are reported by department, road, light and month.
        settings: bootstrap resamples, calibration bins, groups.
        source: where they come from, as typed.
        without_place: `evaluations` of models trained without place columns, for the model card.
        engine: where.
    """
    result = run(
        engine, model_report.compare_models, models, predictions, features, accidents, settings,
        source=source, without_place=without_place, finals=finals,
    )  # fmt: skip
    log_step_metadata({"f1": {name: one["f1"] for name, one in result.evaluations.items()}, "best": result.best})
    save_model_cards(result.report_files)
    pages = map(HTMLString, (result.comparison_report, result.best_report, result.card.html))
    card = MarkdownString(result.card.markdown)
    return result.table, result.evaluations, result.best, *pages, card, result.report_files
