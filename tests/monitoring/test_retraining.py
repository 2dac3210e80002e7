"""Retraining: what is a reason, that one process alone trains, and what becomes of one that was killed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, update

from accidents.configuration.monitoring import MonitoringSettings, RetrainingSettings
from accidents.monitoring.performance import compare_outcomes
from accidents.monitoring.retraining import RetrainingDecision, decide_retraining
from serving.records.leases import EXPIRES_AFTER, LeaseHeldError, lease
from serving.records.retrainings import (
    FAILED,
    REJECTED,
    TRAINING,
    WAITING,
    end_promoted,
    find_retraining,
    list_retrainings,
    set_state,
    start_retraining,
)
from serving.records.tables import leases
from tests.conftest import PROJECT
from tests.monitoring.monitored import monitored_model
from tests.serving.records.databases import (
    migrated_database,
    new_postgresql_database,
    new_sqlite_file,
    postgresql_server,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUIET: dict[str, Any] = {
    "findings": [],
    "label_changed": False,
    "inputs_changed": False,
    "drift_share": 0.0,
    "outcomes": {"roc_auc": {"value": 0.85, "low": 0.82, "high": 0.88}, "ece": 0.01},
}
HOLD = """
import sys, time
from accidents.configuration.serving import RecordSettings
from serving.records.database import open_database
from serving.records.leases import lease
with lease(open_database(RecordSettings(database_url=sys.argv[1]), {}), "model"):
    print("held", flush=True)
    time.sleep(60)
"""


def decide(monitoring: dict[str, Any] | None, **changes: Any) -> RetrainingDecision:
    values = {"trained_at": "2025-12-01T00:00:00+00:00", "trained_months": ["2024-01"], "source_months": ["2024-01"]}
    return decide_retraining(monitoring, **values | changes, now=NOW, policy=RetrainingSettings())


def finding(change: str) -> dict[str, Any]:
    return {"change": change, "text": f"about {change}", "alarm": True}


def test_without_a_reason_the_decision_says_what_was_looked_at() -> None:
    decision = decide(QUIET)
    assert not decision.retrain
    text = "\n".join(decision.reasons)
    assert "31 days old" in text
    assert "ROC-AUC in operation is 0.850 (0.820 to 0.880, not below 0.780)" in text


@pytest.mark.parametrize(
    ("monitoring", "changes", "reason"),
    [
        (QUIET | {"label_changed": True, "findings": [finding("calibration")]}, {}, "about calibration"),
        (QUIET | {"inputs_changed": True, "findings": [finding("roc_auc")]}, {}, "costs performance"),
        (
            QUIET | {"outcomes": {"roc_auc": {"value": 0.7, "low": 0.68, "high": 0.72}, "ece": 0.01}},
            {},
            "0.700 (0.680 to 0.720, below 0.780)",
        ),
        (QUIET | {"outcomes": {"roc_auc": None, "ece": 0.2}}, {}, "the rest is above 0.080"),
        (None, {"trained_at": "2024-01-01T00:00:00+00:00"}, "731 days old"),
        (None, {"source_months": [f"2025-{month:02d}" for month in range(1, 13)]}, "2025-01 to 2025-12"),
    ],
)
def test_each_reason_alone_is_enough(monitoring: dict[str, Any] | None, changes: dict[str, Any], reason: str) -> None:
    decision = decide(monitoring, **changes)
    assert decision.retrain
    assert reason in " ".join(decision.reasons)


def test_what_chance_gives_with_few_outcomes_is_no_reason() -> None:
    reference, departments = monitored_model().reference, np.zeros(200, np.int64)
    assert reference is not None
    errors = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        probability = rng.uniform(0.2, 0.8, 200)
        labels = (rng.random(200) < probability).astype(float)
        outcomes = compare_outcomes(probability, labels, departments, reference, MonitoringSettings())
        assert outcomes is not None
        own = {"ece": outcomes.expected_calibration_error, "ece_by_chance": outcomes.calibration_error_by_chance}
        assert not decide(QUIET | {"outcomes": QUIET["outcomes"] | own}).retrain
        errors.append(own["ece"])
    assert np.mean(errors) > RetrainingSettings().calibration_error_at_most
    assert not decide(QUIET | {"outcomes": {"roc_auc": {"value": 0.77, "low": 0.7, "high": 0.84}, "ece": 0.01}}).retrain


def test_drift_that_costs_nothing_is_no_reason() -> None:
    assert not decide(QUIET | {"inputs_changed": True, "drift_share": 0.4, "findings": [finding("missing")]}).retrain


@pytest.mark.parametrize(
    ("trained_at", "reason"),
    [
        ("2024-11-27T00:00:01+00:00", "400 days old, at most 400"),
        ("2024-11-26T23:59:59+00:00", ""),
        ("", "when the model was trained is not known"),
        ("2020-01-01", "when the model was trained is not known"),  # without a time zone
    ],
)
def test_the_age_counts_to_the_second_and_one_that_is_not_known_is_no_reason(trained_at: str, reason: str) -> None:
    decision = decide(None, trained_at=trained_at)
    assert decision.retrain == (not reason)
    assert reason in " ".join(decision.reasons)


@pytest.mark.parametrize(("months", "retrain"), [(11, False), (12, True)])
def test_a_year_of_new_months_is_a_new_edition(months: int, retrain: bool) -> None:
    new = [f"2025-{month:02d}" for month in range(1, months + 1)]
    decision = decide(None, source_months=["2024-01", *new])
    assert decision.retrain is retrain
    assert f"has {months} months that the model has not learned from, 2025-01 to {new[-1]}" in " ".join(
        decision.reasons
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database."""
    if request.param == "sqlite":
        yield new_sqlite_file(tmp_path)
        return
    with postgresql_server() as server:
        yield new_postgresql_database(server)


