"""Many requests parsed together, against each of them read alone."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import Availability, Column
from accidents.features.compute import compute, place_cells
from accidents.requests import (
    InvalidRequestError,
    ParsedRequest,
    ParseReport,
    parse_batch,
    parse_in_pieces,
    parse_request,
)
from accidents.requests.flat import FLAT_FIELDS
from accidents.requests.rows import COLUMNS, RequestPart
from tests.arrays import concatenate_arrays

PEDESTRIAN = {"an": 2021, "mois": 12, "jour": 7, "hrmn": "17:00", "catv": 2, "catu": 3, "nb_victim": 2}
WRONG: tuple[Any, ...] = (True, [], {}, "x" * 501, 10**400, float("nan"), 77, "77:77", 2.5)
"""Values that most columns refuse."""


def good_values(column: Column) -> st.SearchStrategy[Any]:
    if column.codes:
        return st.sampled_from([*column.codes, *map(str, column.codes), None, " -1"])
    low, high = column.minimum, column.maximum
    usual = {"hrmn": "08:15", "dep": "69", "com": "69381", "num_veh": "A01", "lat": 45.75, "long": 4.85, "an": 2024}
    middle = 7 if low is None or high is None else int((low + high) / 2)
    return st.sampled_from([usual.get(column.name, middle), "", None])


def rows(part: RequestPart) -> st.SearchStrategy[dict[str, Any]]:
    columns = {
        name: good_values(column)
        for name, column in COLUMNS[part].items()
        if column.availability is not Availability.AFTER and name not in {"num_veh", "id_vehicule", "an_nais"}
    }
    return st.fixed_dictionaries({}, optional=columns)


nested = st.fixed_dictionaries(
    {
        "vehicles": st.lists(rows(RequestPart.VEHICLES), min_size=1, max_size=1),
        "people": st.lists(rows(RequestPart.PEOPLE), max_size=4),
    },
    optional={"accident": rows(RequestPart.ACCIDENT), "road": rows(RequestPart.ROAD)},
)
flat = st.dictionaries(st.sampled_from(sorted(FLAT_FIELDS - {*PEDESTRIAN})), st.integers(-1, 3), max_size=8).map(
    lambda said: PEDESTRIAN | said
)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """An accident with a value that hardly fits somewhere, or a strange part."""
    content: dict[str, Any] = copy.deepcopy(draw(nested | flat))
    parts = [content[name] for name in ("accident", "road") if name in content]
    target = draw(st.sampled_from([content, *parts, *content.get("vehicles", [])]))
    target[draw(st.sampled_from([*target, "colour"]))] = draw(st.sampled_from(WRONG))
    return content


def alone(content: Any) -> ParsedRequest | InvalidRequestError:
    try:
        return parse_request(content)
    except InvalidRequestError as error:
        return error


@pytest.mark.slow
@given(st.lists(nested | flat | spoilt() | st.sampled_from(WRONG), max_size=8))
@settings(deadline=None, max_examples=150)
def test_many_are_what_each_of_them_is_alone(contents: list[Any]) -> None:
    before = copy.deepcopy(contents)
    many, each = parse_batch(contents), [alone(content) for content in contents]
    assert repr(contents) == repr(before)
    for outcome, expected in zip(many.results, each, strict=True):
        if isinstance(expected, InvalidRequestError):
            assert isinstance(outcome, InvalidRequestError)
            assert (str(outcome), outcome.problems) == (str(expected), expected.problems)
        else:
            assert isinstance(outcome, ParseReport)
            assert vars(outcome) == {name: value for name, value in vars(expected).items() if name != "arrays"}
    good = [(number, request) for number, request in enumerate(each) if isinstance(request, ParsedRequest)]
    assert many.valid_positions == [number for number, _ in good]
    if good:
        whole = concatenate_arrays([request.arrays for _, request in good])
        for name, array in vars(many.arrays).items():
            assert array.dtype == vars(whole)[name].dtype
            np.testing.assert_array_equal(array, vars(whole)[name])
        assert compute(many.arrays).tobytes() == compute(whole).tobytes()
        np.testing.assert_array_equal(place_cells(many.arrays), place_cells(whole))


def test_no_request_at_all_and_none_that_is_good() -> None:
    refused: list[Any] = [{}, None]
    for contents in ([], refused):
        many = parse_batch(contents)
        assert (len(many.results), many.valid_positions) == (len(contents), [])
        assert compute(many.arrays).shape[0] == 0


def test_pieces_have_the_results_of_a_batch() -> None:
    """Whatever their number, and where a few bytes stand for thousands of vehicles and people."""
    crowd = {"nb_vehicules": 1000, "nb_victim": 1000}
    contents: list[Any] = [crowd, {"lum": 9}, {"lum": 5}] * 40 + [{"lum": 1}] * 1200
    pieces, batch = [*parse_in_pieces(iter(contents))], parse_batch(contents)
    assert len(pieces) == 3
    assert max(len(piece.arrays.people) for piece in pieces) < 60_000
    results = [result for piece in pieces for result in piece.results]
    assert list(map(str, results)) == list(map(str, batch.results))
    for name in ("accident", "vehicles", "people", "coordinates"):
        joined = np.concatenate([getattr(piece.arrays, name) for piece in pieces])
        np.testing.assert_array_equal(joined, getattr(batch.arrays, name))


def test_of_all_pieces_the_first_problems_are_described() -> None:
    unknown = {f"x{number}": 1 for number in range(30)}
    pieces = parse_in_pieces(unknown for _ in range(3000))
    errors = [error for piece in pieces for error in piece.results if isinstance(error, InvalidRequestError)]
    assert [len(error.problems) for error in errors] == [30, 20] + [0] * 2998
    assert {error.count for error in errors} == {30}
    assert all(error.__traceback__ is None for error in errors)
