"""Predictions for a frame of JSON texts: those of single requests; an invalid row is named."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.errors import RequestError
from accidents.inference import json_scoring
from accidents.inference.json_scoring import FIELD_KINDS, FLAT_COLUMN, NESTED_COLUMN, predict_json
from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request
from tests.inference.test_files import ACCIDENTS

NESTED_ACCIDENT = {"accident": {"an": 2024, "mois": 5}, "vehicles": [{"catv": 33}], "people": [{"catu": 1}]}


def test_each_row_has_the_answer_that_it_has_alone(bundle: Bundle) -> None:
    contents = [*ACCIDENTS[:12], NESTED_ACCIDENT]
    frame = pd.DataFrame(
        {
            FLAT_COLUMN: [json.dumps(content) for content in ACCIDENTS[:12]] + [None],
            NESTED_COLUMN: [np.nan] * 11 + ["", json.dumps(NESTED_ACCIDENT)],
        },
        index=range(100, 113),
    )
    result = predict_json(bundle, frame)
    alone = [predict_accident(bundle, parse_request(content), reasons=0) for content in contents]
    assert result.index.tolist() == list(range(100, 113))
    assert result["probability"].tolist() == [one.probability for one in alone]
    assert result["prediction"].tolist() == [one.prediction for one in alone]
    assert result["interpretation"].tolist() == [one.interpretation for one in alone]
    assert result["prediction"].dtype == np.int64


def test_fields_in_columns_of_their_own_are_the_flat_form(bundle: Bundle) -> None:
    contents = [ACCIDENTS[0], {name: value for name, value in ACCIDENTS[1].items() if name not in {"com", "lat"}}]
    contents.append(ACCIDENTS[2] | {"dep": "2A", "actp": "B", "com": "2A004", "lat": 41.92, "long": 8.74})
    frame = pd.DataFrame(contents)
    assert frame["com"].isna().any()
    alone = predict_json(bundle, pd.DataFrame({FLAT_COLUMN: [json.dumps(content) for content in contents]}))
    pd.testing.assert_frame_equal(predict_json(bundle, frame), alone)
    numbers = [name for name, kind in FIELD_KINDS.items() if kind == "number" and name in frame]
    pd.testing.assert_frame_equal(predict_json(bundle, frame.astype(dict.fromkeys(numbers, "float64"))), alone)
    mixed = pd.DataFrame([contents[0], {NESTED_COLUMN: json.dumps(NESTED_ACCIDENT)}])
    assert predict_json(bundle, mixed)["probability"][0] == alone["probability"][0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"catv": [2, 2.5]}, r"(?s)row 1: .*catv: 2.5"),
        ({"catv": [2, 999]}, r"(?s)row 1: .*catv: 999"),
        ({"catv": [2, None]}, "row 1: needs"),
        ({"catv": [2], FLAT_COLUMN: ["{}"]}, "row 0: needs .* only one of these"),
        ({NESTED_COLUMN: []}, "no accident: the input has no rows"),
        ({"other": ["{}"]}, "the input needs .* it has other"),
        ({NESTED_COLUMN: ["{}"], FLAT_COLUMN: ["{}"]}, "row 0: needs .* only one of these"),
        ({NESTED_COLUMN: [json.dumps(NESTED_ACCIDENT), None]}, "row 1: needs"),
        ({FLAT_COLUMN: [json.dumps(ACCIDENTS[0]), "{"]}, "row 1: no JSON"),
        ({FLAT_COLUMN: [json.dumps(ACCIDENTS[0]), "[" * 100_000]}, "row 1: no JSON"),
        ({FLAT_COLUMN: [json.dumps(ACCIDENTS[0]), json.dumps(ACCIDENTS[1] | {"mois": 13})]}, r"(?s)row 1: .*mois: 13"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(columns: dict[str, list[Any]], message: str, bundle: Bundle) -> None:
    with pytest.raises(RequestError, match=message):
        predict_json(bundle, pd.DataFrame(columns))


def test_a_text_may_be_as_long_as_the_limit(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(ACCIDENTS[0])
    assert json_scoring._MAX_CHARACTERS == 10_000_000
    monkeypatch.setattr(json_scoring, "_MAX_CHARACTERS", len(text))
    assert len(predict_json(bundle, pd.DataFrame({FLAT_COLUMN: [text]}))) == 1
    with pytest.raises(RequestError, match=rf"row 0: longer than {len(text)} characters"):
        predict_json(bundle, pd.DataFrame({FLAT_COLUMN: [text + " "]}))


def test_a_threshold_that_is_reached_is_priority(bundle: Bundle) -> None:
    frame = pd.DataFrame({FLAT_COLUMN: [json.dumps(ACCIDENTS[0])]})
    probability = predict_json(bundle, frame)["probability"][0]
    reached = Bundle(**vars(bundle) | {"threshold": probability})
    assert predict_json(reached, frame)["prediction"].tolist() == [1]
