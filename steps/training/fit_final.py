"""Final model of one model type."""

from typing import Annotated

import pandas as pd
from zenml import step

import materializers.bundle
import materializers.frame  # noqa: F401  # loads and stores the inputs and outputs
from accidents.bundle import Bundle
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.training import TrainingSettings
from accidents.engine import connect
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.schemas.features import features_schema
from accidents.tables import Accidents
from accidents.training import with_threads, with_wait_policy
from accidents.training.final_model import fit_final_model
from steps.caching import cache_policy
from steps.metadata import log_step_metadata
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__))
@validate_frames(features=features_schema, accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def fit_final(
    twin: Bundle,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    vehicles: pd.DataFrame,
    people: pd.DataFrame,
    model_type: str,
    settings: TrainingSettings,
    difference_at_most: float,
    engine: EngineSettings = LOCAL_ENGINE,
) -> Annotated[Bundle, "{model_type}_final_model"]:
    """Fit the recipe of an evaluated model once more on all labelled accidents, test set included.

    Args:
        twin: the evaluated model.
        features: features of every level.
        accidents: labels, dates for a temporal split, and with `vehicles` and `people` what callers leave out.
        vehicles: of these accidents.
        people: of these accidents.
        model_type: that of the model, for the name of the artifact.
        settings: those of its training.
        difference_at_most: greatest mean difference of the probabilities of the two models on the test set.
        engine: where the model is fitted.
    """
    with connect(engine) as connected:
        final = with_wait_policy(
            fit_final_model,
            twin,
            features,
            accidents,
            settings if connected.is_remote else with_threads(settings, len(features)),
            difference_at_most=difference_at_most,
            details=Accidents(accidents, vehicles, people),
            engine=connected,
            progress=lambda message: print(f"{model_type}: {message}", flush=True),
        )
    log_step_metadata({"rows": final.rows, "fit_seconds": final.fit_seconds, "evaluated_twin": final.evaluated_twin})
    return final
