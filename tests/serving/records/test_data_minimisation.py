"""Data minimisation: properties that hold for any accident."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.requests import parse_request
from serving.records.data_minimisation import input_serialiser, reduce_content
from tests.serving.records.prediction_records import ACCIDENT, EXAMPLES
from tests.serving.records.request_strategies import MARK, nested, place_and_time

FLAT = json.loads((EXAMPLES / "classic_flat.json").read_text(encoding="utf-8"))
IDS = {"id_vehicule", "id_usager", "Num_Acc", "Accident_Id", "adr", "pr", "pr1", "v1", "v2", "senc", "grav"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def reduce(content: Any) -> Any:
    """What is stored of an accident, read again."""
    detail, text = input_serialiser("reduced")(content)
    assert detail == "reduced"
    assert text is not None
    return json.loads(text)


def fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field of an accident with its value, wherever it stands."""
    for row in value if isinstance(value, list) else [value]:
        for name, inner in row.items():
            if isinstance(inner, dict | list):
                yield from fields(inner)
            else:
                yield name, inner


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(nested())
def test_reduced_content_has_no_ids_addresses_and_exact_coordinates(content: dict[str, Any]) -> None:
    parse_request(content)  # accepted, as everything that is logged was
    reduced = reduce(content)
    assert MARK.lower() not in json.dumps(reduced).lower()
    for name, value in fields(reduced):
        assert name not in IDS
        if name in {"lat", "long"}:
            assert type(value) is float
            assert value == round(value, 2)
        if name == "num_veh":
            assert re.fullmatch(r"V00[0-3]", value)
        if name == "voie":
            assert re.fullmatch(r"[1-9][0-9]{0,4}", value)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(nested())
def test_reduced_content_has_the_same_features_except_the_place(content: dict[str, Any]) -> None:
    before, after = parse_request(content), parse_request(reduce(content))
    for name in ("accident", "vehicles", "people", "person_vehicle_ids", "vehicle_starts", "person_starts"):
        np.testing.assert_array_equal(getattr(before.arrays, name), getattr(after.arrays, name), name)
    (department, commune, road), (same_department, same_commune, same_road) = (
        before.arrays.places[0],
        after.arrays.places[0],
    )
    assert (department, commune) == (same_department, same_commune)
    assert road == same_road or (road >= 1 << 20 and same_road == -1)
    assert set(after.missing) - set(before.missing) <= {"accident.lat", "accident.long", "road.voie"}


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(nested())
def test_reduction_is_idempotent(content: dict[str, Any]) -> None:
    once = reduce(content)
    assert reduce(once) == once


@settings(max_examples=100, deadline=None)
@given(place_and_time())
def test_flat_form_is_reduced(given_place: dict[str, Any]) -> None:
    content = FLAT | given_place | {"Num_Acc": 202400012345, "year_acc": given_place.get("an", 2021), "grav": 1}
    reduced = reduce(content)
    assert not reduced.keys() & {"Num_Acc", "grav", "v1", "larrout"}
    for name in ("lat", "long"):
        assert name not in reduced or reduced[name] == round(reduced[name], 2)
    before, after = parse_request(content).arrays, parse_request(reduced).arrays
    np.testing.assert_array_equal(before.people, after.people)
    np.testing.assert_array_equal(before.vehicles, after.vehicles)
    np.testing.assert_array_equal(before.accident, after.accident)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_full_content_is_unchanged(content: Any) -> None:
    detail, text = input_serialiser("full")(content)
    assert detail == "full"
    assert text is not None
    assert json.loads(text) == content


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_serialisers_never_raise(content: Any) -> None:
    assert input_serialiser("none")(content) == ("none", None)
    assert input_serialiser("reduced")(content)[0] in {"reduced", "none"}


def test_content_without_json_form_is_not_stored() -> None:
    assert input_serialiser("full")({"grav": [2**70, float("nan")]}) == ("none", None)
    assert input_serialiser("full")({"grav": [2**70, "\ud800"]}) == ("full", f'{{"grav": [{2**70}, "\\ud800"]}}')


def test_people_keep_their_vehicle() -> None:
    vehicles = [{"id_vehicule": 155000002, "num_veh": "A01"}, {"id_vehicule": "155000001", "num_veh": "B01"}]
    people = [{"id_vehicule": 155000001}, {"num_veh": "A01"}, {"id_vehicule": " 155000002", "num_veh": " A01 "}]
    reduced = reduce_content({"vehicles": vehicles, "people": people})
    assert [row["num_veh"] for row in reduced["vehicles"]] == ["V000", "V001"]
    assert [row["num_veh"] for row in reduced["people"]] == ["V001", "V000", "V000"]


def test_missing_ids_link_nobody() -> None:
    vehicles: list[dict[str, Any]] = [{"id_vehicule": 155000001, "num_veh": ""}, {"id_vehicule": "2", "num_veh": None}]
    people: list[dict[str, Any]] = [{"id_vehicule": 155000001, "num_veh": "-1"}, {"id_vehicule": 2, "num_veh": ""}]
    reduced = reduce_content({"vehicles": vehicles, "people": people})
    assert [row["num_veh"] for row in reduced["people"]] == ["V000", "V001"]
    vehicles = [{"num_veh": "A01", "id_vehicule": -1}, {"num_veh": "B01", "id_vehicule": ""}]
    people = [{"num_veh": "A01", "id_vehicule": ""}, {"num_veh": "B01", "id_vehicule": -1}]
    reduced = reduce_content({"vehicles": vehicles, "people": people})
    assert [row["num_veh"] for row in reduced["people"]] == ["V000", "V001"]


def test_thousand_vehicles_have_valid_position_ids() -> None:
    vehicles = [{"num_veh": f"{chr(65 + n // 100)}{n % 100:02d}"} for n in range(1000)]
    content = {"vehicles": vehicles, "people": [{"num_veh": row["num_veh"]} for row in reversed(vehicles)]}
    before, after = parse_request(content).arrays, parse_request(reduce(content)).arrays
    np.testing.assert_array_equal(before.person_vehicle_ids, after.person_vehicle_ids)
    assert after.person_vehicle_ids.tolist() == list(reversed(range(1000)))


@pytest.mark.parametrize("example", ["high_risk", "low_risk", "classic_flat"])
def test_examples_keep_their_features(example: str) -> None:
    content = json.loads((EXAMPLES / f"{example}.json").read_text(encoding="utf-8"))
    assert parse_request(content).missing == parse_request(reduce(content)).missing
    assert len(json.dumps(reduce(content))) < 1.1 * len(json.dumps(content))


def test_stored_detail_follows_the_setting() -> None:
    assert input_serialiser("none")(ACCIDENT) == ("none", None)
    assert "D939" in (input_serialiser("full")(ACCIDENT)[1] or "")
    assert reduce(ACCIDENT)["road"]["voie"] == "939"


@pytest.mark.parametrize("detail", ["full", "reduced", "none"])
@pytest.mark.parametrize("content", [ACCIDENT, FLAT])
def test_text_of_an_accident_is_stored_like_the_parsed_one(detail: str, content: dict[str, Any]) -> None:
    serialise = input_serialiser(detail)
    assert serialise(json.dumps(content).encode()) == serialise(content)
