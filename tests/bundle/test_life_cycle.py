"""The life of models while features change, typed as users type it, in a copy of the project with its own stores.

A model in Production, then a feature more and one from a BAAC column that no feature has used; a second model, which is
compared, promoted, served, reloaded and taken back. At last a feature is redefined.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests
import yaml

from tests.pipelines.conftest import SMALL, configure
from tests.serving.service_process import ServiceProcess, start_service

NAME = "Accident_Prediction_Lightgbm"
CATALOGUE = "accidents/features/catalogue.py"
COLUMNS = "accidents/features/array_columns.py"
ADDED = """    _count(_VEHICLES, "animals_hit", "vehicles that hit an animal", obsm=(5, 6)),
    _count(_VEHICLES, "increasing_direction", "vehicles in the direction of increasing addresses", senc=1),
"""


def edit(root: Path, file: str, old: str, new: str) -> None:
    text = (root / file).read_text()
    assert text.count(old) == 1, (file, old, text.count(old))
    (root / file).write_text(text.replace(old, new))


class Project:
    """A copy of the project, in which commands are typed."""

    def __init__(self, root: Path, original: Path) -> None:
        self.root = root
        for name in ("accidents", "cli", "configs", "examples", "materializers", "pipelines", "serving", "stacks"):
            shutil.copytree(original / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("steps", "tracking"):
            shutil.copytree(original / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(original / "run.py", root)
        self.environment = {
            **os.environ,
            "MLFLOW_TRACKING_URI": "",
            "ZENML_CONFIG_PATH": str(root / "zenml"),
            "ZENML_LOCAL_STORES_PATH": str(root / "stores"),
            "SERVING_DATABASE_URL": f"sqlite:///{root}/serving.db",
        }
        self.training = configure(
            root,
            ingestion={"source": {"sample": {"accidents": 3000}}},
            training={"model_settings": {name: {"parameters": values} for name, values in SMALL.items()}},
            evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a command prints; its exit code must be `code`."""
        process = subprocess.run(
            [sys.executable, "run.py", *arguments], cwd=self.root, env=self.environment, capture_output=True, text=True
        )
        output = process.stdout + process.stderr
        assert process.returncode == code, output
        return output

    def predict(self) -> str:
        """Prediction, probability, threshold and reasons of the Production model for an example."""
        output = self.run("--predict", "examples/high_risk.json", "--model-name", NAME)
        return output[output.index("Prediction:") : output.index("Not known:")]

    def train(self) -> None:
        self.run("--training", "--models", "lightgbm", "--level", "scene", *self.training)

    def production(self) -> str:
        """Number of the version in Production."""
        versions = json.loads(self.run("registry", "list-versions", "--model-name", NAME, "--json").strip())
        return next(one["version"] for one in versions if one["stage"] == "Production")

    def serve(self) -> AbstractContextManager[ServiceProcess]:
        """A service of the Production model."""
        options = ("--model-name", NAME, "--anonymous")
        return start_service(self.root, *options, environment=self.environment, project=self.root, poll_seconds=3600)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_models_of_different_feature_sets_live_side_by_side(tmp_path: Path, project: Path) -> None:
    copy = Project(tmp_path, project)
    copy.train()
    copy.run("registry", "promote", "--model-name", NAME)
    before = copy.predict()

    edit(copy.root, COLUMNS, '"catv", "obs", "obsm"', '"catv", "senc", "obs", "obsm"')
    edit(copy.root, CATALOGUE, "\n)  # fmt: skip\n\n_POLICE_FORM", f"\n{ADDED})  # fmt: skip\n\n_POLICE_FORM")
    assert copy.predict() == before, "the incumbent answers as before"

    copy.train()
    rule = tmp_path / "promotion.yaml"
    lenient = {"metric": "roc_auc", "at_least": -1.0, "significant": False}
    shipped = yaml.safe_load((copy.root / "configs" / "promotion.yaml").read_text())
    shipped |= {
        "floors": {},
        "ceilings": {},
        "improvement": shipped["improvement"] | lenient,
        "accidents_at_least": 100,
    }
    shipped["guards"] = {key: 1.0 if "worse" in key else value for key, value in shipped["guards"].items()}
    rule.write_text(yaml.safe_dump(shipped))
    rules = [*copy.training, "--config", str(rule)]
    compared = copy.run("registry", *rules, "compare", "--model-name", NAME, "--versions", "1,2")
    assert "1" in compared

    with copy.serve() as service:
        url = service.url
        accident = json.loads((copy.root / "examples" / "high_risk.json").read_text())
        first = requests.post(f"{url}/v1/predict", json=accident, timeout=10).json()
        assert first["model"]["version"] == "1"
        assert "increasing_direction" not in requests.get(f"{url}/v1/model", timeout=10).json()["features"]

        copy.run("registry", *rules, "auto-promote", "--model-name", NAME)
        assert copy.production() == "2"
        service.process.send_signal(signal.SIGHUP)
        service.wait_until(lambda: requests.get(f"{url}/v1/model", timeout=10).json()["version"] == "2")
        assert "increasing_direction" in requests.get(f"{url}/v1/model", timeout=10).json()["features"]
        assert requests.post(f"{url}/v1/predict", json=accident, timeout=10).json()["model"]["version"] == "2"

        copy.run("registry", "rollback", "--model-name", NAME)
        assert copy.production() == "1"
        service.process.send_signal(signal.SIGHUP)
        service.wait_until(lambda: requests.get(f"{url}/v1/model", timeout=10).json()["version"] == "1")
        again = requests.post(f"{url}/v1/predict", json=accident, timeout=10).json()
        assert again["probability"] == first["probability"]

    edit(copy.root, CATALOGUE, '"senior_pedestrians", "pedestrians of 65 and over"', '"senior_pedestrians", "older"')
    assert copy.predict() == before, "a rewording changes nothing"
    edit(copy.root, CATALOGUE, '"drivers", "drivers", catu=_DRIVER', '"drivers", "drivers", catu=_PASSENGER')
    refused = copy.run("--predict", "examples/high_risk.json", "--model-name", NAME, code=1)
    assert "drivers" in refused
    assert "changed" in refused
    assert "Train the model again" in refused
    assert "Traceback" not in refused
