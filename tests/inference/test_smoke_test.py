"""Smoke test: the draw of accidents, and the comparison of probabilities."""

import json

import numpy as np
import pandas as pd
import pytest

from accidents.configuration.ingestion import IngestionSettings
from accidents.inference.smoke_test import compare_probabilities, sample_accidents
from accidents.ingestion import ingest
from accidents.sources.edition import Edition
from accidents.tables import Accidents


@pytest.fixture(scope="module")
def accidents(year: Edition) -> Accidents:
    return ingest([year], IngestionSettings()).accidents


@pytest.fixture(scope="module")
def predictions(accidents: Accidents) -> pd.DataFrame:
    ids = accidents.accidents["Num_Acc"].to_numpy()[::-1]
    return pd.DataFrame(
        {
            "Num_Acc": ids,
            "subset": np.where(np.arange(len(ids)) % 3, "test", "validation"),
            "label": (np.arange(len(ids)) % 5 == 0).astype(np.int8),
            "probability": np.linspace(0, 1, len(ids)),
        }
    )


def test_as_many_of_each_class_from_the_test_set_in_order(predictions: pd.DataFrame, accidents: Accidents) -> None:
    stored = sample_accidents(predictions, accidents, 20)
    assert stored.index.tolist() == list(range(20))
    assert stored["label"].value_counts().to_dict() == {0: 10, 1: 10}
    ids = [int(json.loads(text)["accident"]["Num_Acc"]) for text in stored["accident"]]
    assert ids == sorted(ids)
    expected = predictions.set_index("Num_Acc").loc[ids]
    assert set(expected["subset"]) == {"test"}
    np.testing.assert_array_equal(stored["label"], expected["label"])
    np.testing.assert_array_equal(stored["probability"], expected["probability"])


def test_the_draw_depends_neither_on_order_nor_on_other_accidents(
    predictions: pd.DataFrame, accidents: Accidents
) -> None:
    stored = sample_accidents(predictions, accidents, 20)
    mixed = sample_accidents(predictions.sample(frac=1, random_state=3), accidents, 20)
    pd.testing.assert_frame_equal(mixed, stored)
    fewer = sample_accidents(predictions, accidents, 10)
    assert set(fewer["accident"]) < set(stored["accident"])
    spread = predictions["Num_Acc"].searchsorted(
        [int(json.loads(text)["accident"]["Num_Acc"]) for text in stored["accident"]],
        sorter=np.argsort(predictions["Num_Acc"].to_numpy()),
    )
    assert np.ptp(spread) > len(predictions) / 2


def test_few_of_a_class_are_all_taken(predictions: pd.DataFrame, accidents: Accidents) -> None:
    some = predictions[predictions["label"] == 0].assign(label=0)
    some.loc[some.index[some["subset"] == "test"][:3], "label"] = 1
    assert sample_accidents(some, accidents, 20)["label"].value_counts().to_dict() == {0: 10, 1: 3}


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        ([0.1, 0.5, 0.9], ""),
        ([0.1, 0.5 + 9e-10, 0.9], ""),
        ([0.1, 0.5 + 2e-9, 0.9], r"^1 of 3 .* number 1: .*0\.500000002.* instead of 0\.5$"),
        ([0.2, 0.5, 0.7], r"^2 of 3 .* number 2: .*0\.7.* instead of 0\.9$"),
        ([0.2, np.nan, 0.7], r"^3 of 3 .* number 1: .*nan"),
        ([0.1, 0.5], "^2 answers to 3 accidents$"),
    ],
)
def test_probabilities_are_compared_to_the_ninth_place(actual: list[float], message: str) -> None:
    messages = compare_probabilities([0.1, 0.5, 0.9], np.array(actual))
    assert len(messages) == bool(message)
    if message:
        assert pd.Series(messages).str.contains(message).all(), messages
