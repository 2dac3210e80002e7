"""Accidents by which a copy of a model shows that it answers like the original."""

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.inference.json_scoring import NESTED
from accidents.requests.serialisation import to_requests
from accidents.tables import Accidents, Subset
from accidents.training.split import hash_uniform

TOLERANCE = 1e-9
"""Greatest difference between two probabilities that are called the same."""

_DRAW = 20_240_101


def stored_accidents(predictions: pd.DataFrame, accidents: Accidents, count: int) -> pd.DataFrame:
    """Draw accidents of both classes, as many of the one as of the other, from the test part of a training.

    Args:
        predictions: `TrainingResult.predictions` of a model.
        accidents: the accidents that it was trained and tested on.
        count: how many to draw; fewer where there are not enough of a class.

    Returns:
        `accident` (JSON text in the nested form), `label` (int8) and `probability` (float64), as the model gave it
        among all others, sorted by `Num_Acc`.
    """
    tested = predictions[predictions["subset"] == Subset.TEST]
    order = np.argsort(hash_uniform(tested["Num_Acc"].to_numpy(), _DRAW), kind="stable")
    drawn = tested.iloc[order].groupby("label", sort=True).head(count // 2).sort_values("Num_Acc", ignore_index=True)
    texts = [json.dumps(request) for request in to_requests(accidents, drawn["Num_Acc"].tolist())]
    return pd.DataFrame({NESTED: texts, "label": drawn["label"], "probability": drawn["probability"]})


def differences(expected: Sequence[float], answered: npt.NDArray[np.float64]) -> list[str]:
    """What is wrong with the answers to stored accidents; nothing where all are the same to `TOLERANCE`."""
    if len(expected) != len(answered):
        return [f"{len(answered)} answers to {len(expected)} accidents"]
    gaps = np.abs(np.asarray(expected) - answered)
    wrong = np.flatnonzero(~(gaps <= TOLERANCE))
    if not len(wrong):
        return []
    worst = int(wrong[np.argmax(np.nan_to_num(gaps[wrong], nan=np.inf))])
    return [
        f"{len(wrong)} of {len(expected)} stored accidents get another probability; the worst is number {worst}: "
        f"{answered[worst]!r} instead of {expected[worst]!r}"
    ]
