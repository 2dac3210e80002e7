"""Learning curve: growing training sets, one test set."""

import pytest

from accidents.training import train
from benchmarks.learning_curve import learning_curve
from tests.training.conftest import draw, quick

pytestmark = pytest.mark.slow


def test_more_accidents_are_measured_on_the_same_test_set() -> None:
    features, accidents = draw(3000)
    curve = learning_curve("lightgbm", features, accidents, quick(), level="call", shares=(0.2, 1.0))
    few, all_of_them = curve["accidents"]
    assert 0.12 < few / all_of_them < 0.28
    assert curve["test"].iloc[1] > curve["test"].iloc[0]
    assert (curve["training"] > curve["test"]).all()


def test_the_last_point_is_the_training_itself() -> None:
    features, accidents = draw(1500)
    curve = learning_curve("lightgbm", features, accidents, quick(), level="call", shares=(1.0,))
    trained = train("lightgbm", features, accidents, quick(), level="call")
    assert curve["test"].item() == trained.bundle.metrics["test"]["roc_auc"]
