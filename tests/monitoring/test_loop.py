"""The whole loop with a service that answers throughout: drift, monitoring, alert, retraining, approval, reload."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
import yaml

from accidents.configuration.loading import load_configuration
from accidents.sample.writer import write_sample
from tests.conftest import PROJECT
from tests.hyperparameters import by_type
from tests.serving.in_process import EXAMPLES, parse_metrics
from tests.serving.service_process import ServiceProcess, start_service

pytestmark = pytest.mark.long

NAME = "lightgbm"


class Project:
    """Configuration files, database and accidents in a folder, and commands that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = f"sqlite:///{folder}/serving.db"
        sections = load_configuration().model_dump(mode="json")
        changes = {
            "ingestion": {"source": {"data_folder": str(folder / "raw"), "sample": {"accidents": 3000}}},
            "training": {
                "models": [NAME],
                "models_folder": str(folder / "models"),
                "reports_folder": str(folder / "reports"),
                "model_settings": {
                    NAME: {"parameters": by_type(rounds=60, n_estimators=10, min_samples_leaf=10)[NAME]}
                },
            },
            "promotion": {"floors": {"roc_auc": 0.6}, "ceilings": {"brier": 0.3}, "accidents_at_least": 300},
            "monitoring": {"pictures": 0},
        }
        self.options: list[str] = []
        for section, values in changes.items():
            file = folder / f"{section}.yaml"
            merged = _merged(sections[section], values)
            file.write_text(yaml.safe_dump({"pipeline": section, **merged}))
            self.options += ["--config", str(file)]
        write_sample(folder / "2025", accidents=3000, year=2025)
        people = folder / "2025" / "usagers-2025.csv"
        frame = pd.read_csv(people, sep=";", dtype=str)
        slightly = frame["grav"].str.strip() == "4"
        more_severe = slightly & (np.random.default_rng(0).random(len(frame)) < 0.15)
        frame.assign(grav=frame["grav"].mask(more_severe, "3")).to_csv(people, sep=";", index=False)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end."""
        done = self.start(*arguments)
        output, _ = done.communicate(timeout=900)
        assert done.returncode == code, output
        return str(output)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        environment = os.environ | {"SERVING_DATABASE_URL": self.database}
        return subprocess.Popen(
            [sys.executable, "run.py", *arguments],
            cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def retrain(self, *arguments: str) -> list[str]:
        source = str(self.folder / "2025")
        return ["retrain", "--model-name", NAME, "--source", source, *self.options, *arguments]


def _merged(values: dict[str, object], changes: dict[str, object]) -> dict[str, object]:
    def one(name: str, change: object) -> object:
        before = values.get(name)
        replaced = name in {"floors", "ceilings", "model_settings"}
        return (
            _merged(before, change)
            if isinstance(before, dict) and isinstance(change, dict) and not replaced
            else change
        )

    return values | {name: one(name, change) for name, change in changes.items()}


@contextmanager
def asked_all_the_time(service: ServiceProcess) -> Iterator[list[int]]:
    """Statuses of predictions that are asked for throughout."""
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


def versions(project: Project) -> dict[str, str]:
    text = project.run("registry", *project.options, "list-versions", "--model-name", NAME, "--json")
    return {one["version"]: one["stage"] for one in json.loads(text[text.index("[") :])}


def test_drift_is_found_and_one_better_model_is_trained_approved_and_served(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.run("--training", *project.options)
    registry = ["registry", *project.options]
    project.run(*registry, "promote", "--model-name", NAME, "--version", "1")
    settings = {"anonymous": True, "poll_seconds": 1, "records": {"flush_seconds": 0.2}}
    with (
        start_service(tmp_path, "--model-name", NAME, *project.options, **settings) as service,
        asked_all_the_time(service) as statuses,
    ):
        simulated = ["simulate", "--url", service.url, "--rate", "20", "--seconds", "50", "--outcomes-after", "1"]
        project.run(*simulated, "--source", str(tmp_path / "2025"))
        text = project.run("--monitoring", "--model-name", NAME, *project.options)
        assert "The label has changed" in text or "label have changed" in text
        service.wait_until(
            lambda: parse_metrics(requests.get(f"{service.url}/metrics", timeout=30).text)["accidents_drift_alarm"]
        )
        assert "train again" in project.run(*project.retrain("--dry-run"))
        assert versions(project) == {"1": "Production"}
        killed = project.start(*project.retrain())
        assert killed.stdout is not None
        for line in killed.stdout:  # kill -9 while it trains
            if "train_lightgbm" in line:
                break
        killed.kill()
        killed.communicate()
        both = [project.start(*project.retrain()) for _ in range(2)]
        texts = [process.communicate(timeout=900)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], texts
        assert sum("is waiting" in text and "registry approve" in text for text in texts) == 1, texts
        assert versions(project) == {"1": "Production", "2": "None"}
        (event,) = {word.rstrip(",") for text in texts for word in text.split() if word.startswith("lightgbm-1-")} - {
            ""
        }
        event = event.rstrip(":")
        project.run(*registry, "approve", event, "--reason", "the label has changed in 2025")
        assert versions(project) == {"1": "Archived", "2": "Production"}
        service.wait_until(
            lambda: requests.get(f"{service.url}/v1/model", timeout=30).json()["model"]["version"] == "2"
        )
        history = project.run(*registry, "history", "--model-name", NAME)
        assert "approved by a person: the label has changed in 2025" in " ".join(history.split())
        assert "train again" not in project.run(*project.retrain()) or "short time ago" in project.run(
            *project.retrain()
        )
        time.sleep(1)
    assert len(statuses) > 100
    assert {*statuses} == {200}
