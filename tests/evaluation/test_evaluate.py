"""Evaluation of one model and comparison of two: intervals, curves, groups, JSON."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from accidents.configuration.evaluation import EvaluationSettings
from accidents.errors import DataError
from accidents.evaluation.bootstrap import confidence_interval
from accidents.evaluation.evaluate import evaluate, paired_differences
from accidents.evaluation.metrics import METRICS
from accidents.evaluation.results import Evaluation

FIRST_KEYS = [*METRICS[:-1], "threshold", "n", "prevalence"]
SETTINGS = EvaluationSettings(resamples=60, group_resamples=20)


def scored(size=1500, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.2, 2.1, size)
    labels = (rng.random(size) < truth).astype(np.int8)
    return labels, np.clip(truth + rng.normal(0, noise, size), 0, 1)


def columns(size=1500, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "dep": pd.Series(rng.choice(["01", "2A", "75", "974"], size, p=[0.5, 0.3, 0.19, 0.01]), dtype="str"),
            "catr": rng.choice([-1, 1, 3], size).astype("int16"),
            "mois": rng.integers(1, 3, size).astype("int32"),
        }
    )


def test_the_summary_is_json_with_metrics_on_the_first_level():
    labels, probabilities = scored()
    evaluation = evaluate(labels, probabilities, 0.4, groups=columns(), settings=SETTINGS)
    summary = json.loads(json.dumps(evaluation.summary()))
    assert list(summary)[: len(FIRST_KEYS)] == FIRST_KEYS
    assert summary["n"] == 1500
    assert summary["threshold"] == 0.4
    assert summary["prevalence"] == pytest.approx(labels.mean())
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_intervals_contain_the_metrics_and_narrow_with_more_accidents():
    widths = []
    for size in (400, 6400):
        evaluation = evaluate(*scored(size), 0.4, groups=None, settings=SETTINGS)
        for name, limits in evaluation.intervals.items():
            assert limits[0] <= getattr(evaluation, name) <= limits[1], name
        widths.append(np.diff(evaluation.intervals["roc_auc"])[0])
    assert 2.5 < widths[0] / widths[1] < 6.5


@pytest.mark.slow
def test_nineteen_of_twenty_intervals_of_the_auc_cover_the_truth():
    truth = reference.roc_auc_score(*scored(400_000, seed=99))
    inside = 0
    for seed in range(100):
        low, high = evaluate(*scored(600, seed), 0.4, groups=None, settings=SETTINGS).intervals["roc_auc"]
        inside += low <= truth <= high
    assert 86 <= inside <= 100


def test_the_interval_of_a_calibration_error_is_not_pushed_up_by_resampling():
    labels, probabilities = scored(3000)
    evaluation = evaluate(labels, probabilities, 0.4, groups=None, settings=SETTINGS)
    assert evaluation.intervals["ece"][0] < evaluation.ece < evaluation.intervals["ece"][1]


def test_resamples_depend_on_the_seed_alone():
    labels, probabilities = scored()
    first, again = (evaluate(labels, probabilities, 0.4, groups=columns(), settings=SETTINGS) for _ in range(2))
    other = evaluate(labels, probabilities, 0.4, groups=columns(), settings=SETTINGS.model_copy(update={"seed": 1}))
    assert first == again
    assert other.intervals["f1"] != first.intervals["f1"]
    assert other.f1 == first.f1


def test_with_one_class_only_defined_metrics_are_returned():
    probabilities = np.linspace(0.1, 0.9, 80)
    evaluation = evaluate(np.zeros(80, np.int8), probabilities, 0.5, groups=columns(80)[["mois"]], settings=SETTINGS)
    assert evaluation.roc_auc is None
    assert evaluation.intervals["roc_auc"] is None
    assert evaluation.accuracy == pytest.approx(0.5)
    assert evaluation.roc == {"false_positive_rate": [], "true_positive_rate": []}
    assert evaluation.groups["mois"][0].roc_auc is None


def test_perfect_and_tied_models():
    labels = np.array([0, 0, 1, 1] * 20, dtype=np.int8)
    perfect = evaluate(labels, labels.astype(float), 0.5, groups=None, settings=SETTINGS)
    tied = evaluate(labels, np.full(80, 0.5), 0.5, groups=None, settings=SETTINGS)
    assert (perfect.roc_auc, perfect.f1, perfect.brier, perfect.ece) == (1, 1, 0, 0)
    assert perfect.intervals["roc_auc"] == (1, 1)
    assert (tied.roc_auc, tied.recall, tied.pr_auc, tied.brier) == (0.5, 1, 0.5, 0.25)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.sampled_from([20, 50, 500]))
def test_thinned_curves_stay_on_the_full_ones(seed, points):
    labels, probabilities = scored(300, seed)
    probabilities = probabilities.round(2)
    evaluation = evaluate(
        labels, probabilities, 0.4, groups=None, settings=SETTINGS.model_copy(update={"curve_points": points})
    )
    full = reference.roc_curve(labels, probabilities, drop_intermediate=False)
    kept = np.column_stack([evaluation.roc["false_positive_rate"], evaluation.roc["true_positive_rate"]])
    assert len(kept) <= points
    assert {tuple(row) for row in kept.round(12)} <= {tuple(row) for row in np.column_stack(full[:2]).round(12)}
    assert kept[0].tolist() == [0, 0]
    assert kept[-1].tolist() == [1, 1]
    precision, recall, _ = reference.precision_recall_curve(labels, probabilities)
    kept = np.column_stack([evaluation.precision_recall["recall"], evaluation.precision_recall["precision"]])
    assert {tuple(row) for row in kept.round(12)} <= {
        tuple(row) for row in np.column_stack([recall, precision]).round(12)
    }


def test_the_threshold_table_agrees_with_predictions_at_each_threshold():
    labels, probabilities = scored(400)
    probabilities = probabilities.round(2)
    table = pd.DataFrame(evaluate(labels, probabilities, 0.4, groups=None, settings=SETTINGS).thresholds)
    for row in table.iloc[::7].itertuples():
        predicted = probabilities >= row.threshold
        assert row.f1 == pytest.approx(reference.f1_score(labels, predicted))
        assert row.precision == pytest.approx(reference.precision_score(labels, predicted, zero_division=1))
        assert row.recall == pytest.approx(reference.recall_score(labels, predicted))
        assert row.predicted == pytest.approx(predicted.mean())


def test_calibration_bins_hold_all_accidents_and_the_ece():
    labels, probabilities = scored(700)
    evaluation = evaluate(labels, probabilities, 0.4, groups=None, settings=SETTINGS)
    bins = pd.DataFrame(evaluation.calibration)
    assert bins["n"].sum() == 700
    gap = ((bins["observed"] - bins["predicted"]).abs() * bins["n"]).sum() / 700
    assert gap == pytest.approx(evaluation.ece)
    assert (bins["low"] <= bins["observed"]).all()
    assert (bins["observed"] <= bins["high"]).all()


def test_groups_have_names_for_users_and_count_every_accident_once():
    labels, probabilities = scored()
    groups = evaluate(labels, probabilities, 0.4, groups=columns(), settings=SETTINGS).groups
    assert [group.name for group in groups["mois"]] == ["January", "February"]
    assert [group.name for group in groups["catr"]] == ["not recorded", "motorway", "departmental road"]
    assert [group.value for group in groups["dep"]] == ["01", "2A", "75", "others"]
    for column in groups.values():
        assert sum(group.n for group in column) == 1500
        assert sum(group.n * group.prevalence for group in column) == pytest.approx(labels.sum())
    rows = columns()["catr"] == 3
    group = groups["catr"][2]
    assert group.roc_auc == pytest.approx(reference.roc_auc_score(labels[rows], probabilities[rows]))
    assert group.f1 == pytest.approx(reference.f1_score(labels[rows], probabilities[rows] >= 0.4))
    assert group.mean_probability == pytest.approx(probabilities[rows].mean())


def test_missing_departments_are_a_group_of_their_own():
    labels, probabilities = scored(200)
    departments = pd.DataFrame({"dep": pd.Series(["75"] * 120 + [None] * 80, dtype="str")})
    groups = evaluate(labels, probabilities, 0.4, groups=departments, settings=SETTINGS).groups["dep"]
    assert [(group.name, group.n) for group in groups] == [("not recorded", 80), ("75", 120)]


def test_groups_that_do_not_fit_are_refused():
    labels, probabilities = scored(100)
    with pytest.raises(DataError, match="'dep' have 99 rows, the labels 100"):
        evaluate(labels, probabilities, 0.4, groups=columns(99), settings=SETTINGS)
    with pytest.raises(DataError, match="'town'"):
        evaluate(labels, probabilities, 0.4, groups=pd.DataFrame({"town": [1] * 100}), settings=SETTINGS)


def test_a_paired_comparison_is_sharper_than_two_intervals():
    labels, probabilities = scored(1500)
    noisy = scored(1500, noise=0.05)[1]
    difference = paired_differences(labels, (probabilities, 0.4), (noisy, 0.4), settings=SETTINGS)["roc_auc"]
    alone = evaluate(labels, probabilities, 0.4, groups=None, settings=SETTINGS).intervals["roc_auc"]
    assert np.diff(difference.interval)[0] < np.diff(alone)[0] / 2
    assert difference.interval[0] <= difference.value <= difference.interval[1]
    expected = reference.roc_auc_score(labels, probabilities) - reference.roc_auc_score(labels, noisy)
    assert difference.value == pytest.approx(expected)


def test_a_model_does_not_differ_from_itself():
    labels, probabilities = scored(300)
    for difference in paired_differences(
        labels, (probabilities, 0.4), (probabilities, 0.4), settings=SETTINGS
    ).values():
        assert difference.value == 0
        assert difference.interval == (0, 0)


def test_resamples_are_centred_on_the_value_and_clipped_to_the_range():
    beside = np.linspace(0.02, 0.04, 101)
    assert confidence_interval(0.02, beside, 0.9) == pytest.approx((0.011, 0.029))
    assert confidence_interval(0.005, beside, 0.9) == pytest.approx((0, 0.014))
    assert confidence_interval(1.0, beside, 0.9) == pytest.approx((0.991, 1))


def test_the_interval_of_an_undefined_metric_is_none():
    assert confidence_interval(0.5, np.full(3, np.nan), 0.95) is None
    assert confidence_interval(np.nan, np.ones(3), 0.95) is None


@pytest.mark.slow
def test_twelve_thousand_accidents_take_about_a_second():
    labels, probabilities = scored(12_000)
    started = time.process_time()
    evaluate(labels, probabilities, 0.4, groups=columns(12_000), settings=EvaluationSettings())
    assert time.process_time() - started < 1.5
