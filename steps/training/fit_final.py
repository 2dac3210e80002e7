"""Final model of one model type."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from zenml import step

import materializers.bundle  # noqa: F401  # loads and stores the models
from accidents.bundle import Bundle
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.training import TrainingSettings
from accidents.engine.frame_files import AccidentFrames, Frame
from accidents.schemas.accidents import accidents_schema, people_schema, vehicles_schema
from accidents.schemas.features import features_schema
from accidents.training import with_threads, with_wait_policy
from accidents.training.final_model import fit_final_model
from materializers.frame import load_frame
from steps.caching import cache_policy
from steps.execution import run
from steps.metadata import log_step_metadata, print_progress
from steps.validation import validate_frames


@step(cache_policy=cache_policy(__name__))
@validate_frames(features=features_schema, accidents=accidents_schema, vehicles=vehicles_schema, people=people_schema)
def fit_final(
    twin: Bundle,
    features: Frame,
    accidents: Frame,
    vehicles: Frame,
    people: Frame,
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
    fit: Callable[..., Bundle] = fit_final_model
    if engine.kind == "local":
        fit, settings = partial(with_wait_policy, fit_final_model), with_threads(settings, len(load_frame(features)))
    final = run(
        engine, fit, twin, features, accidents, settings, difference_at_most=difference_at_most,
        details=AccidentFrames(accidents, vehicles, people), takes_engine=True,
        progress=partial(print_progress, model_type),
    )  # fmt: skip
    log_step_metadata({"rows": final.rows, "fit_seconds": final.fit_seconds, "evaluated_twin": final.evaluated_twin})
    return final
