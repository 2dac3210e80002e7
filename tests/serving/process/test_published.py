"""Promotion publishes the Production model, and a service follows it without MLflow and ZenML."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import requests

from accidents.bundle.publication import LOCATION_ENV, POINTER_FILE
from accidents.configuration.stages import ARCHIVED, PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import ModelError
from accidents.models import model_types
from cli.main import main
from serving.model.published import published_model_resolver
from tests.conftest import PROJECT
from tests.serving.in_process import ACCIDENT
from tests.serving.load_generator import LoadGenerator
from tests.serving.process.test_registry import SHIFTS, bundle_of, register, reload, stored_of
from tests.serving.service_process import create_admin_key, save_small_model, start_service
from tests.tracking.helpers import NAME, transition_to
from tracking import zenml_sync
from tracking.connection import Connection, connect
from tracking.publication import PublicationError, publish_production
from tracking.registry import Registry
from tracking.stages import rollback
from tracking.tracking_uri import embedded_target

pytestmark = pytest.mark.long

REFUSE_IMPORTS = """
import os, sys
refused = set(os.environ["REFUSED_MODULES"].split(","))
class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in requirements-serving.lock", name=name)
sys.meta_path.insert(0, Refusal())
"""


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """Two versions of a model, of which none is in Production; changes are published in a folder."""
    monkeypatch.setenv(LOCATION_ENV, str(tmp_path / "published"))
    settings = TrackingSettings(folder=tmp_path / "mlruns")
    with connect(settings, embedded_target(settings)) as connection:
        zenml_sync.delete_model(NAME)
        for shift in SHIFTS:
            register(connection, bundle_of(shift), stored_of(bundle_of(shift)))
        yield connection


def test_promotion_and_rollback_reach_a_service_without_registry(connection: Connection, tmp_path: Path) -> None:
    registry, location = Registry(connection), tmp_path / "published"
    transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
    key = {"X-API-Key": create_admin_key(tmp_path)}
    models = tmp_path / "training.yaml"
    models.write_text(f"pipeline: training\nmodels_folder: {tmp_path}/models\n")
    options = ("--config", str(models), "--published", str(location))
    with (
        start_service(tmp_path, *options, poll_seconds=600) as service,
        LoadGenerator(service.url, key) as load,
    ):
        load.wait_for_version("1")
        transition_to(registry, registry.version(NAME, "2"), PRODUCTION)
        assert reload(service, key).json()["changed"] is True
        load.wait_for_version("2")
        rollback(registry, NAME)
        location.rename(tmp_path / "away")
        assert reload(service, key).status_code == 503
        assert requests.get(f"{service.url}/v1/model", headers=key, timeout=30).json()["version"] == "2"
        (tmp_path / "away").rename(location)
        assert reload(service, key).json()["changed"] is True
        load.wait_for_version("1")
        load.wait_for_responses()
    assert load.errors == []


def test_model_without_successor_stays_published_and_an_unwritable_place_is_reported(
    connection: Connection, tmp_path: Path
) -> None:
    registry, location = Registry(connection), tmp_path / "published"
    first = registry.version(NAME, "1")
    transition_to(registry, first, PRODUCTION)
    transition_to(registry, first, ARCHIVED)
    resolve = published_model_resolver(str(location), tmp_path / "cache")
    assert (resolve().name, resolve().version) == (NAME, "1")
    location.rename(tmp_path / "away")
    location.write_text("a file")
    with pytest.raises(PublicationError, match="registry publish"):
        transition_to(registry, registry.version(NAME, "2"), PRODUCTION)
    assert registry.in_stage(NAME, PRODUCTION).version == "2"
    with pytest.raises(ModelError):
        publish_production(registry, str(location))
    location.unlink()
    assert publish_production(registry, str(location)).version == "2"
    assert (location / POINTER_FILE).is_file()


def test_command_publishes_on_demand(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry, other = Registry(connection), tmp_path / "other"
    transition_to(registry, registry.version(NAME, "2"), PRODUCTION)
    assert main(["registry", "publish", "--to", str(other)]) == 0
    assert f"{NAME} 2 is published in {other}" in capsys.readouterr().out
    assert published_model_resolver(str(other), tmp_path / "cache")().version == "2"
    monkeypatch.delenv(LOCATION_ENV)
    assert main(["registry", "publish"]) == 2
    assert "publish_to in configs/tracking.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("model_type", model_types())
def test_service_needs_no_package_outside_its_lock_file(model_type: str, tmp_path: Path) -> None:
    """What the lock file of the image `serving` leaves out cannot be imported."""
    lines = (PROJECT / "requirements-serving.lock").read_text().splitlines()
    locked = {line.partition("==")[0] for line in lines if "==" in line}
    left_out = sorted(
        module
        for module, packages in packages_distributions().items()
        if module not in sys.stdlib_module_names
        and locked.isdisjoint(re.sub(r"[-_.]+", "-", package).lower() for package in packages)
    )
    assert {"zenml", "mlflow", "jupyterlab", "matplotlib", "pandera"} <= {*left_out}
    (tmp_path / "sitecustomize.py").write_text(REFUSE_IMPORTS)
    environment = {"PYTHONPATH": str(tmp_path), "REFUSED_MODULES": ",".join(left_out)}
    model = ("--model-path", str(save_small_model(tmp_path, model_type)))
    with start_service(tmp_path, "--anonymous", *model, environment=environment) as service:
        accidents = [ACCIDENT] * 20
        answers = [
            requests.post(f"{service.url}/v1/{path}", json=content, timeout=60)
            for path, content in (
                ("predict?reasons=3&ask=3", ACCIDENT),
                ("explain", ACCIDENT),
                ("predict/batch", {"accidents": accidents}),
                ("evaluate", {"accidents": accidents, "priority": [0, 1] * 10}),
            )
        ]
        answers += [
            requests.get(f"{service.url}{path}", timeout=60) for path in ("/", "/docs", "/metrics", "/v1/model")
        ]
    assert [answer.status_code for answer in answers] == [200] * len(answers), service.log
    command = [sys.executable, "run.py", "registry", "list-models"]
    refused = subprocess.run(command, cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True)
    assert "is not in requirements-serving.lock" in refused.stderr
