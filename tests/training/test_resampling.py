"""Resampling of the training set."""

import numpy as np
import pytest

from accidents.models.base import Dataset
from accidents.training.resampling import resample


@pytest.fixture
def sample() -> Dataset:
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 4)).astype(np.float32)
    X[:, 3] *= 1000
    X[random.random(X.shape) < 0.1] = np.nan
    return Dataset(X, (np.arange(300) % 5 == 0).astype(np.int8))


def test_none_changes_nothing(sample: Dataset) -> None:
    assert resample(sample, "none", 0) is sample


def test_class_weights_make_both_classes_weigh_the_same(sample: Dataset) -> None:
    weighted = resample(sample, "class_weight", 0)
    assert weighted.X is sample.X
    assert weighted.weight is not None
    assert weighted.weight[weighted.y == 1].sum() == pytest.approx(weighted.weight[weighted.y == 0].sum())


def test_undersampling_keeps_the_smaller_class_whole(sample: Dataset) -> None:
    smaller = resample(sample, "undersample", 0)
    assert np.bincount(smaller.y).tolist() == [60, 60]
    np.testing.assert_array_equal(smaller.X[smaller.y == 1], sample.X[sample.y == 1])
    position = {row.tobytes(): number for number, row in enumerate(sample.X)}
    positions = [position[row.tobytes()] for row in smaller.X]
    assert positions == sorted(positions)
    assert len({*positions}) == 120


def test_smote_adds_accidents_of_the_smaller_class_alone(sample: Dataset) -> None:
    larger = resample(sample, "smote", 0)
    assert np.bincount(larger.y).tolist() == [240, 240]
    np.testing.assert_array_equal(larger.X[:300], sample.X)
    np.testing.assert_array_equal(larger.y[:300], sample.y)
    synthetic, parents = larger.X[300:], sample.X[sample.y == 1]
    assert larger.X.dtype == np.float32
    assert larger.X.flags.c_contiguous
    assert np.isfinite(synthetic).all()
    assert (synthetic <= np.nanmax(parents, axis=0) + 1e-3).all()
    assert (synthetic >= np.nanmin(parents, axis=0) - 1e-3).all()


def test_synthetic_accidents_lie_between_neighbours_by_standardised_medians(sample: Dataset) -> None:
    """Between an accident of the smaller class and one of its five nearest, as in Chawla et al. (2002)."""
    synthetic = resample(sample, "smote", 0).X[300:]
    filled = np.where(np.isnan(sample.X), np.nanmedian(sample.X, axis=0), sample.X).astype(float)
    mean, deviation = filled.mean(axis=0), filled.std(axis=0)
    parents, children = ((rows - mean) / deviation for rows in (filled[sample.y == 1], synthetic))
    distance = np.linalg.norm(parents[:, None] - parents[None], axis=2)
    pairs = [(one, other) for one in range(60) for other in np.argsort(distance[one])[1:6]]
    start = parents[[one for one, _ in pairs]]
    step = parents[[other for _, other in pairs]] - start
    for child in children:
        share = ((child - start) * step).sum(axis=1) / (step**2).sum(axis=1)
        gap = np.linalg.norm(child - start - share.clip(0, 1)[:, None] * step, axis=1)
        assert gap.min() < 1e-3


def test_a_column_without_any_value_stays(sample: Dataset) -> None:
    sample.X[:, 1] = np.nan
    larger = resample(sample, "smote", 0)
    assert larger.X.shape == (480, 4)
    assert np.isnan(larger.X[:300, 1]).all()


@pytest.mark.parametrize("method", ["undersample", "smote"])
def test_the_seed_draws(sample: Dataset, method: str) -> None:
    first, again, other = (resample(sample, method, seed).X for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)
