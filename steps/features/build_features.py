"""Features of clean accidents."""

from typing import Annotated

import pandas as pd
from zenml import step

import materializers.frame  # noqa: F401  # stores the frames
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.engine import connect
from accidents.features import feature_frame
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.schemas.features import features_schema
from accidents.tables import Accidents
from steps.caching import cache_policy
from steps.metadata import log_step_metadata
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__))
@validate_frames(accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema, features=features_schema)
def build_features(
    accidents: pd.DataFrame, vehicles: pd.DataFrame, people: pd.DataFrame, engine: EngineSettings = LOCAL_ENGINE
) -> Annotated[pd.DataFrame, "features"]:
    """Build the features of every level of information, and the place columns; without the label.

    Args:
        accidents: clean accidents.
        vehicles: of these accidents.
        people: of these accidents.
        engine: where they are computed.
    """
    with connect(engine) as connected:
        mapper = connected.map if connected.is_remote else None
        features = feature_frame(Accidents(accidents, vehicles, people), mapper)
    log_step_metadata({"rows": len(features), "columns": features.shape[1]})
    return features
