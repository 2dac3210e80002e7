"""A model that has learned what callers leave out, and one that has not, on the same accidents."""

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.features.arrays import Arrays, to_arrays
from accidents.knowledge.masks import NAMED_MASKS
from accidents.models import model_types
from accidents.training import train
from tests.trained import small_year
from tests.training.conftest import quick


def trained(name: str, *, masked: bool, **changes: object) -> Bundle:
    accidents, features = small_year()
    details = accidents if masked else None
    return train(name, features, accidents.accidents, quick(**changes), level="call", details=details).bundle


def departments_alone() -> Arrays:
    arrays = to_arrays(small_year()[0])
    return NAMED_MASKS["bystander, department alone"](arrays, np.random.default_rng(0)).apply(arrays)


@pytest.mark.slow
@pytest.mark.parametrize("name", model_types())
def test_ignorance_of_the_place_is_not_danger(name: str) -> None:
    arrays, labels = departments_alone(), small_year()[0].accidents["priority"].to_numpy()
    bundle = trained(name, masked=True)
    probability = bundle.predict(arrays)
    assert probability.mean() == pytest.approx(labels.mean(), abs=0.1)
    assert 0.1 < (probability >= bundle.threshold).mean() < 0.9
    assert len(bundle.calibration.columns) == len([name for name in bundle.columns if name.startswith("known_")])
    assert Bundle.from_bytes(bundle.to_bytes()).predict(arrays).tobytes() == probability.tobytes()


def test_without_masks_nothing_changes() -> None:
    plain = trained("logistic_regression", masked=False)
    none = trained("logistic_regression", masked=True, masked_share=0.0)
    assert none.calibration == plain.calibration
    assert none.model.to_sections() == plain.model.to_sections()
    assert not plain.calibration.columns


def test_the_same_training_gives_the_same_model() -> None:
    one, other = (trained("logistic_regression", masked=True) for _ in range(2))
    assert (one.calibration, one.threshold) == (other.calibration, other.threshold)
    assert one.model.to_sections() == other.model.to_sections()
