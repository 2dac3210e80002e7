"""Training of one model type."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import pandas as pd
from zenml import save_artifact, step

import materializers.bundle
import materializers.frame  # noqa: F401  # stores the frames
from accidents.bundle import Bundle
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.features import FeatureSettings
from accidents.configuration.training import TrainingSettings
from accidents.engine.frame_files import AccidentFrames, Frame
from accidents.monitoring.reference import reference_table, train_with_reference
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.schemas.features import features_schema
from accidents.training import train, train_planned
from steps.caching import cache_policy
from steps.execution import run
from steps.metadata import input_ids, inside_pipeline, log_step_metadata, print_progress, source_fingerprint
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__))
@validate_frames(features=features_schema, accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def train_model(
    features: Frame,
    accidents: Frame,
    vehicles: Frame,
    people: Frame,
    model_type: str,
    settings: TrainingSettings,
    information: FeatureSettings,
    fingerprint: str,
    editions: dict[str, str] | None = None,
    engine: EngineSettings = LOCAL_ENGINE,
) -> tuple[Annotated[Bundle, "{model_type}_model"], Annotated[pd.DataFrame, "{model_type}_predictions"]]:
    """Train and calibrate one model type, choose its threshold, predict validation and test set, count its reference.

    Args:
        features: features of every level.
        accidents: labels, dates for a temporal split, and with `vehicles` and `people` what callers leave out.
        vehicles: of these accidents.
        people: of these accidents.
        model_type: a module of `accidents.models`.
        settings: split, resampling, tuning, threshold rule, hyperparameters.
        information: level of information, and whether place columns are used.
        fingerprint: checksum of the files that the accidents come from.
        editions: digests of their editions by year; None where they are not known.
        engine: where the model is fitted.
    """
    fit: Any = train
    progress: Any = partial(print_progress, model_type)
    if engine.kind == "local":
        fit, progress = partial(train_planned, data=input_ids()), print_progress
    trained, reference = run(
        engine, train_with_reference, fit, model_type, features, accidents, settings,
        details=AccidentFrames(accidents, vehicles, people), level=information.level, geography=information.geography,
        fingerprint=source_fingerprint(fingerprint), editions=editions, takes_engine=True, progress=progress,
    )  # fmt: skip
    bundle = trained.bundle
    log_step_metadata({"rows": bundle.rows, "fit_seconds": bundle.fit_seconds, **bundle.metrics})
    if inside_pipeline():
        save_artifact(reference_table(reference), f"{model_type}_reference")
    return replace(bundle, reference=reference), trained.predictions
