"""Smoke test of a copy of a model: predictions of stored accidents are compared with those of the original."""

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.inference.json_scoring import NESTED_COLUMN
from accidents.requests.serialisation import to_requests
from accidents.tables import Accidents, Subset
from accidents.training.split import hash_uniform

TOLERANCE = 1e-9
"""Greatest difference between two probabilities that count as equal."""

_SEED = 20_240_101


def sample_accidents(predictions: pd.DataFrame, accidents: Accidents, count: int) -> pd.DataFrame:
    """Draw accidents from a test set, equally many of each class.

    Args:
        predictions: `TrainingResult.predictions` of a model.
        accidents: the accidents of its training.
        count: how many to draw; fewer where there are not enough of a class.

    Returns:
        `accident` (JSON text in the nested form), `label` (int8) and `probability` (float64), of the
        training, sorted by `Num_Acc`.
    """
    test = predictions[predictions["subset"] == Subset.TEST]
    order = np.argsort(hash_uniform(test["Num_Acc"].to_numpy(), _SEED), kind="stable")
    drawn = test.iloc[order].groupby("label", sort=True).head(count // 2).sort_values("Num_Acc", ignore_index=True)
    texts = [json.dumps(request) for request in to_requests(accidents, drawn["Num_Acc"].tolist())]
    return pd.DataFrame({NESTED_COLUMN: texts, "label": drawn["label"], "probability": drawn["probability"]})


def sample_each(predictions: Sequence[pd.DataFrame], *, accidents: Accidents, count: int) -> list[pd.DataFrame]:
    """The `sample_accidents` of several models."""
    return [sample_accidents(own, accidents, count) for own in predictions]


def compare_probabilities(expected: Sequence[float], actual: npt.NDArray[np.float64]) -> list[str]:
    """Differences of more than `TOLERANCE` from the stored probabilities, as messages; empty if there are none."""
    if len(expected) != len(actual):
        return [f"{len(actual)} answers to {len(expected)} accidents"]
    differences = np.abs(np.asarray(expected) - actual)
    wrong = np.flatnonzero(~(differences <= TOLERANCE))
    if not len(wrong):
        return []
    worst = int(wrong[np.argmax(np.nan_to_num(differences[wrong], nan=np.inf))])
    return [
        f"{len(wrong)} of {len(expected)} stored accidents get another probability; the worst is number {worst}: "
        f"{actual[worst]!r} instead of {expected[worst]!r}"
    ]
