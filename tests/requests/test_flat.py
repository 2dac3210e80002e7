"""The classic form of 39 keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from accidents.features.catalogue import FEATURES
from accidents.features.compute import compute
from accidents.requests import InvalidRequestError, parse_request
from accidents.requests.flat import FLAT_FIELDS

ISSUE = (
    "place catu sexe secu1 year_acc an_nais catv obsm motor catr circ surf situ vma jour mois an hrmn lum dep com agg_ "
    "int atm col lat long nb_victim nb_vehicules locp actp etatp obs v1 vosp prof plan larrout infra"
)


@pytest.fixture
def classic(project: Path) -> dict[str, Any]:
    """A pedestrian hit by a moped."""
    content: dict[str, Any] = json.loads((project / "examples" / "classic_flat.json").read_text(encoding="utf-8"))
    return content


def values(content: dict[str, Any]) -> dict[str, float]:
    names = [feature.name for feature in FEATURES]
    return dict(zip(names, compute(parse_request(content).arrays)[0].tolist(), strict=True))


def test_the_form_has_the_39_keys(classic: dict[str, Any]) -> None:
    assert {*ISSUE.split()} == {*FLAT_FIELDS} == {*classic}
    assert len(FLAT_FIELDS) == 39


def test_a_pedestrian_hit_by_a_moped(classic: dict[str, Any]) -> None:
    features = values(classic)
    assert features["mopeds"] == features["vehicles"] == features["pedestrians"] == features["drivers"] == 1
    assert features["people"] == 2
    assert features["age_most_vulnerable"] == 60
    assert features["hour"] == 17
    assert features["vma"] == 50


def test_zeros_that_no_code_list_has_are_not_recorded(classic: dict[str, Any]) -> None:
    assert {"accident.atm", "road.prof", "road.plan", "people.locp"} <= {*parse_request(classic).missing}
    assert "road.infra" not in parse_request(classic).missing  # 0 says that there is none


def test_it_equals_the_nested_form_that_is_documented(classic: dict[str, Any]) -> None:
    accident = ("jour", "mois", "an", "hrmn", "lum", "dep", "com", "int", "col", "lat", "long")
    nested = {
        "accident": {name: classic[name] for name in accident} | {"agg": 2},
        "road": {"catr": 3, "circ": 2, "surf": 1, "situ": 1, "vma": 50, "vosp": 0, "infra": 0},
        "vehicles": [{"num_veh": "A01", "catv": 2, "obsm": 1, "obs": 0, "motor": 1}],
        "people": [
            {"num_veh": "A01", "place": 10, "catu": 3, "sexe": 1, "secu1": 0, "an_nais": 1961},
            {"num_veh": "A01", "catu": 1},
        ],
    }
    assert compute(parse_request(nested).arrays)[0].tobytes() == compute(parse_request(classic).arrays)[0].tobytes()


@pytest.mark.parametrize(
    ("people", "vehicles", "drivers", "counted"),
    [(1, 1, 0, 1), (2, 1, 1, 2), (2, 3, 1, 2), (5, 3, 3, 5), (0, 0, 0, 1), (None, None, 0, 1)],
)
def test_the_others_are_drivers_first(
    classic: dict[str, Any], people: int, vehicles: int, drivers: int, counted: int
) -> None:
    features = values(classic | {"nb_victim": people, "nb_vehicules": vehicles})
    assert features["drivers"] == drivers
    assert features["people"] == counted
    assert features["vehicles"] == max(vehicles or 0, 1)


def test_the_other_drivers_sit_in_the_other_vehicles(classic: dict[str, Any]) -> None:
    driver = classic | {"catu": 1, "place": 1, "catv": 7}
    assert values(driver | {"nb_victim": 3, "nb_vehicules": 3})["car_occupants"] == 1
    assert values(driver | {"nb_victim": 3, "nb_vehicules": 1})["car_occupants"] == 3
    assert parse_request(classic | {"nb_victim": 4, "nb_vehicules": 2}).arrays.person_vehicle_ids.tolist() == [
        0,
        0,
        1,
        0,
    ]


def test_whoever_is_described_as_driver_drives(classic: dict[str, Any]) -> None:
    features = values(classic | {"catu": 1, "place": 1, "nb_victim": 3, "nb_vehicules": 2})
    assert features["drivers"] == 2
    assert features["people"] == 3


def test_years_must_agree(classic: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="year_acc: 2020: differs from an, which is 2021"):
        parse_request(classic | {"year_acc": 2020})
    assert parse_request(classic | {"year_acc": 0}).accident_id is None


def test_one_year_is_enough(classic: dict[str, Any]) -> None:
    without = {name: value for name, value in classic.items() if name != "an"}
    assert values(without) == pytest.approx(values(classic), nan_ok=True)


@pytest.mark.parametrize(
    ("field", "value"), [("manv", 1), ("nb_victim", 1001), ("catu", 4), ("an_nais", 2022), ("an_nais", "old")]
)
def test_invalid_fields(classic: dict[str, Any], field: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(classic | {field: value})
    assert [problem.field for problem in caught.value.problems] == [field]


def test_the_number_of_the_accident_and_the_outcome_are_no_fault(classic: dict[str, Any]) -> None:
    request = parse_request(classic | {"Num_Acc": "202100000001", "grav": 3})
    assert request.accident_id == 202100000001
    assert request.warnings == ("grav is the outcome and was ignored",)
