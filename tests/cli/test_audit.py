"""`run.py audit`: from a prediction over HTTP back to the registered model, its runs, the ledger and the data."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from accidents.configuration.stages import PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from cli.main import main
from serving.environment import DATABASE_URL_ENV
from serving.model.pointer import ModelPointer
from serving.records.retention import prune
from serving.records.tables import predictions
from tests.pipelines.conftest import configure
from tests.serving.in_process import ApiClient, in_process_service, synthetic_accidents
from tests.serving.service_process import save_small_model
from tests.tracking.helpers import single_model_training, transition_to
from tracking.connection import connect
from tracking.lookup import download_model
from tracking.model_files import MODEL_FILE_SHA256
from tracking.registration import record_and_register
from tracking.registry import Registry
from tracking.tracking_uri import embedded_target

pytestmark = [pytest.mark.slow, pytest.mark.traced]
Audit = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class World:
    """A served version in Production, and the options of commands about it."""

    api: ApiClient
    registry: Registry
    version: str
    options: list[str]
    folder: Path

    def predict(self, content: dict[str, Any]) -> str:
        """The id of a prediction that is written."""
        answer = self.api.post("/v1/predict", content)
        assert answer.status_code == 200, answer.text
        assert self.api.state.prediction_log.flush(20)
        return str(answer.json()["prediction_id"])


@pytest.fixture(scope="module", params=["full", pytest.param("reduced", marks=pytest.mark.long)])
def world(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("audit")
    settings = TrackingSettings(folder=folder / "mlruns")
    options = configure(
        folder, tracking={"folder": str(folder / "mlruns")}, training={"models_folder": str(folder / "models")}
    )
    with pytest.MonkeyPatch.context() as patch, connect(settings, embedded_target(settings)) as connection:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv(DATABASE_URL_ENV, f"sqlite:///{folder}/serving.db")
        record_and_register(connection, single_model_training("lightgbm"), settings)
        registry = Registry(connection)
        version = registry.latest("Accident_Prediction_Lightgbm")
        transition_to(registry, version, PRODUCTION)
        file = download_model(registry, version, folder / "models" / "registry")
        pointer = ModelPointer(str(file), version.name, version.version, version.tags[MODEL_FILE_SHA256])
        shadow = save_small_model(folder, "xgboost")
        with in_process_service(folder, file, pointer=pointer, shadow=shadow, records={"inputs": request.param}) as api:
            yield World(api, registry, version.version, options, folder)


@pytest.fixture
def audit(world: World, capsys: pytest.CaptureFixture[str]) -> Audit:
    def typed(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["audit", *world.options, *words])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return code, output.out, output.err

    return typed


def test_chain_from_prediction_to_data(world: World, audit: Audit) -> None:
    content = synthetic_accidents()[5]
    del content["accident"]["lum"]
    prediction = world.predict(content)
    time.sleep(0.01)
    world.api.post("/v1/feedback", {"prediction_id": prediction, "priority": 1})
    code, out, _ = audit(prediction, "--format", "json")
    assert code == 0
    found = json.loads(out)
    assert (found["model"]["name"], found["model"]["version"]) == ("Accident_Prediction_Lightgbm", world.version)
    assert found["model"]["sha256"] == found["prediction"]["model_sha256"]
    assert found["data"]["fingerprint"] == "0123456789abcdef"
    assert found["data"]["source"] == "sample"
    assert found["training"]["mlflow"].keys() == {"training", "model"}
    assert [(entry["action"], entry["stage"]) for entry in found["ledger"]] == [("promote", PRODUCTION)]
    assert "@" in found["ledger"][0]["who"]
    assert [one["outcome"] for one in found["outcomes"]] == [1]
    assert [fact["field"] for fact in found["prediction"]["derived"]] == ["accident.lum"]
    assert found["caller"] == "test predict"
    code, page, _ = audit(prediction)
    assert code == 0
    for part in (found["model"]["sha256"], "0123456789abcdef", "promote of", "test predict", "accident.lum"):
        assert part in page
    assert len(page.splitlines()) < 66


def test_recomputed_answer(world: World, audit: Audit, tmp_path: Path) -> None:
    content = synthetic_accidents()[7]
    prediction = world.predict(content)
    verdict = json.loads(audit(prediction, "--format", "json")[1])["reproduction"]["verdict"]
    assert verdict == "identical" if world.api.state.settings.records.inputs == "full" else verdict != "different"
    sent = tmp_path / "request.json"
    sent.write_text(json.dumps(content))
    again = json.loads(audit(prediction, "--request", str(sent), "--format", "json")[1])["reproduction"]
    assert again["verdict"] == "identical"
    sent.write_text(json.dumps(synthetic_accidents()[8]))
    code, _, err = audit(prediction, "--request", str(sent))
    assert (code, "is not the request of this prediction" in err) == (1, True)


def test_forged_answer_is_found(world: World, audit: Audit) -> None:
    prediction = world.predict(synthetic_accidents()[9])
    engine = world.api.state.engine
    with engine.begin() as connection:
        connection.execute(update(predictions).where(predictions.c.id == prediction).values(probability=0.99))
    code, page, _ = audit(prediction)
    if world.api.state.settings.records.inputs == "full":
        assert (code, "ANOTHER probability" in page) == (1, True)
    else:
        assert (code, "does not lie among them" in page) == (0, True)


def test_nothing_to_audit(world: World, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = audit("01900000-0000-7000-8000-000000000000")
    assert (code, err.count("\n"), "no prediction has this id" in err) == (1, 1, True)
    prediction = world.predict(synthetic_accidents()[1])
    monkeypatch.setenv(DATABASE_URL_ENV, f"sqlite:///{world.folder}/other.db")
    code, _, err = audit(prediction)
    assert (code, "there is no such database" in err) == (1, True)
    assert not (world.folder / "other.db").exists()


def test_live_comparison(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [world.api.post("/v1/predict", content).json() for content in synthetic_accidents()[:120]]
    assert world.api.state.prediction_log.flush(20)
    for number, answer in enumerate(answers):
        world.api.post("/v1/feedback", {"prediction_id": answer["prediction_id"], "priority": number % 2})
    compare = ["registry", *world.options, "compare", "--live"]
    time.sleep(3)  # the shadow writes every second
    capsys.readouterr()
    assert main([*compare, "--model-name", "lightgbm"]) == 0
    out = capsys.readouterr().out
    assert "xgboost_model" in out
    assert "agreement" in out
    assert "Brier score" in out
    file = world.folder / "live.json"
    assert main([*compare, "--format", "json", "--output", str(file), "--days", "1"]) == 0
    (pair,) = json.loads(file.read_text())
    assert pair["accidents"] >= 120
    assert pair["better"] in {"shadow", "answer", "neither"}
    assert main([*compare, "--format", "html"]) == 2
    assert main(["registry", *world.options, "compare"]) == 2


def test_deleted_version(world: World, audit: Audit) -> None:
    prediction = world.predict(synthetic_accidents()[1])
    other = save_small_model(world.folder, "xgboost")
    code, _, err = audit(prediction, "--model-path", str(other))
    assert (code, "is another file" in err) == (1, True)
    world.registry.connection.client.delete_registered_model("Accident_Prediction_Lightgbm")
    code, _, err = audit(prediction)
    assert (code, "is not registered" in err) == (1, True)
    (file,) = (world.folder / "models" / "registry").glob("*.zip")
    code, page, _ = audit(prediction, "--model-path", str(file))
    assert (code, "a file that is not registered" in page) == (0, True)
    prune(world.api.state.engine, datetime.now(UTC))
    assert "no prediction has this id" in audit(prediction)[2]
