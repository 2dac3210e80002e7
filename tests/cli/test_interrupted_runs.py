"""ZenML runs of killed processes do not stay "running"."""

import sqlite3
from dataclasses import replace

import pytest
from zenml import pipeline, step
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration

from accidents.process_owner import ProcessOwner
from cli import runs
from pipelines.interrupted_runs import interrupted_runs

pytestmark = [pytest.mark.slow, pytest.mark.traced]


@step(enable_cache=False)
def one() -> int:
    return 1


@pipeline(name="interrupted")
def counting() -> None:
    one()


def run_that_stays_running() -> str:
    """The name of a run whose process was killed in its step."""
    run = runs.run_pipeline(counting, cache=False, debug=True)
    url = str(GlobalConfiguration().store_configuration.url)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        for table, column in (("pipeline_run", "id"), ("step_run", "pipeline_run_id")):
            statement = f"UPDATE {table} SET status = 'running', end_time = NULL WHERE {column} = ?"  # noqa: S608
            assert database.execute(statement, (run.id.hex,)).rowcount == 1
    return str(run.name)


def test_the_next_run_ends_the_runs_of_killed_processes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    own = run_that_stays_running()
    current = ProcessOwner.current()
    for process in (replace(current, machine="0" * 12), replace(current, started=1)):
        monkeypatch.setattr(runs, "process_record", lambda process=process: {"process": str(process)})
        run_that_stays_running()
    (killed,) = interrupted_runs()
    assert killed.name != own
    runs.run_pipeline(counting, cache=False, debug=True)
    assert interrupted_runs() == []
    ended = Client().get_pipeline_run(killed.id)
    assert ended.status.value == "failed"
    assert [one.status.value for one in ended.steps.values()] == ["failed"]
    assert Client().get_pipeline_run(own).status.value == "running"
