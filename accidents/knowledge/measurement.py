"""Quality of a model by what is known of the accidents."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from accidents.evaluation.metrics import compute_metrics
from accidents.features.arrays import Arrays
from accidents.knowledge.masks import NAMED_MASKS

MEASURED = ("roc_auc", "f1", "ece", "prevalence")
"""Metrics of `accidents.evaluation.metrics`."""


def measure_by_knowledge(
    predict: Callable[[Arrays], npt.NDArray[np.float64]],
    arrays: Arrays,
    labels: npt.NDArray[np.int8],
    *,
    threshold: float,
    bins: int,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Measure a model on the same accidents with other fields left out.

    Args:
        predict: probability of priority of n accidents, float64 (n).
        arrays: n accidents.
        labels: int8 (n).
        threshold: decision threshold.
        bins: number of bins of ECE.
        seed: of the fields that are missing at random.

    Returns:
        By name of `NAMED_MASKS`: the metrics of `MEASURED`, `mean_probability`, and `predicted_priority`, the share of
        accidents predicted priority.
    """
    measured = {}
    for number, (name, mask) in enumerate(NAMED_MASKS.items()):
        probabilities = predict(mask(arrays, np.random.default_rng((seed, number))).apply(arrays))
        metrics = compute_metrics(labels, probabilities, threshold, bins)
        measured[name] = {metric: metrics[metric] for metric in MEASURED} | {
            "mean_probability": float(probabilities.mean()),
            "predicted_priority": float((probabilities >= threshold).mean()),
        }
    return measured
