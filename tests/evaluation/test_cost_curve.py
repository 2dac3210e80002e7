"""Cost of a decision threshold, and the cheapest one."""

import numpy as np
import pytest

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.curves import cheapest_threshold, cost_curve
from accidents.evaluation.evaluate import evaluate


def small_evaluation(threshold_points: int = 99):
    rng = np.random.default_rng(0)
    probabilities = rng.beta(1.2, 2.1, 2000)
    labels = (rng.random(2000) < probabilities).astype(np.int8)
    settings = EvaluationSettings(resamples=10, group_resamples=10, threshold_points=threshold_points)
    return labels, probabilities, evaluate(labels, probabilities, 0.4, groups=None, settings=settings)


@pytest.mark.parametrize("miss_weight", [1, 5])
def test_cost_counts_false_negatives_and_false_positives(miss_weight: float) -> None:
    labels, probabilities, evaluation = small_evaluation()
    curve = cost_curve(evaluation, miss_weight)
    for index in (0, 30, 98):
        predicted = probabilities >= curve["threshold"][index]
        counted = miss_weight * (labels[~predicted] == 1).sum() + (labels[predicted] == 0).sum()
        assert curve["cost"][index] == pytest.approx(100 * counted / len(labels))


def test_the_cheapest_threshold_falls_with_the_weight_of_a_miss() -> None:
    _, _, evaluation = small_evaluation()
    thresholds = [cheapest_threshold(evaluation, weight)[0] for weight in (1, 2, 5, 10)]
    assert thresholds == sorted(thresholds, reverse=True)
    # Calibrated probabilities: the cheapest threshold is near 1 / (1 + weight).
    assert thresholds[0] == pytest.approx(0.5, abs=0.12)
