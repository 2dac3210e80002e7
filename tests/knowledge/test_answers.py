"""How much is known, as API, command line and explanation say it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.explanation.reasons import explain_prediction
from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request
from cli.main import main
from tests.knowledge.test_training import LINEAR, trained
from tests.serving.in_process import in_process_service

pytestmark = pytest.mark.slow

LITTLE: dict[str, Any] = {"dep": "33", "mois": 5, "catv": 7}
MORE: dict[str, Any] = {**LITTLE, "com": "33063", "lat": 44.84, "long": -0.58, "jour": 3, "an": 2024, "hrmn": "17:30",
                        "catu": 1, "agg_": 2, "col": 3, "int": 1, "catr": 4, "vma": 50, "lum": 1, "atm": 1}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "logistic_regression_model.zip"
    trained(LINEAR).save(path)
    return path


def test_the_command_line_calls_an_answer_on_little_knowledge_tentative(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content, tentative in ((LITTLE, True), (MORE, False)):
        accident = tmp_path / "accident.json"
        accident.write_text(json.dumps(content))
        assert main(["--predict", str(accident), "--model-path", str(model)]) == 0
        line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Known: "))
        assert line.endswith("a tentative answer") is tentative


def test_the_api_says_how_much_is_known(model: Path, tmp_path: Path) -> None:
    with in_process_service(tmp_path, model) as api:
        little, more = (api.post("/v1/predict", content).json()["share_known"] for content in (LITTLE, MORE))
        batch = api.post("/v1/predict/batch", {"accidents": [LITTLE, MORE]}).json()["results"]
        explained = api.post("/v1/explain", LITTLE).json()
    assert 0 <= little < 0.5 < more <= 1
    assert [answer["share_known"] for answer in batch] == [little, more]
    assert explained["share_known"] == little


@pytest.mark.parametrize("partial", [True, False])
def test_an_answer_on_a_department_alone_is_tentative(partial: bool, tmp_path: Path) -> None:
    path = tmp_path / "logistic_regression_model.zip"
    trained(LINEAR, partial=partial).save(path)
    with in_process_service(tmp_path, path) as api:
        little, more = (api.post("/v1/predict", content).json() for content in ({"dep": "33"}, MORE))
    assert little["tentative"]
    assert not more["tentative"]
    assert little["share_known"] < 0.5 < more["share_known"] <= 1


def test_numbers_that_nobody_gave_are_reported_as_missing() -> None:
    assert {"nb_vehicules", "nb_victim"} <= {*parse_request(LITTLE).missing}
    assert "nb_vehicules" not in parse_request({**LITTLE, "nb_vehicules": 2}).missing


def test_reasons_name_no_place_that_is_not_known() -> None:
    bundle: Bundle = trained(LINEAR)
    reasons = predict_accident(bundle, parse_request(LITTLE), reasons=100).reasons
    place = next(reason for reason in reasons if reason.topic == "place")
    assert "same department" in place.text
    assert not any("not recorded" in reason.text for reason in reasons)


def test_no_frequency_is_told_of_a_road_in_an_unknown_department() -> None:
    bundle: Bundle = trained(LINEAR)
    road_known = {name: value for name, value in MORE.items() if name not in ("com", "lat", "long")}
    nowhere = {name: value for name, value in road_known.items() if name != "dep"}
    values = [bundle.described(bundle.matrix(parse_request(one).arrays))[0] for one in (road_known, nowhere)]
    of_road = bundle.matrix_columns.index("density_road")
    assert [bool(np.isnan(one[of_road])) for one in values] == [False, True]
    reasons = predict_accident(bundle, parse_request(nowhere), reasons=100).reasons
    assert not any(f"{name}: 0 in" in reason.text for reason in reasons for name in ("road", "department", "commune"))


def test_reasons_of_a_partial_answer_add_up() -> None:
    bundle: Bundle = trained(LINEAR)
    answer = explain_prediction(bundle, bundle.matrix(parse_request(LITTLE).arrays))
    total = answer.base_value + sum(reason.contribution for reason in answer.reasons)
    assert total == pytest.approx(answer.raw_score, abs=1e-6)
    assert answer.unit == "log-odds"
    assert answer.probability == predict_accident(bundle, parse_request(LITTLE), reasons=0).probability
