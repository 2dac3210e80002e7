"""What resampling does to the accidents a model learns from."""

import numpy as np
import pytest

from accidents.models.base import Sample
from accidents.training.resampling import resample


@pytest.fixture
def sample() -> Sample:
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 4)).astype(np.float32)
    X[:, 3] *= 1000
    X[random.random(X.shape) < 0.1] = np.nan
    return Sample(X, (np.arange(300) % 5 == 0).astype(np.int8))


def test_none_changes_nothing(sample: Sample) -> None:
    assert resample(sample, "none", 0) is sample


def test_class_weights_make_both_classes_weigh_the_same(sample: Sample) -> None:
    weighted = resample(sample, "class_weight", 0)
    assert weighted.X is sample.X
    assert weighted.weight is not None
    assert weighted.weight[weighted.y == 1].sum() == pytest.approx(weighted.weight[weighted.y == 0].sum())


def test_undersampling_keeps_the_smaller_class_whole(sample: Sample) -> None:
    smaller = resample(sample, "undersample", 0)
    assert np.bincount(smaller.y).tolist() == [60, 60]
    np.testing.assert_array_equal(smaller.X[smaller.y == 1], sample.X[sample.y == 1])
    known = {row.tobytes() for row in sample.X[sample.y == 0]}
    assert all(row.tobytes() in known for row in smaller.X[smaller.y == 0])


def test_smote_adds_accidents_of_the_smaller_class_alone(sample: Sample) -> None:
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


@pytest.mark.parametrize("method", ["undersample", "smote"])
def test_the_seed_draws(sample: Sample, method: str) -> None:
    first, again, other = (resample(sample, method, seed).X for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)
