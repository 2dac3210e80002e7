"""Reasons, waterfall and feature importance: SHAP values add up, and have texts for users."""

import numpy as np
import pandas as pd
import pytest

from accidents.configuration.evaluation import EvaluationSettings
from accidents.explanation.importance import rank_importance
from accidents.explanation.reasons import explain_prediction, top_reasons
from accidents.explanation.topics import PLACE, describe_value, display_column, feature_name, feature_topic
from accidents.features.catalogue import PLACE_COLUMN_NAMES
from accidents.features.catalogue import feature_names as column_names
from accidents.models import model_class, model_types
from tests.trained import small_models

SETTINGS = EvaluationSettings(resamples=50, explained_accidents=60)


@pytest.mark.slow
@pytest.mark.parametrize("model_type", model_types())
def test_base_value_and_contributions_add_up_to_the_raw_score(model_type):
    scored = small_models()[model_type]
    bundle = scored.trained.bundle
    unit = scored.explain(SETTINGS).unit
    for row in scored.X[:5]:
        waterfall = explain_prediction(bundle, row)
        margin = bundle.predict_margin(row[None])[0]
        expected = margin if unit == "log-odds" else 1 / (1 + np.exp(-margin))
        total = waterfall.base_value + sum(reason.contribution for reason in waterfall.reasons)
        assert total == pytest.approx(expected, abs=1e-3)
        assert waterfall.raw_score == pytest.approx(total, abs=1e-6)
        assert [str(reason) for reason in waterfall.reasons[:3]] == [str(reason) for reason in top_reasons(bundle, row)]
        strengths = [abs(reason.contribution) for reason in waterfall.reasons]
        assert strengths == sorted(strengths, reverse=True)


@pytest.mark.slow
def test_models_are_explained_in_their_declared_unit():
    units = {name: scored.explain(SETTINGS).unit for name, scored in small_models().items()}
    assert units == {name: model_class(name).SHAP_UNIT for name in model_types()}
    assert set(units.values()) == {"log-odds", "probability"}


@pytest.mark.slow
def test_a_reason_shows_the_value_of_the_accident():
    scored = small_models()["lightgbm"]
    bundle = scored.trained.bundle
    for row in scored.X[:20]:
        for reason in top_reasons(bundle, row):
            columns = [name for name in bundle.columns if feature_topic(name) == reason.topic]
            texts = {describe_value(name, row[bundle.columns.index(name)]) for name in columns}
            assert reason.text in texts
            assert f"({reason.contribution:+.2f})" in str(reason)
        assert len({reason.topic for reason in top_reasons(bundle, row)}) == 3


@pytest.mark.slow
def test_importance_by_topic_and_feature_has_intervals_and_shares():
    scored = small_models()["lightgbm"]
    explanation = scored.explain(SETTINGS)
    assert len(explanation.values) == 60
    assert list(explanation.values) == list(explanation.contributions)
    for table in (explanation.features, explanation.topics):
        assert table["importance"].is_monotonic_decreasing
        assert table["share"].sum() == pytest.approx(1)
        assert (table["low"] <= table["importance"] + 1e-12).all()
        assert (table["importance"] <= table["high"] + 1e-12).all()
    assert explanation.contributions.columns.is_unique
    again = scored.explain(SETTINGS)
    pd.testing.assert_frame_equal(explanation.topics, again.topics)


def test_importance_is_the_mean_absolute_contribution():
    contributions = pd.DataFrame({"weak": [0.1, -0.1, 0.1], "strong": [1.0, -3.0, 2.0]})
    table = rank_importance(contributions, SETTINGS)
    assert table["feature"].tolist() == ["strong", "weak"]
    assert table["importance"].tolist() == pytest.approx([2.0, 0.1])
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([0.1, 0.1])
    assert table.loc[0, "low"] < 2 < table.loc[0, "high"]


def test_columns_of_one_fact_are_one_topic():
    assert {feature_topic(name) for name in PLACE_COLUMN_NAMES} == {PLACE}
    assert len({feature_topic(name) for name in ("hour", "hour_sin", "hour_cos", "daytime")}) == 1
    assert feature_topic("lum") != feature_topic("hour")


def test_every_column_of_every_level_has_texts():
    for column in column_names("scene"):
        assert feature_name(column)
        assert describe_value(column, 1.0)
        assert describe_value(column, float("nan"))
    assert len({feature_topic(column) for column in column_names("scene")}) < len(column_names("scene")) / 2


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("lum", 1, "light: daylight"),
        ("lum", float("nan"), "light: not known"),
        ("pedestrians", 0, "no pedestrians"),
        ("pedestrians", 2, "pedestrians: 2"),
        ("band_max", 8, "age band of the oldest: 75 years and over"),
        ("age_max", 64, "age of the oldest: 64"),
        ("te_commune", 0.62, "share of priority among the accidents recorded in the same commune: 62%"),
    ],
)
def test_values_have_texts(column, value, text):
    assert describe_value(column, value) == text


def test_the_hour_is_shown_for_its_sine():
    assert [display_column(name) for name in ("hour_sin", "hour_cos", "daytime", "lum")] == [
        "hour",
        "hour",
        "daytime",
        "lum",
    ]


def test_an_unknown_column_shows_its_name_and_value():
    assert describe_value("mystery", 2.5) == "mystery = 2.5"
    assert feature_name("mystery") == feature_topic("mystery") == "mystery"
