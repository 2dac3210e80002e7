"""Which registered version a deployment takes, and whose fault it is when a reader of the output leaves."""

import pytest

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.effective import load
from steps.deployment import select_model as step
from tests.tracking.world import bare, forget, move
from tracking.connection import Connection, connected
from tracking.destination import Destination
from tracking.registry import PRODUCTION, STAGING, Registry

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", [PRODUCTION, STAGING])
def test_without_a_name_the_best_of_the_stage_is_taken(
    connection: Connection, registry: Registry, inside: Destination, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    forget(connection)
    versions = {held: bare(connection) for held in (PRODUCTION, STAGING)}
    for held, version in versions.items():
        move(registry, version, held)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", inside.uri)
    monkeypatch.setattr(step, "log_step", lambda _: None)
    found = step.select_model.entrypoint(None, None, DeploymentSettings(stage=stage), load().tracking)
    assert found == (versions[stage].name, versions[stage].version)
    forget(connection)


def test_a_reader_who_leaves_is_no_fault_of_mlflow(inside: Destination) -> None:
    with pytest.raises(BrokenPipeError), connected(load().tracking, inside):
        raise BrokenPipeError
