import pickle

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.features.catalogue import CELLS, PLACE_COLUMN_NAMES
from accidents.features.cells import locate_cells
from accidents.features.place_encoder import PlaceEncoder, _count, _sum

SHARE = {name: PLACE_COLUMN_NAMES.index(f"te_{name}") for name in ("department", "commune", "road", "area", "spot")}
DENSITY = {name: PLACE_COLUMN_NAMES.index(f"density_{name}") for name in SHARE}


def places(rows: int, seed: int = 0) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Keys of accidents, some not recorded, and labels."""
    rng = np.random.default_rng(seed)
    department = rng.integers(1, 6, rows)
    keys = np.column_stack([department, *(department * 100 + rng.integers(0, 20, rows) for _ in range(4))])
    keys[rng.random(keys.shape) < 0.1] = -1
    return keys, rng.integers(0, 2, rows)


def test_shares_are_shrunk_towards_the_place_around() -> None:
    keys = np.array([[1, 10, -1, -1, -1]] * 3 + [[1, 11, -1, -1, -1]])
    encoded = PlaceEncoder(strength=2.0).fit(keys, [1, 1, 0, 0]).transform(keys)
    department = (2 + 2 * 0.5) / (4 + 2)
    assert encoded[0, SHARE["department"]] == pytest.approx(department)
    assert encoded[0, SHARE["commune"]] == pytest.approx((2 + 2 * department) / (3 + 2))
    assert encoded[3, SHARE["commune"]] == pytest.approx((0 + 2 * department) / (1 + 2))
    assert encoded[0, DENSITY["commune"]] == pytest.approx(np.log1p(7500))


@pytest.mark.parametrize("strength", [0.5, 8.0])
def test_encodings_equal_the_documented_formula(strength: float) -> None:
    where, labels = places(300, seed=4)
    frame = pd.DataFrame(where, columns=list(CELLS)).assign(label=labels)
    around = {"commune": "department", "road": "department", "area": "department", "spot": "commune"}
    shares: dict[str, pd.Series] = {}
    encoded = PlaceEncoder(strength).fit(where, labels).transform(where)
    for kind in SHARE:
        key = frame[f"cell_{kind}"]
        prior = shares[around[kind]] if kind in around else pd.Series(labels.mean(), frame.index)
        accidents, priority = key.map(key.value_counts()), frame["label"].groupby(key).transform("sum")
        share = (priority + strength * prior.groupby(key).transform("mean")) / (accidents + strength)
        shares[kind] = share.where(key >= 0, prior)
        density = np.log1p(10_000 * accidents / len(frame)).where(key >= 0, 0.0)
        np.testing.assert_allclose(encoded[:, SHARE[kind]], shares[kind], rtol=1e-5, err_msg=kind)
        np.testing.assert_allclose(encoded[:, DENSITY[kind]], density, rtol=1e-5, err_msg=kind)


def test_an_unknown_place_takes_after_the_one_around() -> None:
    where, labels = places(500)
    encoder = PlaceEncoder().fit(where, labels)
    missing, new_spot = encoder.transform(np.array([[-1] * 5, [where[0, 0], where[0, 1], -1, -1, 999_999]]))
    assert np.allclose(missing[[*SHARE.values()]], labels.mean())
    assert not missing[[*DENSITY.values()]].any()
    assert new_spot[SHARE["spot"]] == new_spot[SHARE["commune"]]
    assert new_spot[SHARE["road"]] == new_spot[SHARE["department"]]


def test_a_position_is_that_of_the_spot_or_of_what_is_around() -> None:
    places = np.array([[24, 24322, 1]] * 3 + [[33, 33063, 1]])
    coordinates = np.array([[45.18, 0.72], [45.38, 0.72], [np.nan, np.nan], [44.84, -0.58]])
    cells = locate_cells(places, np.ones(4, np.int16), coordinates)
    encoder = PlaceEncoder().fit(cells, [1, 0, 1, 0])
    missing = np.array([cells[2], [24, -1, -1, -1, -1], [-1, -1, -1, -1, -1]])
    positions = encoder.transform(np.concatenate([cells, missing]))[:, -2:]
    np.testing.assert_allclose(positions[[0, 1, 3]], coordinates[[0, 1, 3]], atol=0.016)
    np.testing.assert_allclose(positions[[2, 4, 5]], [[45.28, 0.72]] * 3, atol=0.016)
    np.testing.assert_allclose(positions[6], positions[[0, 1, 3]].mean(axis=0), atol=1e-4)


def test_without_any_recorded_place_nothing_is_missing() -> None:
    unknown = np.full((3, 5), -1)
    encoded = PlaceEncoder().fit(np.concatenate([places(5)[0], unknown]), [0, 1] * 4).transform(unknown)
    assert np.isfinite(encoded).all()


def test_one_row_is_encoded_as_in_a_batch() -> None:
    where, labels = places(300)
    encoder = PlaceEncoder().fit(where, labels)
    alone = np.concatenate([encoder.transform(row[None]) for row in where])
    assert alone.tobytes() == encoder.transform(where).tobytes()


def test_a_frame_of_keys_in_any_order_of_columns() -> None:
    where, labels = places(50)
    frame = pd.DataFrame(where, columns=list(CELLS))[list(CELLS)[::-1]].assign(other=1.0)
    encoder = PlaceEncoder().fit(frame, labels)
    assert encoder.transform(frame).tobytes() == PlaceEncoder().fit(where, labels).transform(where).tobytes()


def test_out_of_fold_a_row_never_sees_its_own_label() -> None:
    where, labels = places(400)
    _, before, _ = PlaceEncoder().fit_out_of_fold(where, labels, folds=5, seed=1)
    for row in (0, 57, 399):
        changed = labels.copy()
        changed[row] = 1 - changed[row]
        _, after, _ = PlaceEncoder().fit_out_of_fold(where, changed, folds=5, seed=1)
        assert after[row].tobytes() == before[row].tobytes()
        assert (after != before).any()


def test_out_of_fold_leaves_the_encoder_fitted_on_all_rows() -> None:
    where, labels = places(400)
    encoder, encoded, _ = PlaceEncoder().fit_out_of_fold(where, labels, folds=5, seed=1)
    assert encoder.transform(where).tobytes() == PlaceEncoder().fit(where, labels).transform(where).tobytes()
    assert encoded.shape == (400, len(PLACE_COLUMN_NAMES))
    assert encoded.dtype == np.float32
    assert np.isfinite(encoded).all()


def test_a_pickled_encoder_is_small_and_the_same() -> None:
    where, labels = places(5_000)
    encoder = PlaceEncoder().fit(where, labels)
    stored = pickle.dumps(encoder)
    assert len(stored) < 20 * sum(len(np.unique(column)) for column in where.T) + 2_000
    assert pickle.loads(stored).transform(where).tobytes() == encoder.transform(where).tobytes()  # noqa: S301 - own bytes


def test_without_the_arrays_of_a_cell_its_places_are_unknown() -> None:
    where, labels = places(300)
    encoder = PlaceEncoder().fit(where, labels)
    for kind in ("road", "area", "spot"):
        arrays = {name: values for name, values in encoder.to_arrays().items() if not name.startswith(f"cell_{kind}.")}
        unknown = where.copy()
        unknown[:, CELLS.index(f"cell_{kind}")] = -1
        restored = PlaceEncoder.from_arrays(arrays)
        np.testing.assert_array_equal(restored.transform(where)[:, :-2], encoder.transform(unknown)[:, :-2])


@pytest.mark.parametrize("values", [[1, 1], [2, 1]])
def test_stored_places_are_sorted_and_distinct(values: list[int]) -> None:
    arrays = PlaceEncoder().fit(*places(300)).to_arrays()
    arrays["cell_road.values"] = np.concatenate([values, arrays["cell_road.values"][2:]])
    with pytest.raises(ValueError, match=r"cell_road .* not sorted"):
        PlaceEncoder.from_arrays(arrays)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 5))
def test_counts_of_parts_give_the_encoder_of_the_whole(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.integers(-1, 4, (40, len(CELLS)))
    labels = rng.integers(0, 2, 40)
    own = [(cells[rows], labels[rows]) for rows in np.array_split(rng.permutation(40), parts)]
    added = PlaceEncoder().fit_counts(_sum([*map(_count, own)])).to_arrays()
    for name, values in PlaceEncoder().fit(cells, labels).to_arrays().items():
        np.testing.assert_array_equal(added[name], values)
