"""Selection of the registered version to deploy, and of data for automatic promotion."""

import pandas as pd
import pytest

from accidents.configuration.loading import load_configuration
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.stages import NONE, PRODUCTION, STAGING
from tests.tracking.helpers import NAME, consistent_stages, delete_all_models, register_version, transition_to
from tracking.connection import Connection, connect
from tracking.lookup import find_version
from tracking.promotion import EvaluationData, promote_new_versions
from tracking.registry import Registry
from tracking.tracking_uri import TrackingTarget

pytestmark = [pytest.mark.slow, pytest.mark.traced]

OTHER, THIRD = "Accident_Prediction_XGBoost", "Accident_Prediction_Random_Forest"


@pytest.mark.parametrize("stage", [PRODUCTION, STAGING])
def test_without_a_name_the_best_holder_of_the_stage_is_selected(
    connection: Connection, registry: Registry, stage: str
) -> None:
    delete_all_models(connection)
    versions = {held: register_version(connection) for held in (PRODUCTION, STAGING)}
    for held, version in versions.items():
        transition_to(registry, version, held)
    found = find_version(registry, None, None, stage)
    assert (found.name, found.version) == (versions[stage].name, versions[stage].version)
    delete_all_models(connection)


def test_a_model_of_real_accidents_is_better_than_any_of_synthetic_ones(
    connection: Connection, registry: Registry
) -> None:
    delete_all_models(connection)
    transition_to(registry, register_version(connection, NAME, {"source": "sample", "f1": "0.9"}), PRODUCTION)
    assert registry.best().name == NAME
    for name, figure in ((OTHER, "0.6"), (THIRD, "0.7")):
        transition_to(registry, register_version(connection, name, {"source": "baac/2024", "f1": figure}), PRODUCTION)
    assert registry.best().name == THIRD
    delete_all_models(connection)


def test_automatic_promotion_refuses_synthetic_data_for_a_model_of_real_accidents(
    connection: Connection, registry: Registry
) -> None:
    delete_all_models(connection)
    transition_to(registry, register_version(connection, NAME, {"source": "baac/2024"}), PRODUCTION)
    candidate = register_version(connection, NAME, {"source": "sample"})
    registered = {"lightgbm": {"name": NAME, "version": candidate.version}}
    rule = PromotionSettings(auto_transition_to_production=True)
    data = EvaluationData(pd.DataFrame(), pd.DataFrame(), "sample")
    found = promote_new_versions(registry, registered, data, load_configuration().evaluation, rule)["lightgbm"][
        PRODUCTION
    ]
    assert (found["approved"], found["version"]) == (False, "2")
    assert "was trained on real accidents" in found["reasons"][0]
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE}
    delete_all_models(connection)


def test_a_closed_output_is_not_reported_as_an_error_of_mlflow(embedded_store: TrackingTarget) -> None:
    with pytest.raises(BrokenPipeError), connect(load_configuration().tracking, embedded_store):
        raise BrokenPipeError
