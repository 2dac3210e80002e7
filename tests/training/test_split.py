"""Training, validation and test set: shares, and what the split may not depend on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.configuration.training import SplitSettings
from accidents.errors import DataError
from accidents.training.split import Subset, accident_months, assign_subsets, hash_uniform, join_labels
from tests.training.conftest import Frames


def frame_of(ids: list[int], labels: list[int] | None = None) -> pd.DataFrame:
    n = len(ids)
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) % 365, unit="D")
    return pd.DataFrame(
        {"Num_Acc": np.array(ids, np.int64), "priority": np.array(labels or [0] * n, np.int8), "date": dates}
    )


IDS = st.lists(st.integers(200_500_000_000, 209_999_999_999), unique=True, min_size=1, max_size=60)


def test_shares_are_as_configured() -> None:
    subsets = assign_subsets(frame_of(list(range(202400000001, 202400040001))), SplitSettings(), 0)
    assert np.mean(subsets == Subset.TEST) == pytest.approx(0.3, abs=0.01)
    assert np.mean(subsets == Subset.VALIDATION) == pytest.approx(0.15 * 0.7, abs=0.01)


@given(IDS, st.integers(0, 5), st.randoms())
@settings(deadline=None, max_examples=50)
def test_the_set_of_an_accident_depends_on_no_other(ids: list[int], seed: int, random: object) -> None:
    together = dict(zip(ids, assign_subsets(frame_of(ids), SplitSettings(), seed), strict=True))
    shuffled = random.sample(ids, len(ids))  # type: ignore[attr-defined]
    assert dict(zip(shuffled, assign_subsets(frame_of(shuffled), SplitSettings(), seed), strict=True)) == together
    half = ids[: len(ids) // 2 + 1]
    assert list(assign_subsets(frame_of(half), SplitSettings(), seed)) == [together[number] for number in half]


def test_the_split_stays_what_it_was_when_older_models_were_trained() -> None:
    """Held-out accidents of a stored model are found by drawing its split again: other draws would leak."""
    draws = [hash_uniform(np.array([202400000001, 202312345678]), draw) for draw in (0, 7)]
    np.testing.assert_allclose(draws, [[0.61172496, 0.23446892], [0.95939535, 0.29569943]], atol=1e-8)
    subsets = assign_subsets(frame_of(list(range(202400000001, 202400000021))), SplitSettings(), 0)
    assert "".join(subset[:2] for subset in subsets) == "trtetetetrtetetetrtrtrtrtetrtrvatrtrtetr"


def test_another_seed_is_another_split() -> None:
    frame = frame_of(list(range(202400000001, 202400001001)))
    first, second = (assign_subsets(frame, SplitSettings(), seed) == Subset.TEST for seed in (0, 1))
    assert 0.03 < np.mean(first & second) < 0.16  # independent draws share 9 %


@given(IDS, st.data())
@settings(deadline=None, max_examples=50)
def test_the_label_chooses_no_set(ids: list[int], data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(ids), max_size=len(ids)))
    split = SplitSettings()
    assert list(assign_subsets(frame_of(ids, labels), split, 0)) == list(assign_subsets(frame_of(ids), split, 0))


def test_accidents_without_a_label_are_in_no_set() -> None:
    subsets = assign_subsets(frame_of(list(range(202400000001, 202400000101)), [-1, 0] * 50), SplitSettings(), 0)
    assert (subsets[::2] == Subset.UNKNOWN).all()
    assert (subsets[1::2] != Subset.UNKNOWN).all()


@pytest.mark.parametrize("split", [{"test_share": 0.25}, {"test_from": "2024-10-01"}])
def test_a_temporal_split_tests_on_the_latest_days(split: dict[str, object]) -> None:
    frame = frame_of(list(range(202400000001, 202400003651)))
    test = assign_subsets(frame, SplitSettings.model_validate({"kind": "temporal"} | split), 0) == Subset.TEST
    assert frame["date"][test].min() > frame["date"][~test].max()
    if "test_share" in split:
        assert test.mean() == pytest.approx(0.25, abs=0.005)
    else:
        assert frame["date"][test].min() == pd.Timestamp("2024-10-01")


def test_a_temporal_share_counts_labelled_accidents_and_whole_days() -> None:
    frame = frame_of(list(range(202400000001, 202400000101)), [0] * 50 + [-1] * 50)
    subsets = assign_subsets(frame, SplitSettings(kind="temporal", test_share=0.1), 0)
    assert (subsets[:50] == Subset.TEST).sum() == 5
    assert (subsets[45:50] == Subset.TEST).all()
    halves = frame_of(list(range(202400000001, 202400000011)))
    halves["date"] = pd.to_datetime(["2024-01-01"] * 5 + ["2024-01-02"] * 5)
    for share, expected in ((0.5, 5), (0.4, 5), (0.05, 5)):
        subsets = assign_subsets(halves, SplitSettings(kind="temporal", test_share=share), 0)
        assert (subsets == Subset.TEST).sum() == expected


def test_labels_and_dates_stand_beside_the_features() -> None:
    features = pd.DataFrame({"Num_Acc": [1, 2, 3], "cars": [1.0, 2.0, 3.0]}, index=[7, 8, 9])
    accidents = pd.DataFrame(
        {"Num_Acc": [1, 2, 3], "an": 2024, "mois": [2, 12, 2], "jour": [29, 31, 30], "priority": [1, 0, -1]},
        index=[4, 5, 6],
    )
    frame = join_labels(features, accidents)
    assert frame.index.tolist() == [0, 1, 2]
    assert frame["priority"].tolist() == [1, 0, -1]
    assert frame["date"].tolist()[:2] == [pd.Timestamp("2024-02-29"), pd.Timestamp("2024-12-31")]
    months = accident_months(frame.set_index("Num_Acc"))
    assert months.index.tolist() == [1, 2, 3]
    assert months.tolist()[:2] == ["2024-02", "2024-12"]
    assert frame["date"].isna().tolist() == months.isna().tolist() == [False, False, True]


def test_a_temporal_split_needs_dates() -> None:
    frame = frame_of([202400000001, 202400000002])
    frame.loc[1, "date"] = pd.NaT
    with pytest.raises(DataError, match="1 have none"):
        assign_subsets(frame, SplitSettings(kind="temporal"), 0)


def test_frames_of_other_accidents_are_refused(frames: Frames) -> None:
    features, accidents = frames
    with pytest.raises(DataError, match="do not fit"):
        join_labels(features, accidents.iloc[::-1])
    with pytest.raises(DataError, match="do not fit"):
        join_labels(features, accidents.iloc[:-1])


def test_a_day_of_the_cut_is_for_the_temporal_split() -> None:
    with pytest.raises(ValueError, match="temporal"):
        SplitSettings.model_validate({"test_from": "2024-10-01"})
