"""The whole loop with a service that answers throughout: drift, alert, retraining, approval, promotion, reload."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests

from accidents.configuration.tracking import TrackingSettings
from accidents.sample.writer import write_sample
from serving.environment import DATABASE_URL_ENV
from tests.conftest import PROJECT
from tests.http_receiver import http_receiver
from tests.hyperparameters import by_type
from tests.monitoring.prometheus_server import alertmanager, prometheus
from tests.monitoring.test_every_alert import received
from tests.pipelines.conftest import configure
from tests.serving.in_process import EXAMPLES
from tests.serving.load_generator import wait_until
from tests.serving.service_process import ServiceProcess, start_service
from tracking.connection import connect
from tracking.ledger import read_entries
from tracking.registry import Registry
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.long

NAME, MODEL = "lightgbm", "Accident_Prediction_Lightgbm"
ACCIDENTS = 3000
CHANGED_SHARE = 0.15
"""Share of the slightly injured who are recorded as hospitalised in 2025: half of the accidents are priority then.

The limits of ingestion (`expectations` in configs/ingestion.yaml) take more than 60 % for wrong files."""


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options of a small model and lenient rules; databases of their own for ZenML, MLflow and the service."""
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path / "zenml"))
    monkeypatch.setenv("ZENML_LOCAL_STORES_PATH", str(tmp_path / "stores"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv(DATABASE_URL_ENV, f"sqlite:///{tmp_path}/serving.db")
    monkeypatch.delenv("ZENML_ACTIVE_STACK_ID", raising=False)
    floors = dict.fromkeys(("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy"), 0.3)
    guards = {"ece_worse_by_at_most": 0.05, "worst_department_worse_by_at_most": 0.5}
    return configure(
        tmp_path,
        ingestion={"source": {"data_folder": str(tmp_path / "raw"), "sample": {"accidents": ACCIDENTS}}},
        training={
            "models": [NAME],
            "models_folder": str(tmp_path / "models"),
            "reports_folder": str(tmp_path / "reports"),
            "model_settings": {NAME: {"parameters": by_type(rounds=60)[NAME]}},
        },
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        promotion={
            "floors": floors,
            "ceilings": {"brier": 0.3, "ece": 0.2},
            "guards": guards,
            "accidents_at_least": 300,
        },
        monitoring={"pictures": 0},
    )


@pytest.fixture
def next_year(tmp_path: Path) -> Path:
    """Accidents of 2025, of which more people are recorded as hospitalised."""
    folder = tmp_path / "2025"
    write_sample(folder, accidents=ACCIDENTS, year=2025)
    people = folder / "usagers-2025.csv"
    frame = pd.read_csv(people, sep=";", dtype=str)
    changed = (frame["grav"].str.strip() == "4") & (np.random.default_rng(0).random(len(frame)) < CHANGED_SHARE)
    frame.assign(grav=frame["grav"].mask(changed, "3")).to_csv(people, sep=";", index=False)
    return folder


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "run.py", *arguments]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(*arguments: str) -> str:
    """Output of a command that must succeed."""
    process = start(*arguments)
    output, _ = process.communicate(timeout=900)
    assert process.returncode == 0, output
    return output


def kill_when(text: str, process: "subprocess.Popen[str]") -> None:
    """`kill -9` once a line of the output contains a text."""
    assert process.stdout is not None
    assert any(text in line for line in process.stdout)
    process.kill()
    process.communicate()


@contextmanager
def asked_all_the_time(service: ServiceProcess) -> Iterator[list[int]]:
    """Statuses of predictions, ten a second during the block."""
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        with requests.Session() as session:
            while not stop.wait(0.1):
                statuses.append(session.post(f"{service.url}/v1/predict", json=EXAMPLES["low_risk"]).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def registry(options: list[str]) -> Iterator[Registry]:
    settings = TrackingSettings()
    with connect(settings, TrackingTarget(os.environ["MLFLOW_TRACKING_URI"], "tests", None)) as connection:
        yield Registry(connection)


def test_drift_is_found_and_one_better_model_is_trained_approved_and_served(
    tmp_path: Path, options: list[str], next_year: Path, registry: Registry
) -> None:
    retrain = ["retrain", "--model-name", NAME, "--source", str(next_year), *options]

    def stages() -> dict[str, str]:
        return {one.version: one.stage for one in registry.versions(MODEL)}

    run("--training", *options)
    run("registry", *options, "promote", "--model-name", NAME, "--version", "1")
    settings: dict[str, Any] = {"anonymous": True, "poll_seconds": 1, "records": {"flush_seconds": 0.2}}
    with (
        start_service(tmp_path, "--model-name", NAME, *options, **settings) as service,
        asked_all_the_time(service) as statuses,
        http_receiver() as receiver,
        alertmanager(tmp_path, receiver.url) as address,
        prometheus(tmp_path, service.url, "", address),
    ):
        simulated = ["--source", str(next_year), "--rate", "20", "--seconds", "50", "--outcomes-after", "1"]
        run("simulate", "--url", service.url, *simulated)
        run("--monitoring", "--model-name", NAME, *options)
        wait_until(lambda: "AccidentsMonitoring" in received(receiver))

        decision = run(*retrain, "--dry-run")
        assert ": train again" in decision
        assert "the label has changed" in decision
        assert stages() == {"1": "Production"}

        kill_when("train_lightgbm", start(*retrain))
        both = [start(*retrain), start(*retrain)]
        texts = [process.communicate(timeout=900)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], texts
        events = [one for text in texts for one in re.findall(r"registry approve (\S+)", text)]
        assert len(events) == 1, texts
        assert stages() == {"1": "Production", "2": "None"}

        run("registry", *options, "approve", events[0], "--reason", "outcomes are recorded differently in 2025")
        assert stages() == {"1": "Archived", "2": "Production"}
        promotion = read_entries(registry.connection)[-1]
        assert "approved by a person: outcomes are recorded differently in 2025" in promotion.reasons
        service.wait_until(lambda: get(service, "/v1/model").json()["version"] == "2")
        assert "no reason to train again" in run(*retrain)
    assert len(statuses) > 100
    assert {*statuses} == {200}


def get(service: ServiceProcess, path: str) -> requests.Response:
    return requests.get(f"{service.url}{path}", timeout=30)
