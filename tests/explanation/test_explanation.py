"""Reasons and importance: exact, complete, in words."""

import numpy as np
import pandas as pd
import pytest

from accidents.configuration.evaluation import EvaluationSettings
from accidents.explanation.importance import explain, importance
from accidents.explanation.reasons import reasons
from accidents.explanation.topics import PLACE, describe, say, spokesman, topic
from accidents.features.catalogue import ENCODED
from accidents.features.catalogue import names as column_names
from accidents.models import model_types
from tests.trained import small_models

SETTINGS = EvaluationSettings(resamples=50, explained_accidents=60)


@pytest.mark.slow
@pytest.mark.parametrize("model_type", model_types())
def test_all_reasons_together_are_what_the_model_says(model_type):
    scored = small_models()[model_type]
    bundle = scored.trained.bundle
    unit = explain(bundle, scored.X, SETTINGS).unit
    for row in scored.X[:5]:
        found = reasons(bundle, row, top=1000)
        average = bundle.model.contributions(row[None])[0, -1]
        said = bundle.margin(row[None])[0]
        expected = said if unit == "log-odds" else 1 / (1 + np.exp(-said))
        assert sum(reason.contribution for reason in found) + average == pytest.approx(expected, abs=1e-3)
        strengths = [abs(reason.contribution) for reason in found]
        assert strengths == sorted(strengths, reverse=True)


@pytest.mark.slow
def test_the_forest_is_explained_on_the_probability_and_the_others_on_the_log_odds():
    units = {name: explain(scored.trained.bundle, scored.X, SETTINGS).unit for name, scored in small_models().items()}
    assert units.pop("random_forest") == "probability"
    assert set(units.values()) == {"log-odds"}


@pytest.mark.slow
def test_a_reason_speaks_with_the_value_of_the_accident():
    scored = small_models()["lightgbm"]
    bundle = scored.trained.bundle
    for row in scored.X[:20]:
        for reason in reasons(bundle, row):
            columns = [name for name in bundle.columns if topic(name) == reason.topic]
            texts = {say(name, row[bundle.columns.index(name)]) for name in columns}
            assert reason.text in texts
            assert f"({reason.contribution:+.2f})" in str(reason)
        assert len({reason.topic for reason in reasons(bundle, row)}) == 3


@pytest.mark.slow
def test_importance_by_topic_and_feature_has_intervals_and_shares():
    scored = small_models()["lightgbm"]
    explanation = explain(scored.trained.bundle, scored.X, SETTINGS)
    assert len(explanation.values) == 60
    assert list(explanation.values) == list(explanation.contributions)
    for table in (explanation.features, explanation.topics):
        assert table["importance"].is_monotonic_decreasing
        assert table["share"].sum() == pytest.approx(1)
        assert (table["low"] <= table["importance"] + 1e-12).all()
        assert (table["importance"] <= table["high"] + 1e-12).all()
    assert explanation.contributions.columns.is_unique
    again = explain(scored.trained.bundle, scored.X, SETTINGS)
    pd.testing.assert_frame_equal(explanation.topics, again.topics)


def test_importance_is_the_mean_absolute_contribution():
    contributions = pd.DataFrame({"weak": [0.1, -0.1, 0.1], "strong": [1.0, -3.0, 2.0]})
    table = importance(contributions, SETTINGS)
    assert table["feature"].tolist() == ["strong", "weak"]
    assert table["importance"].tolist() == pytest.approx([2.0, 0.1])
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([0.1, 0.1])
    assert table.loc[0, "low"] < 2 < table.loc[0, "high"]


def test_columns_of_one_fact_are_one_topic():
    assert {topic(name) for name in ENCODED} == {PLACE}
    assert len({topic(name) for name in ("hour", "hour_sin", "hour_cos", "daytime")}) == 1
    assert topic("lum") != topic("hour")


def test_every_column_of_every_level_has_words():
    for column in column_names("scene"):
        assert describe(column)
        assert say(column, 1.0)
        assert say(column, float("nan"))
    assert len({topic(column) for column in column_names("scene")}) < len(column_names("scene")) / 2


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("lum", 1, "light: daylight"),
        ("lum", float("nan"), "light: not recorded"),
        ("pedestrians", 0, "no pedestrians"),
        ("pedestrians", 2, "pedestrians: 2"),
        ("band_max", 8, "age band of the oldest: 75 years and over"),
        ("age_max", 64, "age of the oldest: 64"),
        ("te_commune", 0.62, "share of priority among the accidents recorded in the same commune: 62%"),
    ],
)
def test_what_columns_say(column, value, text):
    assert say(column, value) == text


def test_the_hour_speaks_for_its_sine():
    assert [spokesman(name) for name in ("hour_sin", "hour_cos", "daytime", "lum")] == [
        "hour",
        "hour",
        "daytime",
        "lum",
    ]


def test_a_column_that_nobody_knows_says_its_name_and_value():
    assert say("mystery", 2.5) == "mystery = 2.5"
    assert describe("mystery") == topic("mystery") == "mystery"
