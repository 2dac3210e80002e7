"""What callers leave out: masks change the named cells and nothing else, and equal requests that lack the fields."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import UNKNOWN
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
from accidents.features.arrays import Arrays, to_arrays
from accidents.features.compute import compute, place_cells
from accidents.knowledge.masks import (
    COORDINATES,
    FIELDS,
    KNOWN,
    NAMED_MASKS,
    Mask,
    all_but,
    at_random,
    cells_at_random,
    draw_mask,
)
from accidents.requests import parse_batch
from accidents.requests.serialisation import to_requests
from tests.trained import small_year

PARTS = {"accident": Entity.ACCIDENT, "road": Entity.ACCIDENT, "vehicles": Entity.VEHICLES, "people": Entity.PEOPLE}
LINKS = {"Num_Acc", "id_vehicule", "num_veh"}


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return to_arrays(small_year()[0]).take(np.arange(60))


def without(request: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """A request without the fields that nobody knows."""
    kept = known | LINKS | ({"lat", "long"} if COORDINATES in known else set())

    def cut(row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name in kept}

    return {part: [*map(cut, rows)] if isinstance(rows, list) else cut(rows) for part, rows in request.items()}


@pytest.mark.parametrize("name", KNOWN)
def test_a_mask_is_a_request_that_lacks_the_fields(name: str, arrays: Arrays) -> None:
    accidents, known = small_year()[0], {*KNOWN[name]}
    requests = to_requests(accidents, accidents.accidents["Num_Acc"].tolist()[:60])
    parsed = parse_batch(without(request, known) for request in requests)
    assert parsed.valid_positions == [*range(60)]
    masked = all_but(arrays, known).apply(arrays)
    np.testing.assert_array_equal(compute(parsed.arrays), compute(masked))
    np.testing.assert_array_equal(place_cells(parsed.arrays), place_cells(masked))


@given(st.integers(0, 2**32), st.sampled_from([draw_mask, *NAMED_MASKS.values()]))
@settings(deadline=None, max_examples=30)
def test_other_cells_stay_as_they_are(seed: int, drawn: Any) -> None:
    arrays = to_arrays(small_year()[0]).take(np.arange(20))
    before = {name: array.copy() for name, array in vars(arrays).items()}
    mask: Mask = drawn(arrays, np.random.default_rng(seed))
    masked = mask.apply(arrays)
    for name, array in vars(arrays).items():
        np.testing.assert_array_equal(array, before[name])
    for rows, others, unknown, entity in (
        (masked.vehicles, arrays.vehicles, mask.vehicles, Entity.VEHICLES),
        (masked.people, arrays.people, mask.people, Entity.PEOPLE),
    ):
        known = rows[:, : len(FIELDS[entity])]
        assert (known[unknown] == UNKNOWN).all()
        np.testing.assert_array_equal(known[~unknown], others[:, : len(FIELDS[entity])][~unknown])
    again: Mask = drawn(arrays, np.random.default_rng(seed))
    assert all((one == other).all() for one, other in zip(vars(mask).values(), vars(again).values(), strict=True))


def test_rates_are_those_asked_for() -> None:
    arrays = to_arrays(small_year()[0])
    rng = np.random.default_rng(0)
    assert at_random(arrays, 1 / 3, rng).accident.mean() == pytest.approx(1 / 3, abs=0.02)
    assert cells_at_random(arrays, 2 / 3, rng).people.mean() == pytest.approx(2 / 3, abs=0.02)
    assert not at_random(arrays, 0, rng).vehicles.any()
    assert cells_at_random(arrays, 1, rng).vehicles.all()


def test_what_training_learns_from_has_every_field_known_and_unknown() -> None:
    arrays = to_arrays(small_year()[0])
    for unknown in vars(draw_mask(arrays, np.random.default_rng(0))).values():
        assert (unknown.mean(axis=0) > 0.1).all()
        assert (unknown.mean(axis=0) < 0.8).all()


@given(st.lists(st.integers(0, 99), max_size=12))
@settings(deadline=None)
def test_accidents_taken_alone_have_the_same_features(rows: list[int]) -> None:
    arrays = to_arrays(small_year()[0])
    taken = arrays.take(np.array(rows, dtype=np.intp))
    np.testing.assert_array_equal(compute(taken), compute(arrays)[rows])
    np.testing.assert_array_equal(place_cells(taken), place_cells(arrays)[rows])


def test_not_recorded_and_not_known_are_told_apart() -> None:
    request = {"accident": {"lum": 1}, "road": {}, "vehicles": [{}], "people": [{}]}
    recorded = {**request, "accident": {"lum": -1}}
    unknown = {**request, "accident": {"lum": None}}
    left_out = {**request, "accident": {}}
    parsed = parse_batch([recorded, unknown, left_out]).arrays
    codes = parsed.accident[:, COLUMN_POSITIONS[Entity.ACCIDENT]["lum"]].tolist()
    assert codes == [-1, UNKNOWN, UNKNOWN]
    features = compute(parsed)
    assert features[0].tobytes() != features[1].tobytes()
    assert features[1].tobytes() == features[2].tobytes()
