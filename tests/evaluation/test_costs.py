import numpy as np
import pytest

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.costs import cheapest, costs
from accidents.evaluation.evaluate import evaluate


def evaluated(threshold_points: int = 99):
    rng = np.random.default_rng(0)
    chance = rng.beta(1.2, 2.1, 2000)
    labels = (rng.random(2000) < chance).astype(np.int8)
    settings = EvaluationSettings(resamples=10, group_resamples=10, threshold_points=threshold_points)
    return labels, chance, evaluate(labels, chance, 0.4, groups=None, settings=settings)


@pytest.mark.parametrize("missed", [1, 5])
def test_costs_are_misses_and_false_alarms_counted(missed: float) -> None:
    labels, chance, evaluation = evaluated()
    curve = costs(evaluation, missed)
    for place in (0, 30, 98):
        called = chance >= curve["threshold"][place]
        counted = missed * (labels[~called] == 1).sum() + (labels[called] == 0).sum()
        assert curve["cost"][place] == pytest.approx(100 * counted / len(labels))


def test_the_more_a_miss_weighs_the_lower_the_cheapest_threshold() -> None:
    _, _, evaluation = evaluated()
    found = [cheapest(evaluation, missed)[0] for missed in (1, 2, 5, 10)]
    assert found == sorted(found, reverse=True)
    # Calibrated probabilities: the cheapest threshold is near 1 / (1 + weight).
    assert found[0] == pytest.approx(0.5, abs=0.12)
