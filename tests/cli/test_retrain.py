"""`run.py retrain`: its decision, cool-down and lease; candidates that `registry approve` and `reject` decide about."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from accidents.configuration.serving import RecordSettings
from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import DataError
from cli import retrain as retrain_command
from cli.main import main
from serving.environment import DATABASE_URL_ENV
from serving.records.database import migrate, open_database
from serving.records.leases import lease
from serving.records.retrainings import FAILED, REJECTED, WAITING, list_retrainings, set_state, start_retraining
from serving.records.tables import retrainings
from tests.pipelines.conftest import configure
from tests.tracking.helpers import NAME, consistent_stages, register_version, single_model_training, transition_to
from tracking.connection import connect
from tracking.registration import record_and_register
from tracking.registry import Registry
from tracking.tracking_uri import embedded_target

pytestmark = [pytest.mark.slow, pytest.mark.traced]
EVENT = "lightgbm-1-01234567"
Run = Callable[..., tuple[int, str]]


@dataclass(frozen=True)
class Operation:
    """A registry whose version 1 is in Production and whose version 2 is a candidate, and the database."""

    registry: Registry
    engine: Engine
    options: list[str]


@pytest.fixture(scope="module")
def operation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operation]:
    folder = tmp_path_factory.mktemp("retrain")
    settings = TrackingSettings(folder=folder / "mlruns")
    options = configure(
        folder,
        tracking={"folder": str(folder / "mlruns")},
        ingestion={"source": {"data_folder": str(folder / "raw"), "sample": {"accidents": 500, "year": 2025}}},
    )
    with pytest.MonkeyPatch.context() as patch, connect(settings, embedded_target(settings)) as connection:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv(DATABASE_URL_ENV, f"sqlite:///{folder}/serving.db")
        engine = open_database(RecordSettings())
        migrate(engine)
        record_and_register(connection, single_model_training("lightgbm"), settings)
        registry = Registry(connection)
        transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
        register_version(connection)
        yield Operation(registry, engine, options)
        engine.dispose()


@pytest.fixture
def run(operation: Operation, capsys: pytest.CaptureFixture[str]) -> Run:
    def typed(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([words[0], *operation.options, *words[1:]])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return code, output.out + output.err

    return typed


def test_a_dry_run_names_the_reasons_and_records_nothing(operation: Operation, run: Run) -> None:
    code, output = run("retrain", "--model-name", "lightgbm", "--dry-run")
    assert code == 0
    assert f"{NAME} 1: train again\n" in output
    assert "has 12 months that the model has not learned from, 2025-01 to 2025-12" in output
    assert list_retrainings(operation.engine) == []


def test_a_model_whose_lease_is_held_is_left_alone(operation: Operation, run: Run) -> None:
    with lease(operation.engine, f"retraining of {NAME}"):
        code, output = run("retrain", "--model-name", "lightgbm")
    assert (code, "nothing was done" in output) == (0, True)
    assert list_retrainings(operation.engine) == []


def test_age_alone_is_a_reason(operation: Operation, run: Run, tmp_path: Path) -> None:
    policy = {"retraining": {"days_at_most": 1e-6, "new_months_at_least": 100}}
    code, output = run("retrain", "--model-name", "lightgbm", "--dry-run", *configure(tmp_path, monitoring=policy))
    assert (code, f"{NAME} 1: train again\n  the model is " in output) == (0, True)
    assert "days old, more than 1e-06" in output


def test_a_failed_event_is_tried_again_and_starts_no_cool_down(
    operation: Operation, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DataError("usagers-2025.csv: no column grav")

    monkeypatch.setattr(retrain_command, "_train", fail)
    start_retraining(operation.engine, "lightgbm-1-00000000", NAME, [])
    set_state(operation.engine, "lightgbm-1-00000000", FAILED, ["another file was broken"], version=None)
    for _ in range(2):
        code, output = run("retrain", "--model-name", "lightgbm")
        assert (code, "no column grav" in output) == (1, True)
        (event, _) = list_retrainings(operation.engine, NAME)
        assert event.state == FAILED
        assert event.explanation[-1] == "usagers-2025.csv: no column grav"
    with operation.engine.begin() as connection:
        connection.execute(delete(retrainings))


def test_people_decide_about_candidates_that_wait(operation: Operation, run: Run) -> None:
    engine, registry = operation.engine, operation.registry
    assert "no model was trained again" in run("registry", "retrainings")[1]
    start_retraining(engine, EVENT, NAME, ["the label has changed"])
    assert run("registry", "approve", EVENT, "--reason", "x")[0] != 0  # it is being trained
    set_state(engine, EVENT, WAITING, ["better in F1"], version="2")
    assert "is not known; waiting: lightgbm-1-01234567" in run("registry", "reject", "other", "--reason", "x")[1]
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE}
    assert run("registry", "approve", EVENT, "--reason", "seen on the dashboard")[0] == 0
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION}
    output = run("registry", "retrainings")[1]
    assert all(part in output for part in ("the label has changed", "better in F1", "seen on the dashboard"))
    assert "seen on the dashboard" in run("registry", "history", "--json")[1]
    assert "checks hold" not in run("registry", "history")[1]
    assert run("registry", "reject", EVENT, "--reason", "too late")[0] != 0
    transition_to(registry, registry.version(NAME, "1"), PRODUCTION)


def test_a_rejected_candidate_stays_where_it_is(operation: Operation, run: Run) -> None:
    before = consistent_stages(operation.registry)
    event = "lightgbm-1-76543210"
    start_retraining(operation.engine, event, NAME, [])
    set_state(operation.engine, event, WAITING, [], version="2")
    assert run("registry", "reject", event, "--reason", "worse by night")[0] == 0
    assert {one.event: one.state for one in list_retrainings(operation.engine)}[event] == REJECTED
    assert consistent_stages(operation.registry) == before


def test_nothing_is_trained_during_the_cool_down(operation: Operation, run: Run) -> None:
    start_retraining(operation.engine, "lightgbm-1-11111111", NAME, [])
    set_state(operation.engine, "lightgbm-1-11111111", REJECTED, [], version="2")
    before = list_retrainings(operation.engine)
    code, output = run("retrain", "--model-name", "lightgbm")
    assert (code, "was trained again a short time ago: not before" in output) == (0, True)
    assert list_retrainings(operation.engine) == before
