"""Accidents that are stored with a model: a model that cannot reproduce them is a failed training."""

from collections.abc import Callable

import pandas as pd
import pytest

from accidents.errors import ModelError
from accidents.inference.smoke_test import sample_accidents
from accidents.report.report_files import ReportFiles
from accidents.tables import Accidents
from tests.tracking.helpers import training_record
from tests.trained import small_models, small_year
from tracking.training_record import TrainingRecord, build_training_record

pytestmark = pytest.mark.slow


def build(accidents: Accidents, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame) -> TrainingRecord:
    """The record of the small LightGBM model."""
    result = small_models()["lightgbm"].trained
    record = next(model for model in training_record().models if model.bundle.model_type == "lightgbm")
    return build_training_record(
        [result.bundle],
        [sample_accidents(change(result.predictions), accidents, 20)],
        {"lightgbm": record.evaluation.model_dump()},
        ReportFiles({"lightgbm": record.files}),
        best="lightgbm",
        pages={},
        source="sample",
        tags={},
    )


def test_a_model_that_reproduces_its_predictions_is_recorded() -> None:
    assert len(build(small_year()[0]).models[0].stored) == 20


def test_other_probabilities_stop_the_training() -> None:
    with pytest.raises(ModelError, match=r"lightgbm cannot be registered.*20 of 20 stored accidents"):
        build(small_year()[0], lambda predicted: predicted.assign(probability=1 - predicted["probability"]))


def test_accidents_that_are_no_valid_requests_stop_the_training() -> None:
    accidents = small_year()[0]
    invalid = Accidents(accidents.accidents.assign(lum=77), accidents.vehicles, accidents.people)
    with pytest.raises(ModelError, match=r"(?s)cannot be registered.*row 0: .*accident\.lum"):
        build(invalid)
