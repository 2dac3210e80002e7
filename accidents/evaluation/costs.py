"""What a threshold costs, where a missed priority accident weighs more than a false alarm."""

import numpy as np

from accidents.evaluation.results import Curve, Evaluation


def costs(evaluation: Evaluation, missed: float) -> Curve:
    """Cost of every compared threshold, in false alarms per 100 accidents.

    Args:
        evaluation: a measured model.
        missed: how many false alarms weigh as much as one missed priority accident.

    Returns:
        `threshold` and `cost`.
    """
    curve = evaluation.thresholds
    recall, predicted = np.array(curve["recall"]), np.array(curve["predicted"])
    found = evaluation.prevalence * recall
    cost = 100 * (missed * (evaluation.prevalence - found) + predicted - found)
    return {"threshold": curve["threshold"], "cost": cost.tolist()}


def cheapest(evaluation: Evaluation, missed: float) -> tuple[float, float]:
    """The threshold of least cost, and that cost; of equally good ones the highest."""
    curve = costs(evaluation, missed)
    place = len(curve["cost"]) - 1 - int(np.argmin(curve["cost"][::-1]))
    return curve["threshold"][place], curve["cost"][place]
