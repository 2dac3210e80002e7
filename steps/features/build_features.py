"""Features of clean accidents."""

from typing import Annotated

from zenml import step

import materializers.frame  # noqa: F401  # stores the frames
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.engine.frame_files import AccidentFrames, Frame
from accidents.features import feature_frame
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.schemas.features import features_schema
from steps.caching import cache_policy
from steps.execution import run
from steps.metadata import log_step_metadata
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__))
@validate_frames(accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema, features=features_schema)
def build_features(
    accidents: Frame, vehicles: Frame, people: Frame, engine: EngineSettings = LOCAL_ENGINE
) -> Annotated[Frame, "features"]:
    """Build the features of every level of information, and the place columns; without the label.

    Args:
        accidents: clean accidents.
        vehicles: of these accidents.
        people: of these accidents.
        engine: where they are computed.
    """
    details = AccidentFrames(accidents, vehicles, people)
    features: Frame = run(engine, feature_frame, details, outputs={"features": features_schema}, takes_engine=True)
    log_step_metadata({"rows": features.shape[0], "columns": features.shape[1]})
    return features
