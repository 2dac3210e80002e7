"""Evaluation of a trained model on labelled accidents."""

from typing import Annotated, Any

import pandas as pd
from zenml import step
from zenml.types import HTMLString

import materializers.bundle
import materializers.frame  # noqa: F401  # stores the frames
from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.models import display_name, model_types
from accidents.report.model_report import report_on_dataset
from accidents.schemas.accidents import accidents_schema
from accidents.schemas.features import features_schema
from accidents.tables import LABEL
from accidents.training.held_out import held_out_rows
from materializers.json_file import JSON_MATERIALIZER
from steps.caching import cache_policy
from steps.metadata import log_step_metadata, source_fingerprint
from steps.validation import validate_frames


@step(
    cache_policy=cache_policy(__name__, *(f"accidents.models.{name}" for name in model_types())),
    output_materializers={"evaluation": JSON_MATERIALIZER},
)
@validate_frames(features=features_schema, accidents=accidents_schema)
def evaluate_model(
    model: Bundle,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    source: str,
    fingerprint: str,
) -> tuple[Annotated[dict[str, Any], "evaluation"], Annotated[HTMLString, "evaluation_report"]]:
    """Evaluate a model on accidents outside its training set, overall and by department, road, light and month.

    Args:
        model: the bundle.
        features: the features of the accidents.
        accidents: the accidents with their labels.
        settings: bootstrap resamples, calibration bins, groups.
        source: where the accidents come from, as typed.
        fingerprint: checksum of their files.
    """
    rows = held_out_rows({display_name(model.model_type): model}, features, accidents)
    labelled = int((accidents[LABEL] >= 0).sum())
    report = report_on_dataset(
        model,
        features.iloc[rows],
        accidents.iloc[rows],
        settings,
        source=source,
        fingerprint=source_fingerprint(fingerprint),
        dataset=f"{len(rows):,} of {labelled:,} labelled accidents, held out from its training",
    )
    summary = report.evaluation.summary() | {"labelled": labelled}
    figures = {"roc_auc": summary["roc_auc"], "f1": summary["f1"], "rows": summary["n"]}
    log_step_metadata({"model": model.model_type, **figures})
    return summary, HTMLString(report.html)
