"""What requests are made of, and what is refused."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.errors import RequestError
from accidents.features.arrays import UNKNOWN_POSITION
from accidents.features.catalogue import FEATURES
from accidents.features.compute import compute
from accidents.requests import InvalidRequestError, ParsedRequest, parse_request
from accidents.requests.rows import COLUMNS, RequestPart

NESTED: dict[str, Any] = {
    "accident": {"jour": 5, "mois": 3, "an": 2024, "hrmn": "08:15", "lum": 1, "dep": "69", "com": "69381", "col": 3},
    "road": {"catr": 4, "vma": 50},
    "vehicles": [{"num_veh": "A01", "catv": 7}, {"num_veh": "B01", "catv": 33}],
    "people": [{"num_veh": "A01", "catu": 1, "an_nais": 1980}, {"num_veh": "B01", "catu": 1, "sexe": 2}],
}


def values(request: ParsedRequest) -> dict[str, float]:
    return dict(zip([feature.name for feature in FEATURES], compute(request.arrays)[0].tolist(), strict=True))


def changed(part: str, **fields: Any) -> dict[str, Any]:
    """The example with other fields in a part: `accident`, `road`, `vehicle` or `person` (the first ones)."""
    content = copy.deepcopy(NESTED)
    {
        "accident": content["accident"],
        "road": content["road"],
        "vehicle": content["vehicles"][0],
        "person": content["people"][0],
    }[part].update(fields)
    return content


def refused(content: Any) -> dict[str, str]:
    """Reasons by field of a request that is refused."""
    with pytest.raises(RequestError) as caught:
        parse_request(content)
    assert isinstance(caught.value, InvalidRequestError)
    assert all(problem.field in str(caught.value) for problem in caught.value.problems[:20])
    return {problem.field: problem.reason for problem in caught.value.problems}


def test_a_nested_accident() -> None:
    features = values(parse_request(NESTED))
    assert features["cars"] == features["motorcycles"] == 1
    assert features["women"] == 1
    assert features["hour"] == 8
    assert features["weekday"] == 1  # 5 March 2024 was a Tuesday
    assert features["age_max"] == 44


@pytest.mark.parametrize(
    ("published", "plain"),
    [
        ({"lum": " 1", "hrmn": "0815", "jour": "05", "mois": "3"}, {}),
        ({"lum": 1.0, "hrmn": 815, "dep": 69, "com": 69381}, {}),
        ({"lat": "45,75", "long": "\u00a04,85"}, {"lat": 45.75, "long": 4.85}),
        ({"atm": " -1", "int": "", "col": "3"}, {"atm": -1, "int": -1}),
        ({"atm": 0, "int": ".", "agg_": 2}, {"agg": 2, "atm": -1, "int": -1}),
        ({"dep": "1", "com": 1004}, {"dep": "01", "com": "01004"}),
    ],
)
def test_published_and_plain_spellings_mean_the_same(published: dict[str, Any], plain: dict[str, Any]) -> None:
    one, other = (
        parse_request(changed("accident", **published)).arrays,
        parse_request(changed("accident", **plain)).arrays,
    )
    assert compute(one)[0].tobytes() == compute(other)[0].tobytes()
    assert (one.places == other.places).all()


def test_what_is_missing_is_missing_and_named() -> None:
    request = parse_request(NESTED)
    assert math.isnan(values(request)["atm"])
    assert {"accident.atm", "road.surf", "vehicles.manv", "people.an_nais"} <= {*request.missing}
    assert "accident.lum" not in request.missing
    assert "people.locp" not in request.missing  # nobody is on foot


@pytest.mark.parametrize(
    ("part", "field", "value", "allowed"),
    [
        ("accident", "lum", 6, "1 daylight"),
        ("accident", "lum", 1.5, "1 daylight"),
        ("accident", "lum", True, "must be a number or a text"),
        ("accident", "lum", [1], "must be a number or a text"),
        ("accident", "hrmn", "24:01", "17:15"),
        ("accident", "an", 2004, "2005 to 2099"),
        ("accident", "lat", math.nan, "-90 to 90"),
        ("accident", "lat", math.inf, "-90 to 90"),
        pytest.param("accident", "lat", 10**400, "-90 to 90", id="huge latitude"),
        ("accident", "dep", "99", "department"),
        pytest.param("accident", "com", 10**5000, "text", id="huge commune"),
        ("accident", "adr", "x" * 501, "500"),
        ("accident", "colour", 1, "unknown field"),
        ("accident", "secu", "11", "unknown field"),
        ("road", "vma", 400, "5 to 130"),
        ("road", "catr", "eight", "1 motorway"),
        ("vehicle", "catv", 77, "7 car"),
        ("vehicle", "num_veh", "first", "vehicle"),
        ("person", "catu", "x", "1 driver"),
        ("person", "an_nais", 2025, "after the accident"),
        ("person", "num_veh", "Z99", "no vehicle"),
    ],
)
def test_an_invalid_value_is_rejected(part: str, field: str, value: Any, allowed: str) -> None:
    where = {"vehicle": "vehicles[0]", "person": "people[0]"}.get(part, part)
    assert allowed in refused(changed(part, **{field: value}))[f"{where}.{field}"]


def test_all_problems_are_reported_at_once() -> None:
    content = changed("accident", lum=9, hrmn="99:99", jour=31, mois=2)
    content["road"]["surf"] = 12
    content["drivers"] = []
    assert {*refused(content)} == {"accident.lum", "accident.hrmn", "jour, mois, an", "road.surf", "drivers"}


@pytest.mark.parametrize(("day", "month", "year"), [(31, 2, 2024), (29, 2, 2023), (31, 4, None)])
def test_days_that_do_not_exist(day: int, month: int, year: int | None) -> None:
    assert "jour, mois, an" in refused(changed("accident", jour=day, mois=month, an=year))


def test_a_leap_day_exists() -> None:
    parse_request(changed("accident", jour=29, mois=2, an=2024))


@pytest.mark.parametrize("content", [None, [], {}, "accident", 7, {"accident": {}}, {"people": [], "vehicles": []}])
def test_what_is_no_accident(content: Any) -> None:
    assert refused(content)


def test_too_many_people_are_rejected() -> None:
    too_many = NESTED | {"vehicles": [{"num_veh": f"A{number}"} for number in range(1001)]}
    assert "1 to 1,000" in refused(too_many)["vehicles"]


def test_two_vehicles_of_one_name_and_a_person_without() -> None:
    content = copy.deepcopy(NESTED)
    content["vehicles"][1]["num_veh"] = "A01"
    del content["people"][0]["num_veh"]
    assert {"vehicles[1].num_veh", "people[0].num_veh"} <= {*refused(content)}


def test_vehicles_by_published_id_and_the_only_one_by_none() -> None:
    content = copy.deepcopy(NESTED)
    for row in (content["vehicles"][1], content["people"][1]):
        row.pop("num_veh")
        row["id_vehicule"] = "155\u00a0781 758"
    assert compute(parse_request(content).arrays)[0].tobytes() == compute(parse_request(NESTED).arrays)[0].tobytes()
    alone = {"vehicles": [{"catv": 7}], "people": [{"catu": 1}]}
    assert values(parse_request(alone))["car_occupants"] == 1


def test_the_outcome_is_ignored() -> None:
    request = parse_request(changed("person", grav=2))
    assert request.warnings == ("grav is the outcome and was ignored",)
    assert compute(request.arrays)[0].tobytes() == compute(parse_request(NESTED).arrays)[0].tobytes()


@pytest.mark.parametrize(
    ("latitude", "longitude", "warning", "kept"),
    [
        (45.75, 4.85, None, (45.75, 4.85)),
        (4.85, 45.75, "swapped", (45.75, 4.85)),
        (0.5, 0.5, "ignored", UNKNOWN_POSITION),
        (45.75, None, "one without the other", UNKNOWN_POSITION),
        (0, 0, None, (math.nan, math.nan)),
    ],
)
def test_coordinates_are_corrected_as_in_files(
    latitude: float, longitude: float, warning: str | None, kept: tuple[float, float]
) -> None:
    request = parse_request(changed("accident", lat=latitude, long=longitude))
    assert request.arrays.coordinates[0].tolist() == pytest.approx(kept, nan_ok=True)
    assert any(warning in text for text in request.warnings) if warning else not request.warnings


def test_a_commune_of_another_department() -> None:
    assert parse_request(changed("accident", com="75056")).warnings == ("commune 75056 is not in department 69",)


def test_the_number_of_the_accident_is_kept() -> None:
    assert parse_request(NESTED).accident_id is None
    assert parse_request(changed("accident", Num_Acc=202400000007)).accident_id == 202400000007


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def taken_or_refused(content: Any) -> None:
    """No other error than a refusal, and no other answer than features."""
    try:
        request = parse_request(content)
    except InvalidRequestError:
        return
    assert compute(request.arrays)[0].shape == (len(FEATURES),)


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_any_form_is_parsed_or_rejected(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from([*RequestPart]))
    name = data.draw(st.sampled_from(sorted(COLUMNS[part])) | st.text(max_size=5))
    fields = {name: data.draw(anything)}
    content = copy.deepcopy(NESTED)
    if part in {RequestPart.VEHICLES, RequestPart.PEOPLE}:
        content[part][0] |= fields
    else:
        content[part] |= fields
    taken_or_refused(content)


@given(anything)
@settings(deadline=None, max_examples=100)
def test_any_json_is_parsed_or_rejected(content: Any) -> None:
    for sent in (content, {"accident": content, "vehicles": [{}], "people": [{}]}, {"people": content}):
        taken_or_refused(sent)


@pytest.mark.parametrize("name", ["classic_flat", "low_risk", "high_risk"])
def test_the_examples_are_taken_without_a_warning(project: Path, name: str) -> None:
    assert not parse_request(json.loads((project / "examples" / f"{name}.json").read_text(encoding="utf-8"))).warnings


def test_messages_list_the_allowed_codes() -> None:
    for field in ("obs", "obsm", "choc", "manv", "motor"):
        reason = refused(changed("vehicle", **{field: 98}))[f"vehicles[0].{field}"]
        assert COLUMNS[RequestPart.VEHICLES][field].describe_allowed_values() in reason
