"""The schema of predictions: what it lets pass, and every way to break it."""

import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from accidents.schemas.predictions import predictions_frame, predictions_schema

IDS = pd.Series([202400000001, 202400000002, 202400000003])
PROBABILITIES = np.array([0.2, 0.4, 0.9])


def test_a_probability_at_the_threshold_is_priority():
    frame = predictions_schema().validate(predictions_frame(IDS, PROBABILITIES, 0.4))
    assert frame["prediction"].tolist() == [0, 1, 1]
    assert frame["interpretation"].tolist() == ["Non-Priority", "Priority", "Priority"]


def test_labels_are_optional():
    labels = np.array([0, 1, -1], dtype=np.int8)
    frame = predictions_schema().validate(predictions_frame(IDS, PROBABILITIES, 0.4, labels))
    assert frame["label"].tolist() == [0, 1, -1]


def test_no_accidents_are_predictions_too():
    predictions_schema().validate(predictions_frame(IDS[:0], PROBABILITIES[:0], 0.4))


@pytest.mark.parametrize(
    "changes",
    [
        {"Num_Acc": [1, 1, 2]},
        {"probability": [0.2, np.nan, 0.9]},
        {"probability": [0.2, 0.4, 1.1]},
        {"prediction": pd.Series([0, 1, 2], dtype="int8")},
        {"prediction": pd.Series([1, 1, 1], dtype="int8")},
        {"prediction": [0, 1, 1]},
        {"interpretation": ["Non-Priority", "Priority", "Perhaps"]},
        {"interpretation": ["Priority", "Priority", "Priority"]},
        {"label": pd.Series([0, 1, 3], dtype="int8")},
        {"grav": [1, 2, 3]},
    ],
    ids=lambda changes: "-".join(f"{name}={list(values)}" for name, values in changes.items()),
)
def test_what_breaks_the_schema_is_refused(changes):
    with pytest.raises(SchemaErrors):
        predictions_schema().validate(predictions_frame(IDS, PROBABILITIES, 0.4).assign(**changes), lazy=True)
