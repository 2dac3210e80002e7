"""The schema of predictions: one row an accident with its probability and what follows from it."""

from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from accidents.tables import INTERPRETATIONS


@cache
def predictions_schema() -> pa.DataFrameSchema:
    """The schema of a frame of predictions; `label` is optional, other columns are refused."""
    return pa.DataFrameSchema(
        {
            "Num_Acc": pa.Column("int64", unique=True),
            "probability": pa.Column("float64", pa.Check.in_range(0, 1)),
            "threshold": pa.Column("float64", pa.Check.in_range(0, 1)),
            "prediction": pa.Column("int8", pa.Check.isin(list(INTERPRETATIONS))),
            "interpretation": pa.Column("str", pa.Check.isin(list(INTERPRETATIONS.values()))),
            "label": pa.Column("int8", pa.Check.isin([-1, 0, 1]), required=False),
        },
        checks=[
            pa.Check(_follows_from_threshold, name="prediction is 1 where probability >= threshold"),
            pa.Check(_says_the_prediction, name="interpretation says the prediction"),
        ],
        strict=True,
        name="predictions",
    )


def predictions_frame(
    ids: "pd.Series[int]", probabilities: np.ndarray, threshold: float, labels: np.ndarray | None = None
) -> pd.DataFrame:
    """Predictions that fulfil the schema.

    Args:
        ids: `Num_Acc`, int64 (n).
        probabilities: of priority, float64 (n).
        threshold: from which probability on an accident is predicted priority.
        labels: int8 (n), where they are known.
    """
    predicted = (probabilities >= threshold).astype("int8")
    frame = pd.DataFrame(
        {
            "Num_Acc": ids.to_numpy("int64"),
            "probability": probabilities,
            "threshold": float(threshold),
            "prediction": predicted,
            "interpretation": pd.Series(predicted).map(INTERPRETATIONS).astype("str"),
        }
    )
    return frame if labels is None else frame.assign(label=labels)


def _follows_from_threshold(frame: pd.DataFrame) -> "pd.Series[bool]":
    return (frame["probability"] >= frame["threshold"]) == (frame["prediction"] == 1)


def _says_the_prediction(frame: pd.DataFrame) -> "pd.Series[bool]":
    return frame["prediction"].map(INTERPRETATIONS) == frame["interpretation"]
