"""The ranking of unknown facts: what is asked for, and what the order of vehicles and people does not change."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accidents.bundle import Bundle
from accidents.columns import UNKNOWN
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
from accidents.features.arrays import Arrays, to_arrays
from accidents.knowledge.masks import COORDINATES, KNOWN, all_but, at_random
from accidents.knowledge.next_questions import next_questions
from accidents.knowledge.questions import MOST_CANDIDATES, MOST_SCORED, Question, rank_questions, rows_of
from accidents.requests import parse_request
from tests.trained import asking_model, small_models, small_year

ALL = 1000


def one_of(known: str, position: int) -> Arrays:
    """An accident of the small year of which this is known."""
    arrays = to_arrays(small_year()[0]).take(np.array([position]))
    return all_but(arrays, KNOWN[known]).apply(arrays)


def half_known(position: int, seed: int) -> Arrays:
    arrays = to_arrays(small_year()[0]).take(np.array([position]))
    return at_random(arrays, 0.5, np.random.default_rng(seed)).apply(arrays)


def is_unknown(arrays: Arrays, question: Question) -> bool:
    if question.name in {"dep", "com"}:
        return bool(arrays.places[0, ("dep", "com").index(question.name)] < 0)
    if question.name == COORDINATES:
        return not np.isfinite(arrays.coordinates).all()
    rows, _ = rows_of(arrays, question.entity)
    return bool(rows[question.index, COLUMN_POSITIONS[question.entity][question.name]] == UNKNOWN)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.integers(0, 99))
def test_gains_are_sorted_and_only_unknown_facts_are_asked_for(position: int, seed: int) -> None:
    arrays = half_known(position, seed)
    ranked = rank_questions(asking_model(), arrays, ALL, most_scored=ALL)
    gains = [question.gain for question in ranked]
    assert gains == sorted(gains, reverse=True)
    assert all(0 < gain <= 0.25 for gain in gains)
    assert all(is_unknown(arrays, question) for question in ranked)
    assert len({(one.entity, one.index, one.name) for one in ranked}) == len(ranked) <= MOST_CANDIDATES
    assert rank_questions(asking_model(), arrays, 3, most_scored=ALL) == ranked[:3]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.integers(0, 99))
@example(284, 84)  # vehicles of unknown kind with other people in them
@example(540, 40)  # equal gains where the candidates are cut off
def test_the_order_of_vehicles_and_people_does_not_matter(position: int, seed: int) -> None:
    arrays = half_known(position, seed)
    rng = np.random.default_rng(seed)
    vehicles, people = rng.permutation(len(arrays.vehicles)), rng.permutation(len(arrays.people))
    other = replace(
        arrays,
        vehicles=arrays.vehicles[vehicles],
        vehicle_ids=arrays.vehicle_ids[vehicles],
        people=arrays.people[people],
        person_vehicle_ids=arrays.person_vehicle_ids[people],
    )

    def asked(one: Arrays, most_scored: int) -> Counter[tuple[Entity, str, float]]:
        ranked = rank_questions(asking_model(), one, ALL, most_scored=most_scored)
        return Counter((question.entity, question.name, round(question.gain, 12)) for question in ranked)

    for most_scored in (ALL, MOST_SCORED):
        assert asked(arrays, most_scored) == asked(other, most_scored)


def test_an_accident_of_which_everything_is_known_has_no_question() -> None:
    arrays = to_arrays(small_year()[0]).take(np.array([0]))
    assert np.isfinite(arrays.coordinates).all()
    assert rank_questions(asking_model(), arrays, ALL) == []
    assert rank_questions(asking_model(), one_of("bystander", 0), 0) == []
    assert rank_questions(small_models()["lightgbm"].trained.bundle, one_of("bystander", 0), 3) == []


def test_facts_that_no_column_uses_have_no_place() -> None:
    model = asking_model().questions
    assert model
    learned = {(one.entity, one.name) for one in model.distributions}
    assert (Entity.ACCIDENT, "lum") in learned
    assert (Entity.VEHICLES, "manv") in learned
    unused = {name for entity, name in learned if name in {"motor", "trajet", "secu1", "actp", "etatp", "locp"}}
    assert not unused  # features of level `scene`


def test_the_ranking_differs_between_accidents() -> None:
    firsts = {
        (ranked[0].entity, ranked[0].name)
        for position in range(20)
        if (ranked := rank_questions(asking_model(), one_of("bystander", position), 1))
    }
    assert len(firsts) > 2


def test_vehicles_of_which_the_same_is_known_are_one_question() -> None:
    vehicle, person = {"catv": 7}, {"catu": 1}
    request = parse_request(
        {
            "vehicles": [vehicle | {"num_veh": name} for name in ("A01", "B01")],
            "people": [person | {"num_veh": name} for name in ("A01", "B01")],
        }
    )
    ranked = rank_questions(asking_model(), request.arrays, ALL, most_scored=ALL)
    assert {one.index for one in ranked} == {0}


def test_the_place_is_asked_for_where_only_the_department_is_known() -> None:
    ranked = rank_questions(asking_model(), one_of("bystander, department alone", 3), ALL, most_scored=ALL)
    names = {one.name for one in ranked}
    assert "com" in names
    assert "dep" not in names
    assert not {"com", "dep"} & {one.name for one in rank_questions(asking_model(), one_of("bystander", 3), ALL)}


def test_the_gain_is_the_weighted_variance_of_the_probability() -> None:
    """One field of two values by hand."""
    bundle = asking_model()
    assert bundle.questions
    arrays = one_of("bystander", 5)
    found = {one.name: one.gain for one in rank_questions(bundle, arrays, ALL, most_scored=ALL)}
    own = next(one for one in bundle.questions.distributions if one.name == "agg")
    row = np.hstack([bundle.matrix(arrays), np.where(arrays.accident < 0, np.nan, arrays.accident)])
    shares = own.shares_of(
        np.ascontiguousarray(
            row[:, bundle.questions.positions(bundle.matrix_columns)[Entity.ACCIDENT, "agg"]], dtype=np.float32
        )
    )[0]
    probabilities = []
    for value in own.values:
        arrays.accident[0, COLUMN_POSITIONS[Entity.ACCIDENT]["agg"]] = value
        probabilities.append(bundle.predict(arrays)[0])
    mean = np.average(probabilities, weights=shares)
    variance = np.average((np.array(probabilities) - mean) ** 2, weights=shares)
    assert found["agg"] == pytest.approx(own.weight * variance * shares.sum(), rel=1e-6)


def test_paths_are_those_of_the_request() -> None:
    nested = parse_request({"vehicles": [{"catv": 7}], "people": [{"catu": 1}]})
    flat = parse_request({"catv": 7, "catu": 1, "nb_vehicules": 2})
    asked = next_questions(asking_model(), nested, 20)
    assert asked
    assert {one.field.split(".")[0] for one in asked} <= {"accident", "road", "vehicles[0]", "people[0]"}
    assert any(one.text.startswith("Vehicle 1 (car): ") for one in asked)
    in_flat = next_questions(asking_model(), flat, 20)
    assert in_flat
    for one in in_flat:  # each can be answered in the form
        assert parse_request({"catv": 7, "catu": 1, one.field: -1}).is_flat
    assert next_questions(small_models()["lightgbm"].trained.bundle, flat, 3) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logistic_regression", "random_forest", "xgboost"])
def test_every_type_ranks(name: str) -> None:
    bundle: Bundle = asking_model(name)
    assert rank_questions(bundle, one_of("bystander", 0), 5)
    assert rank_questions(Bundle.from_bytes(bundle.to_bytes()), one_of("bystander", 0), 5) == rank_questions(
        bundle, one_of("bystander", 0), 5
    )
