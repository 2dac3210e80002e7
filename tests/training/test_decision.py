"""Calibration and thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.bundle import Calibration
from accidents.configuration.training import ThresholdRule
from accidents.training.calibration import calibrate, choose_threshold


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
    curve = calibrate(margin, y)
    points = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(curve(points), sigmoid(0.5 * points - 1), atol=0.02)


def test_calibration_never_turns_the_ranking_round() -> None:
    margin = np.linspace(-3, 3, 100)
    assert calibrate(margin, (margin < 0).astype(np.int8)) == Calibration()


@given(st.lists(st.floats(-800, 800), min_size=1, max_size=40), st.floats(0, 3), st.floats(0, 3), st.floats(-2, 2))
@settings(deadline=None, max_examples=200)
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
    chosen = choose_threshold(probability, probability, y, ThresholdRule(recall_at_least=required))
    assert _recall(probability, y, chosen) >= required
    better = [t for t in probability if _recall(probability, y, t) >= required]
    assert _precision(probability, y, chosen) == max(_precision(probability, y, t) for t in better)


@given(st.integers(0, 1000), st.floats(0.01, 1))
@settings(deadline=None, max_examples=40)
def test_a_required_precision_is_kept_at_the_best_recall(seed: int, required: float) -> None:
    probability, y = scored(seed)
    chosen = choose_threshold(probability, probability, y, ThresholdRule(precision_at_least=required))
    reachable = min(required, max(_precision(probability, y, t) for t in probability))
    assert _precision(probability, y, chosen) >= reachable
    better = [t for t in probability if _precision(probability, y, t) >= reachable]
    assert _recall(probability, y, chosen) == max(_recall(probability, y, t) for t in better)


def test_the_best_f1_is_that_of_many_labels() -> None:
    probability, y = scored(0, n=200_000)
    chosen = choose_threshold(probability[:3000], probability[:3000], y[:3000], ThresholdRule(best="f1"))
    best = max(_f1(probability, y, t) for t in np.linspace(0.05, 0.95, 91))
    assert _f1(probability, y, chosen) > best - 0.001


def test_the_threshold_is_on_the_scale_it_is_used_on() -> None:
    probability, y = scored(0)
    squeezed = probability / 2 + 0.25
    chosen = choose_threshold(squeezed, probability, y, ThresholdRule(best="f1"))
    plain = choose_threshold(probability, probability, y, ThresholdRule(best="f1"))
    np.testing.assert_array_equal(squeezed >= chosen, probability >= plain)


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
