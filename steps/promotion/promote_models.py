"""Newly registered models, given a stage where the rule approves of them."""

from typing import Annotated, Any

import pandas as pd
from zenml import step

import materializers.frame  # noqa: F401  # stores the frames
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.schemas.accidents import accidents_schema
from accidents.schemas.features import features_schema
from steps.metadata import log_step_metadata
from steps.validation import validate_frames
from tracking.connection import connect
from tracking.promotion import EvaluationData, promote_new_versions
from tracking.registry import Registry


@step(enable_cache=False)
@validate_frames(features=features_schema, accidents=accidents_schema)
def promote_models(
    registered: dict[str, Any],
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    source: str,
    evaluation: EvaluationSettings,
    rule: PromotionSettings,
    settings: TrackingSettings,
) -> Annotated[dict[str, Any], "promotions"]:
    """Measure every new version against the one that it would replace; by model type: stage, verdict and reasons.

    Args:
        registered: what `track_training` returned.
        features: the features of all accidents.
        accidents: the accidents, with their labels.
        source: where they come from, as typed.
        evaluation: how models are measured.
        rule: which stages are given without a command, and when.
        settings: where models are registered.
    """
    with connect(settings) as connection:
        found = promote_new_versions(
            Registry(connection), registered, EvaluationData(features, accidents, source), evaluation, rule
        )
    for name, verdicts in found.items():
        for stage, verdict in verdicts.items():
            print(f"{name} for {stage}: {'approved' if verdict['approved'] else 'refused'}, {verdict['reasons'][-1]}")
    log_step_metadata({name: {s: str(v["approved"]) for s, v in verdicts.items()} for name, verdicts in found.items()})
    return found
