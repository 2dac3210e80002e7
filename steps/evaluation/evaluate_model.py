"""Evaluation of a trained model on labelled accidents."""

from typing import Annotated, Any

from zenml import step
from zenml.types import HTMLString

import materializers.bundle
import materializers.frame  # noqa: F401  # stores the frames
from accidents.bundle import Bundle
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.evaluation import EvaluationSettings
from accidents.engine.frame_files import Frame
from accidents.models import model_types
from accidents.report.model_report import report_on_held_out
from accidents.schemas.accidents import accidents_schema
from accidents.schemas.features import features_schema
from materializers.json_file import JSON_MATERIALIZER
from steps.caching import cache_policy
from steps.execution import run
from steps.metadata import log_step_metadata, source_fingerprint
from steps.validation import validate_frames


@step(
    cache_policy=cache_policy(__name__, *(f"accidents.models.{name}" for name in model_types())),
    output_materializers={"evaluation": JSON_MATERIALIZER},
)
@validate_frames(features=features_schema, accidents=accidents_schema)
def evaluate_model(
    model: Bundle,
    features: Frame,
    accidents: Frame,
    settings: EvaluationSettings,
    source: str,
    fingerprint: str,
    engine: EngineSettings = LOCAL_ENGINE,
) -> tuple[Annotated[dict[str, Any], "evaluation"], Annotated[HTMLString, "evaluation_report"]]:
    """Evaluate a model on accidents outside its training set, overall and by department, road, light and month.

    Args:
        model: the bundle.
        features: the features of the accidents.
        accidents: the accidents with their labels.
        settings: bootstrap resamples, calibration bins, groups.
        source: where the accidents come from, as typed.
        fingerprint: checksum of their files.
        engine: where.
    """
    summary, report = run(
        engine, report_on_held_out, model, features, accidents, settings,
        source=source, fingerprint=source_fingerprint(fingerprint),
    )  # fmt: skip
    figures = {"roc_auc": summary["roc_auc"], "f1": summary["f1"], "rows": summary["n"]}
    log_step_metadata({"model": model.model_type, **figures})
    return summary, HTMLString(report)
