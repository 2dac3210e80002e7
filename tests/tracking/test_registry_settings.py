"""Names and stages of registered models as configured, and a registered model behind MLflow's own server."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from accidents.configuration.stages import STAGING
from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import single_model_training
from tracking import ledger
from tracking.connection import Connection, connect
from tracking.errors import RegistryError
from tracking.registration import record_and_register
from tracking.registry import Registry
from tracking.tracking_uri import embedded_target

pytestmark = pytest.mark.slow
NAME = "Road_Risk_Logistic_Regression"


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A store with a model under a name of its own, whose new versions take Staging."""
    registry = {"registered_model_name": "Road_Risk", "default_stage": "Staging", "production_stage": "Staging"}
    settings = TrackingSettings.model_validate(
        {"folder": tmp_path_factory.mktemp("mlruns"), "mlflow": {"model_registry": registry, "log_artifacts": False}}
    )
    with connect(settings, embedded_target(settings)) as found:
        for _ in range(2):
            record_and_register(found, single_model_training("logistic_regression"), settings)
        yield found


def test_versions_have_the_configured_name_and_stage(connection: Connection) -> None:
    registry = Registry(connection)
    assert registry.models() == [NAME]
    assert [(one.version, one.stage) for one in registry.versions(NAME)] == [("2", STAGING), ("1", "Archived")]
    assert registry.resolve_name("logistic regression") == NAME
    with pytest.raises(RegistryError, match="there is no model 'Accident_Prediction_XGBoost'; there are Road_Risk_"):
        registry.resolve_name("Accident_Prediction_XGBoost")
    assert registry.best(stage=STAGING).title == f"{NAME} 2"
    reasons = [entry.reasons for entry in ledger.read_entries(connection, NAME)]
    assert reasons == [("default_stage of new versions",)] * 2


def test_an_empty_stage_names_the_store_and_what_is_in_the_other_one(connection: Connection) -> None:
    with pytest.raises(RegistryError) as error:
        Registry(connection).best()
    assert f"no model is in Production in {connection.target}" in str(error.value)
    assert f"in another stage: {NAME} 2;" in str(error.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), ({"registered_model_name": "X"}, True), ({"enabled": False}, False)],
)
def test_true_and_false_stand_for_the_whole_section(value: Any, expected: bool) -> None:
    settings = TrackingSettings.model_validate({"mlflow": {"model_registry": value}})
    assert settings.mlflow.model_registry.enabled is expected


@pytest.mark.parametrize("section", [{"default_stage": "Production"}, {"registered_model_name": "a'b"}])
def test_other_names_and_stages_are_refused(section: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(section))):
        TrackingSettings.model_validate({"mlflow": {"model_registry": section}})


@pytest.fixture(scope="module")
def server(connection: Connection) -> Iterator[Any]:
    """A client of the application of `mlflow models serve`."""
    import mlflow
    from mlflow.pyfunc.scoring_server import init
    from starlette.testclient import TestClient

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", dict(os.environ))
        yield TestClient(init(mlflow.pyfunc.load_model(f"models:/{NAME}/2")))


def invoke(server: Any, *rows: dict[str, Any]) -> Any:
    return server.post("/invocations", json={"dataframe_records": [*rows]})


def test_server_takes_rows_of_the_classic_form(server: Any, project: Path) -> None:
    row = json.loads((project / "examples" / "classic_flat.json").read_text())
    response = invoke(server, row, row | {"dep": "2A", "com": "2A004", "actp": "A", "lat": None, "long": None})
    assert response.status_code == 200, response.text
    first, second = response.json()["predictions"]
    assert first.keys() == {"probability", "prediction", "interpretation"}
    (as_text,) = invoke(server, {"accident_flat": json.dumps(row)}).json()["predictions"]
    assert first == as_text != second


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"catv": "bus"}, "Failed to convert column catv to type 'float64'"),
        ({"catv": 999}, "catv: 999"),
        ({"catv": 2.5}, "catv: 2.5"),
        ({"dep": "2C"}, "dep: '2C'"),
        ({"hrmn": "25:00"}, "hrmn: '25:00'"),
    ],
)
def test_server_refuses_bad_input_with_a_sentence(server: Any, project: Path, change: Any, message: str) -> None:
    row = json.loads((project / "examples" / "classic_flat.json").read_text())
    response = invoke(server, row, row | change)
    assert response.status_code == 400
    assert message in response.json()["message"]
    assert "Traceback" not in response.text


def test_server_names_the_columns_that_it_needs(server: Any) -> None:
    response = invoke(server, {"speed": 50})
    assert (response.status_code, "needs an accident" in response.json()["message"]) == (400, True)


def test_a_frame_needs_floating_point_numbers(connection: Connection, project: Path) -> None:
    import mlflow

    row = json.loads((project / "examples" / "classic_flat.json").read_text())
    model = mlflow.pyfunc.load_model(f"models:/{NAME}/2")
    frame = pd.DataFrame([row])
    with pytest.raises(mlflow.MlflowException, match="Can not safely convert int64 to float64"):
        model.predict(frame)
    numbers = frame.select_dtypes("number").columns.difference(["actp", "com", "dep"])
    assert model.predict(frame.astype(dict.fromkeys(numbers, "float64")))["prediction"].tolist() in ([0], [1])
