"""Pandera schema of predictions: one row an accident."""

from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from accidents.tables import INTERPRETATIONS, classify


@cache
def predictions_schema() -> pa.DataFrameSchema:
    """Schema of a frame of predictions; `label` is optional, other columns are rejected."""
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
            pa.Check(_interpretation_matches, name="interpretation matches the prediction"),
        ],
        strict=True,
        name="predictions",
    )


def predictions_frame(
    ids: "pd.Series[int]", probabilities: np.ndarray, threshold: float, labels: np.ndarray | None = None
) -> pd.DataFrame:
    """Build a frame of predictions that conforms to the schema.

    Args:
        ids: int64 (n), `Num_Acc`.
        probabilities: float64 (n), probability of priority.
        threshold: decision threshold; an accident is predicted priority from this probability on.
        labels: int8 (n); None to leave out the column.

    Returns:
        One row an accident, with the columns of `predictions_schema`.

    Example:
        >>> frame = predictions_frame(pd.Series([202400000001]), np.array([0.7]), threshold=0.5)
        >>> frame[["prediction", "interpretation"]].to_dict("records")
        [{'prediction': 1, 'interpretation': 'Priority'}]
    """
    classes = [classify(probability, threshold) for probability in probabilities.tolist()]
    frame = pd.DataFrame(
        {
            "Num_Acc": ids.to_numpy("int64"),
            "probability": probabilities,
            "threshold": float(threshold),
            "prediction": np.array([prediction for prediction, _ in classes], dtype=np.int8),
            "interpretation": pd.Series([interpretation for _, interpretation in classes], dtype="str"),
        }
    )
    return frame if labels is None else frame.assign(label=labels)


def _follows_from_threshold(frame: pd.DataFrame) -> "pd.Series[bool]":
    return (frame["probability"] >= frame["threshold"]) == (frame["prediction"] == 1)


def _interpretation_matches(frame: pd.DataFrame) -> "pd.Series[bool]":
    return frame["prediction"].map(INTERPRETATIONS) == frame["interpretation"]
