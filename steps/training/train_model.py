"""Training of one model type."""

from typing import Annotated

import pandas as pd
from zenml import step

import materializers.bundle
import materializers.frame  # noqa: F401  # stores the frames
from accidents.bundle import Bundle
from accidents.configuration.features import FeatureSettings
from accidents.configuration.training import TrainingSettings
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.schemas.features import features_schema
from accidents.tables import Accidents
from accidents.training import train, with_wait_policy
from steps.caching import cache_policy
from steps.metadata import log_step_metadata, source_fingerprint
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__))
@validate_frames(features=features_schema, accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def train_model(
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    vehicles: pd.DataFrame,
    people: pd.DataFrame,
    model_type: str,
    settings: TrainingSettings,
    information: FeatureSettings,
    fingerprint: str,
    editions: dict[str, str] | None = None,
) -> tuple[Annotated[Bundle, "{model_type}_model"], Annotated[pd.DataFrame, "{model_type}_predictions"]]:
    """Train and calibrate one model type, choose its threshold, and predict validation and test set.

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
    """
    trained = with_wait_policy(
        train,
        model_type,
        features,
        accidents,
        settings,
        level=information.level,
        geography=information.geography,
        details=Accidents(accidents, vehicles, people),
        fingerprint=source_fingerprint(fingerprint),
        editions=editions,
        progress=lambda message: print(f"{model_type}: {message}", flush=True),
    )
    log_step_metadata(
        {"rows": trained.bundle.rows, "fit_seconds": trained.bundle.fit_seconds, **trained.bundle.metrics}
    )
    return trained.bundle, trained.predictions