def test_of_processes_at_once_one_holds_the_lease_and_is_followed_by_one_when_it_is_killed(url: str) -> None:
    engine, _ = migrated_database(url)
    processes: list[subprocess.Popen[str]] = []
    try:
        for _ in range(2):
            new = [
                subprocess.Popen([sys.executable, "-c", HOLD, url], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
                for _ in range(2)
            ]
            processes += new
            first = [process.stdout.readline() for process in new if process.stdout]
            assert sorted(first) == ["", "held\n"]
            with pytest.raises(LeaseHeldError, match="model is held by process"), lease(engine, "model"):
                pass
            with lease(engine, "another model"):
                pass
            (holder,) = (process for process, line in zip(new, first, strict=True) if line)
            holder.kill()
            holder.wait()
        with lease(engine, "model"), pytest.raises(LeaseHeldError), lease(engine, "model"):
            pass
    finally:
        for process in processes:
            process.kill()
            process.wait()
        engine.dispose()


def test_a_lease_of_another_machine_is_taken_over_when_it_is_no_longer_renewed(tmp_path: Path) -> None:
    engine, _ = migrated_database(new_sqlite_file(tmp_path))

    owner = "00ff00ff00ff-17-1200/1"
    with engine.begin() as connection:
        connection.execute(insert(leases), {"name": "model", "owner": owner, "renewed_at": datetime.now(UTC)})
    with pytest.raises(LeaseHeldError, match=owner), lease(engine, "model"):
        pass
    with engine.begin() as connection:
        connection.execute(update(leases).values(renewed_at=datetime.now(UTC) - EXPIRES_AFTER))
    with lease(engine, "model"):
        pass
    engine.dispose()


def test_an_event_is_recorded_once_and_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    engine, _ = migrated_database(new_sqlite_file(tmp_path))
    start_retraining(engine, "lightgbm-1-abc", "Model", ["the label has changed"])
    start_retraining(engine, "lightgbm-1-abc", "Model", ["the label has changed"])  # after a kill
    assert [one.state for one in list_retrainings(engine)] == [TRAINING]
    assert set_state(engine, "lightgbm-1-abc", WAITING, ["F1 is better"], version="2")
    assert not set_state(engine, "lightgbm-1-abc", FAILED, [], version=None)  # it is not in training any more
    assert set_state(engine, "lightgbm-1-abc", REJECTED, ["no"], version="2", expected=WAITING)
    start_retraining(engine, "lightgbm-1-def", "Model", ["another edition"])
    set_state(engine, "lightgbm-1-def", TRAINING, (), version="3")
    end_promoted(engine, "Model", "2", "Production")
    assert {one.event: one.state for one in list_retrainings(engine)} == {
        "lightgbm-1-abc": REJECTED,
        "lightgbm-1-def": TRAINING,
    }
    end_promoted(engine, "Model", "3", "Production")  # its command was killed after the promotion
    assert list_retrainings(engine)[0].state == "Production"
    found = find_retraining(engine, "lightgbm-1-abc")
    assert found is not None
    assert (found.state, found.version) == (REJECTED, "2")
    assert found.explanation == ("the label has changed", "F1 is better", "no")
    assert time.time() - found.changed_at.timestamp() < 60
    engine.dispose()
