"""The documented examples, answered by a model of real accidents."""

import json
from pathlib import Path

import pytest

from accidents.bundle import Bundle
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.training import ModelSettings, TrainingSettings
from accidents.features import feature_frame
from accidents.inference.prediction import predict_accident
from accidents.ingestion import ingest
from accidents.requests import parse_request
from accidents.sources.folder import folder_editions
from accidents.training import train

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def bundle(real_baac: Path) -> Bundle:
    accidents = ingest(folder_editions(str(real_baac / "2024"), None), IngestionSettings()).accidents
    settings = TrainingSettings(model_settings={"lightgbm": ModelSettings(parameters={"rounds": 100})})
    return train("lightgbm", feature_frame(accidents), accidents.accidents, settings, level="call").bundle


@pytest.mark.parametrize(
    ("example", "interpretation"),
    [("classic_flat", "Priority"), ("high_risk", "Priority"), ("low_risk", "Non-Priority")],
)
def test_examples_answer_as_documented(example: str, interpretation: str, bundle: Bundle, project: Path) -> None:
    content = json.loads((project / "examples" / f"{example}.json").read_text())
    result = predict_accident(bundle, parse_request(content))
    assert result.interpretation == interpretation
    assert abs(result.probability - result.threshold) > 0.1
