"""Which registered version a deployment takes, and whose fault it is when a reader of the output leaves."""

import pandas as pd
import pytest

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.loading import load_configuration
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.stages import NONE, PRODUCTION, STAGING
from steps.deployment import select_model as step
from tests.tracking.helpers import NAME, bare, forget, move, stages
from tracking.connection import Connection, connect
from tracking.promotion import EvaluationData, promote_new_versions
from tracking.registry import Registry
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.slow

OTHER, THIRD = "Accident_Prediction_XGBoost", "Accident_Prediction_Random_Forest"


@pytest.mark.parametrize("stage", [PRODUCTION, STAGING])
def test_without_a_name_the_best_of_the_stage_is_taken(
    connection: Connection, registry: Registry, inside: TrackingTarget, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    forget(connection)
    versions = {held: bare(connection) for held in (PRODUCTION, STAGING)}
    for held, version in versions.items():
        move(registry, version, held)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", inside.uri)
    monkeypatch.setattr(step, "log_step", lambda _: None)
    found = step.select_model.entrypoint(None, None, DeploymentSettings(stage=stage), load_configuration().tracking)
    assert found == (versions[stage].name, versions[stage].version)
    forget(connection)


def test_a_model_of_real_accidents_is_better_than_any_of_synthetic_ones(
    connection: Connection, registry: Registry
) -> None:
    forget(connection)
    move(registry, bare(connection, NAME, {"source": "sample", "f1": "0.9"}), PRODUCTION)
    assert registry.best().name == NAME
    for name, figure in ((OTHER, "0.6"), (THIRD, "0.7")):
        move(registry, bare(connection, name, {"source": "baac/2024", "f1": figure}), PRODUCTION)
    assert registry.best().name == THIRD
    forget(connection)


def test_a_training_that_may_not_be_judged_says_so_and_goes_on(connection: Connection, registry: Registry) -> None:
    forget(connection)
    move(registry, bare(connection, NAME, {"source": "baac/2024"}), PRODUCTION)
    candidate = bare(connection, NAME, {"source": "sample"})
    registered = {"lightgbm": {"name": NAME, "version": candidate.version}}
    rule = PromotionSettings(auto_transition_to_production=True)
    data = EvaluationData(pd.DataFrame(), pd.DataFrame(), "sample")
    found = promote_new_versions(registry, registered, data, load_configuration().evaluation, rule)["lightgbm"][
        PRODUCTION
    ]
    assert (found["approved"], found["version"]) == (False, "2")
    assert "was trained on real accidents" in found["reasons"][0]
    assert stages(registry) == {"1": PRODUCTION, "2": NONE}
    forget(connection)


def test_a_reader_who_leaves_is_no_fault_of_mlflow(inside: TrackingTarget) -> None:
    with pytest.raises(BrokenPipeError), connect(load_configuration().tracking, inside):
        raise BrokenPipeError
