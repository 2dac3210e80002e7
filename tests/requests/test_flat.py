"""The classic form of 39 keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from accidents.columns import UNKNOWN
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
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


def assert_same_values(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert compute(parse_request(first).arrays).tobytes() == compute(parse_request(second).arrays).tobytes()


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
    ("field", "value"), [("manv", 1), ("nb_victim", 1001), ("catu", 5), ("an_nais", 2022), ("an_nais", "old")]
)
def test_invalid_fields(classic: dict[str, Any], field: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(classic | {field: value})
    assert [problem.field for problem in caught.value.problems] == [field]


def test_the_number_of_the_accident_and_the_outcome_are_no_fault(classic: dict[str, Any]) -> None:
    request = parse_request(classic | {"Num_Acc": "202100000001", "grav": 3})
    assert request.accident_id == 202100000001
    assert request.warnings == ("grav is the outcome and was ignored",)


@pytest.mark.parametrize("hour", [17, "17", 17.0])
def test_an_hour_in_place_of_the_time(hour: Any, classic: dict[str, Any]) -> None:
    del classic["hrmn"]
    request = parse_request(classic | {"hour": hour})
    assert "accident.hrmn" not in request.missing
    assert request.warnings == ("hour 17 is taken as hrmn 17:00",)
    assert_same_values(classic | {"hour": hour}, classic | {"hrmn": "17:00"})


@pytest.mark.parametrize("age", [60, "60"])
def test_an_age_in_place_of_the_year_of_birth(age: Any, classic: dict[str, Any]) -> None:
    born = classic["year_acc"] - 60
    del classic["an_nais"], classic["an"]
    request = parse_request(classic | {"victim_age": age})
    assert "people.an_nais" not in request.missing
    assert request.warnings == (f"victim_age 60 is taken as an_nais {born}",)
    assert_same_values(classic | {"victim_age": age}, classic | {"an_nais": born})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"hour": 3}, "differs from hrmn"),
        ({"hour": 24}, "0 to 23"),
        ({"victim_age": 20}, "differs from an_nais"),
        ({"victim_age": 200}, "0 to 130"),
        ({"victim_age": 60, "an": None, "year_acc": None}, "needs an"),
        ({"hrmn": 17}, "17:00 or 00:17"),
        ({"hrmn": "17"}, "17:00 or 00:17"),
        ({"hrmn": "5.0"}, "5:00 or 00:05"),
        ({"lum": "1e0"}, "is not allowed"),
        ({"lum": "\N{ARABIC-INDIC DIGIT FIVE}"}, "is not allowed"),
        ({"vma": "5_0"}, "is not allowed"),
        ({"lat": "inf"}, "is not allowed"),
        ({"vma": "5e1"}, "has no exponent"),
        ({"an_nais": 60}, "it is an age"),
        ({"Num_Acc": "2.02400000001E+11"}, "in scientific notation"),
        ({"Num_Acc": "2,024E+11"}, "a spreadsheet rounded the ids"),
        ({"Num_Acc": 1e17}, "not exact"),
        ({"\ufefflum": 1}, "occurs twice"),
    ],
)
def test_values_that_are_ambiguous_or_no_digits(changed: dict[str, Any], reason: str, classic: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        parse_request(classic | changed)


def test_conversions_are_warnings(classic: dict[str, Any]) -> None:
    renamed = {("\ufeffPLACE" if name == "place" else name): value for name, value in classic.items()}
    request = parse_request(renamed | {"Unnamed: 0": 5, "lum": "1.0", "vma": " 50", "catu": 4, "atm": "NA"})
    assert request.warnings == (
        "the field '\\ufeffPLACE' is taken as place",
        "the field 'Unnamed: 0' numbers rows and was ignored",
        "numbers written as text were converted: vma, lum",
        "catu: 4 (pedestrian on rollers or a scooter) is used until 2017; taken as 3",
    )
    assert values(renamed | {"catu": 4})["pedestrians"] == 1


def test_years_of_two_digits_and_corsican_departments_are_converted(classic: dict[str, Any]) -> None:
    request = parse_request(
        classic | {"an": 21, "year_acc": 2021, "dep": 201, "com": 201004, "lat": None, "long": None}
    )
    assert request.warnings == (
        "an: 21 is taken as 2021",
        "dep: 201 is taken as 2A",
        "com: 201004 is taken as 2A004",
    )
    written = classic | {"an": 2021, "dep": "2a", "com": "2A004", "lat": None, "long": None}
    assert_same_values(written, classic | {"an": "21", "dep": "201", "com": "201004", "lat": "", "long": ""})
    assert parse_request(written).warnings == ()


def test_ids_of_vehicles_until_2018_are_read_exactly() -> None:
    number = 4036000000020001001
    for written in (number, str(number), "4 036 000 000 020 001 001"):
        content = {"vehicles": [{"id_vehicule": number}, {"num_veh": "B01"}], "people": [{"id_vehicule": written}]}
        assert parse_request(content).arrays.people.shape[0] == 1
    with pytest.raises(InvalidRequestError, match="no vehicle of the accident bears it"):
        parse_request({"vehicles": [{"id_vehicule": number}], "people": [{"id_vehicule": str(number + 1)}]})


def test_minus_one_is_unknown_among_codes_and_a_longitude_among_numbers() -> None:
    arrays = parse_request({"lum": -1, "atm": "-1", "dep": "33", "lat": 44.8, "long": -1.0}).arrays
    position = COLUMN_POSITIONS[Entity.ACCIDENT]
    assert arrays.accident[0, [position["lum"], position["atm"]]].tolist() == [UNKNOWN, UNKNOWN]
    assert arrays.coordinates.tolist() == [[44.8, -1.0]]
