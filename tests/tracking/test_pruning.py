"""Runs of ZenML that are deleted: old ones of our pipelines, with artifacts that no other run uses."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from zenml import pipeline, step
from zenml.client import Client

from accidents.configuration.tracking import PruningSettings
from tests.tracking.helpers import register_version
from tracking.connection import Connection
from tracking.pruning import delete_zenml_runs, find_expired
from tracking.registry import Registry

pytestmark = pytest.mark.slow
RULE = PruningSettings(keep_latest=1, older_than_days=0)


@step(enable_cache=False)
def number(value: int) -> int:
    return value


@pipeline(name="inference")
def ours(value: int) -> None:
    number(value)


@pipeline(name="of_another_project")
def foreign(value: int) -> None:
    number(value)


@pytest.fixture
def runs() -> Iterator[list[str]]:
    """Four runs of one of our pipelines, oldest first."""
    started = [str(run.id) for value in range(4) if (run := ours(value))]
    yield started
    for run in Client().list_pipeline_runs(pipeline="inference").items:
        Client().delete_pipeline_run(run.id)


def test_old_runs_of_our_pipelines_go_with_their_artifacts(connection: Connection, runs: list[str]) -> None:
    for value in range(3):
        foreign(value)
    register_version(connection, tags={"zenml_run_id": runs[1]})
    expired = find_expired(Registry(connection), RULE, datetime.now(UTC)).zenml_runs
    assert {str(run.id) for run in expired} == {runs[0], runs[2]}
    outputs = [run.steps["number"].output for run in expired]
    assert delete_zenml_runs(expired) == 2
    left = {str(run.id) for run in Client().list_pipeline_runs(pipeline="inference").items}
    assert left == {runs[1], runs[3]}
    store = Client().active_stack.artifact_store
    assert not any(store.exists(output.uri) for output in outputs)
    assert all(Client().get_pipeline_run(run).steps["number"].output.load() in (1, 3) for run in left)
