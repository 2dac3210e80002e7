"""The proposed model: of lowest log loss on the validation set, ties by preference."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.models import model_class, model_types
from accidents.training.selection import choose_model
from accidents.training.split import hash_uniform

BY_RANK = sorted(model_types(), key=lambda name: model_class(name).TIE_RANK)


def predicted(
    probability: np.ndarray, label: np.ndarray, test_probability: np.ndarray | float = 0.5, test_label: int = 1
) -> pd.DataFrame:
    """Predictions of a validation set, and of a test set of the same size."""
    subsets = ("validation", probability, label), ("test", test_probability, test_label)
    parts = [
        pd.DataFrame({"subset": subset, "label": labels, "probability": probabilities}, index=range(len(label)))
        for subset, probabilities, labels in subsets
    ]
    return pd.concat(parts, ignore_index=True)


def drawn(n: int = 2_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities and labels."""
    random = np.random.default_rng(seed)
    truth = random.uniform(0.05, 0.95, n)
    return truth, (random.random(n) < truth).astype(np.int8)


def log_loss(probability: np.ndarray, label: np.ndarray) -> np.ndarray:
    return -np.log(np.where(label == 1, probability, 1 - probability))


def test_the_lowest_log_loss_on_the_validation_set_decides() -> None:
    truth, label = drawn()
    vague = 0.5 + (truth - 0.5) / 4
    choice = choose_model({"lightgbm": predicted(vague, label), "random_forest": predicted(truth, label)})
    assert choice.best == "random_forest"
    assert choice.log_losses["random_forest"] == pytest.approx(log_loss(truth, label).mean())
    assert choice.log_losses["lightgbm"] == pytest.approx(log_loss(vague, label).mean())


def test_the_test_set_takes_no_part() -> None:
    truth, label = drawn()
    good = predicted(truth, label, test_probability=0.01)
    poor = predicted(np.full(len(truth), label.mean()), label, test_probability=0.99)
    assert choose_model({"xgboost": poor, "logistic_regression": good}).best == "logistic_regression"


@pytest.mark.parametrize(("preferred", "other"), pairwise(BY_RANK))
@pytest.mark.parametrize("advantage", [-0.001, 0.001])
def test_of_tied_models_the_preferred_one_is_chosen(preferred: str, other: str, advantage: float) -> None:
    """Each of the two is better on every second accident."""
    label = np.tile([1, 1, 0, 0], 100).astype(np.int8)
    of_label = np.tile([0.6, 0.7], 200)
    models = {}
    for name, probability in ((other, of_label[::-1] + advantage), (preferred, of_label)):
        models[name] = predicted(np.where(label == 1, probability, 1 - probability), label)
    choice = choose_model(models)
    assert choice.best == preferred
    assert (choice.log_losses[other] < choice.log_losses[preferred]) == (advantage > 0)


def test_the_standard_error_is_that_of_differences_on_the_same_accidents() -> None:
    """A loss that is higher on every accident does not tie, however much the losses of accidents differ."""
    truth, label = drawn()
    worse = np.where(label == 1, truth * 0.995, 1 - (1 - truth) * 0.995)
    difference = log_loss(worse, label).mean() - log_loss(truth, label).mean()
    assert difference < log_loss(truth, label).std() / np.sqrt(len(truth))
    assert choose_model({"lightgbm": predicted(worse, label), "xgboost": predicted(truth, label)}).best == "xgboost"


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**31), order=st.permutations(model_types()), noise=st.floats(0, 0.3))
def test_any_order_gives_the_same_model_within_a_standard_error(seed: int, order: list[str], noise: float) -> None:
    truth, label = drawn(300, seed)
    probabilities = {
        name: (truth + noise * (hash_uniform(np.arange(300), seed + position) - 0.5)).clip(0.01, 0.99)
        for position, name in enumerate(sorted(order))
    }
    models = {name: predicted(probabilities[name], label) for name in order}
    choice = choose_model(models)
    assert choice == choose_model(dict(sorted(models.items())))
    lowest = min(choice.log_losses, key=choice.log_losses.__getitem__)
    losses = [log_loss(probabilities[name], label) for name in (choice.best, lowest)]
    difference = losses[0] - losses[1]
    assert difference.mean() <= difference.std() / np.sqrt(300) + 1e-12


def test_certain_and_wrong_is_finite() -> None:
    label = np.array([0, 1] * 50, np.int8)
    choice = choose_model({"xgboost": predicted(1.0 - label, label), "lightgbm": predicted(np.full(100, 0.5), label)})
    assert choice.best == "lightgbm"
    assert np.isfinite(choice.log_losses["xgboost"])
