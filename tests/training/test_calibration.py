"""Calibration and thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.bundle import Calibration
from accidents.configuration.training import ThresholdRule
from accidents.training.calibration import choose_threshold, fit_calibration


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def scored(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    margin = random.normal(-0.5, 1.5, n)
    return sigmoid(margin), (random.random(n) < sigmoid(margin)).astype(np.int8)


def test_calibration_finds_the_curve() -> None:
    random = np.random.default_rng(0)
    margin = random.normal(0, 2, 50_000)
    y = (random.random(len(margin)) < sigmoid(0.5 * margin - 1)).astype(np.int8)
    curve = fit_calibration(margin, y)
    points = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(curve(points), sigmoid(0.5 * points - 1), atol=0.02)


def test_calibration_never_turns_the_ranking_round() -> None:
    margin = np.linspace(-3, 3, 100)
    assert fit_calibration(margin, (margin < 0).astype(np.int8)) == Calibration()


@given(st.lists(st.floats(-800, 800), min_size=1, max_size=40), st.floats(0, 3), st.floats(0, 3), st.floats(-2, 2))
@settings(deadline=None, max_examples=200)
@pytest.mark.filterwarnings("error")
def test_a_margin_alone_has_the_probability_that_it_has_among_others(
    margins: list[float], low: float, high: float, intercept: float
) -> None:
    curve, together = Calibration(low, high, intercept), np.array(margins)
    alone = [curve(together[number : number + 1])[0] for number in range(len(together))]
    assert curve(together).tobytes() == np.array(alone).tobytes()


@given(st.integers(0, 1000), st.floats(0.01, 1))
@settings(deadline=None, max_examples=40)
def test_a_required_recall_is_kept_at_the_best_precision(seed: int, required: float) -> None:
    probability, y = scored(seed)
    threshold = choose_threshold(probability, probability, y, ThresholdRule(recall_at_least=required))
    assert _recall(probability, y, threshold) >= required
    better = [t for t in probability if _recall(probability, y, t) >= required]
    assert _precision(probability, y, threshold) == max(_precision(probability, y, t) for t in better)


@given(st.integers(0, 1000), st.floats(0.01, 1))
@settings(deadline=None, max_examples=40)
def test_a_required_precision_is_kept_at_the_best_recall(seed: int, required: float) -> None:
    probability, y = scored(seed)
    threshold = choose_threshold(probability, probability, y, ThresholdRule(precision_at_least=required))
    reachable = min(required, max(_precision(probability, y, t) for t in probability))
    assert _precision(probability, y, threshold) >= reachable
    better = [t for t in probability if _precision(probability, y, t) >= reachable]
    assert _recall(probability, y, threshold) == max(_recall(probability, y, t) for t in better)


def test_the_best_f1_is_that_of_many_labels() -> None:
    probability, y = scored(0, n=200_000)
    threshold = choose_threshold(probability[:3000], probability[:3000], y[:3000], ThresholdRule(best="f1"))
    best = max(_f1(probability, y, t) for t in np.linspace(0.05, 0.95, 91))
    assert _f1(probability, y, threshold) > best - 0.001


def test_the_threshold_is_on_the_scale_it_is_used_on() -> None:
    probability, y = scored(0)
    squeezed = probability / 2 + 0.25
    threshold = choose_threshold(squeezed, probability, y, ThresholdRule(best="f1"))
    plain = choose_threshold(probability, probability, y, ThresholdRule(best="f1"))
    np.testing.assert_array_equal(squeezed >= threshold, probability >= plain)


def terms(margin: np.ndarray) -> np.ndarray:
    """Logarithms of the odds of beta calibration: ln p and -ln(1 - p)."""
    p = sigmoid(margin)
    return np.column_stack([np.log(p), -np.log1p(-p)])


def test_calibration_is_the_fit_of_greatest_likelihood() -> None:
    """At the maximum, the gradient in both slopes and the intercept is zero; a penalty would move it."""
    margin = np.random.default_rng(3).normal(-0.5, 1.5, 200)
    y = (np.random.default_rng(4).random(200) < sigmoid(0.6 * margin - 0.3)).astype(np.int8)
    curve = fit_calibration(margin, y)
    assert min(curve.low, curve.high) > 0
    gap = curve(margin) - y
    np.testing.assert_allclose([gap.mean(), *(gap @ terms(margin) / len(y))], 0, atol=1e-4)


def test_where_one_end_would_fall_both_ends_have_the_slope_of_platt() -> None:
    margin = np.concatenate([np.linspace(-6, -3, 40), np.linspace(-1, 4, 200)])
    y = np.concatenate([np.arange(40) % 2 == 0, np.random.default_rng(0).random(200) < sigmoid(margin[40:])])
    curve = fit_calibration(margin, y.astype(np.int8))
    assert curve.low == curve.high > 0
    gap = curve(margin) - y
    np.testing.assert_allclose([gap.mean(), gap @ margin / len(y)], 0, atol=1e-4)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_the_best_f1_is_that_expected_and_of_equals_the_highest(seed: int) -> None:
    random = np.random.default_rng(seed)
    probability = random.permutation(30) / 30
    chance = random.choice([0.0, 0.25, 0.5, 1.0], 30)
    chance[np.argmax(probability)] = 0.5
    expected = {
        float(threshold): 2 * chance[probability >= threshold].sum() / ((probability >= threshold).sum() + chance.sum())
        for threshold in probability
    }
    best = max(expected.values())
    threshold = choose_threshold(probability, chance, np.zeros(30, np.int8), ThresholdRule(best="f1"))
    assert threshold == max(threshold for threshold, f1 in expected.items() if f1 >= best - 1e-12)


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    probability, y = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0, 1, 1, 1], np.int8)
    assert choose_threshold(probability, probability, y, ThresholdRule(recall_at_least=1 / 3)) == 0.8
    assert choose_threshold(probability, probability, y, ThresholdRule(recall_at_least=0.5)) == 0.6
    assert choose_threshold(probability, probability, y, ThresholdRule(precision_at_least=0.9)) == 0.4
    assert choose_threshold(probability, probability, 1 - y, ThresholdRule(precision_at_least=0.9)) == 0.2


@pytest.mark.parametrize("given_rule", [{}, {"best": "f1", "recall_at_least": 0.9}, {"recall_at_least": 1.2}])
def test_a_rule_is_exactly_one_of_three(given_rule: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"one of best|less than or equal"):
        ThresholdRule.model_validate(given_rule)


def _recall(probability: np.ndarray, y: np.ndarray, threshold: float) -> float:
    return float(y[probability >= threshold].sum() / y.sum())


def _precision(probability: np.ndarray, y: np.ndarray, threshold: float) -> float:
    return float(y[probability >= threshold].mean())


def _f1(probability: np.ndarray, y: np.ndarray, threshold: float) -> float:
    precision, recall = _precision(probability, y, threshold), _recall(probability, y, threshold)
    return 2 * precision * recall / (precision + recall)
