"""Automatic promotion of newly registered models."""

from typing import Annotated, Any

from zenml import step

from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.engine.frame_files import Frame
from accidents.schemas.accidents import accidents_schema
from accidents.schemas.features import features_schema
from materializers.frame import load_frame
from materializers.json_file import JSON_MATERIALIZER
from steps.metadata import log_step_metadata
from steps.validation import validate_frames
from tracking.connection import connect
from tracking.promotion import EvaluationData, promote_new_versions
from tracking.registry import Registry


@step(enable_cache=False, output_materializers={"promotions": JSON_MATERIALIZER})
@validate_frames(features=features_schema, accidents=accidents_schema)
def promote_models(
    registered: dict[str, Any],
    features: Frame,
    accidents: Frame,
    source: str,
    evaluation: EvaluationSettings,
    rule: PromotionSettings,
    settings: TrackingSettings,
) -> Annotated[dict[str, Any], "promotions"]:
    """Evaluate every new version against the incumbent, and promote it if the rule approves.

    Args:
        registered: output of `track_training`.
        features: the features of all accidents.
        accidents: the accidents, with their labels.
        source: where they come from, as typed.
        evaluation: settings of the evaluation.
        rule: the promotion rule, and the stages of automatic promotion.
        settings: MLflow in use.

    Returns:
        By model type and stage: `version`, `approved`, `reasons`.
    """
    with connect(settings) as connection:
        data = EvaluationData(load_frame(features), load_frame(accidents), source)
        decisions = promote_new_versions(Registry(connection), registered, data, evaluation, rule)
    for name, by_stage in decisions.items():
        for stage, decision in by_stage.items():
            print(f"{name} for {stage}: {'approved' if decision['approved'] else 'refused'}, {decision['reasons'][-1]}")
    approved = {name: {stage: str(one["approved"]) for stage, one in own.items()} for name, own in decisions.items()}
    log_step_metadata(approved)
    return decisions
