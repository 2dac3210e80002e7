"""Metrics: the same figures as scikit-learn, with weights and ties, and clear refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from accidents.errors import DataError
from accidents.evaluation.metrics import METRICS, compute_metrics, group_scores


@st.composite
def scored(draw):
    size = draw(st.integers(2, 60))
    grid = draw(st.sampled_from([2, 10, 1000]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    labels = rng.integers(0, 2, size).astype(np.int8)
    labels[:2] = 0, 1
    return labels, rng.integers(0, grid + 1, size) / grid, draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])), rng


def _weighted(labels, probabilities, threshold, weights):
    predicted = (probabilities >= threshold).astype(int)
    options = {"sample_weight": weights, "zero_division": np.nan}
    return {
        "roc_auc": reference.roc_auc_score(labels, probabilities, sample_weight=weights),
        "pr_auc": reference.average_precision_score(labels, probabilities, sample_weight=weights),
        "f1": reference.f1_score(labels, predicted, sample_weight=weights),
        "precision": reference.precision_score(labels, predicted, **options),
        "recall": reference.recall_score(labels, predicted, **options),
        "accuracy": reference.accuracy_score(labels, predicted, sample_weight=weights),
        "brier": reference.brier_score_loss(labels, probabilities, sample_weight=weights),
        "prevalence": np.average(labels, weights=weights),
    }


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(scored())
def test_metrics_of_resamples_equal_those_of_scikit_learn_with_weights(case):
    labels, probabilities, threshold, rng = case
    rows = rng.integers(0, len(labels), size=(3, len(labels)))
    rows[:, :2] = 0, 1
    metrics = group_scores(labels, probabilities).metrics(threshold, 15, rows)
    assert tuple(metrics) == METRICS
    for position, drawn in enumerate(rows):
        expected = _weighted(labels, probabilities, threshold, np.bincount(drawn, minlength=len(labels)))
        for name, value in expected.items():
            assert metrics[name][position] == pytest.approx(value, abs=1e-12, nan_ok=True), name


@settings(deadline=None, max_examples=20)
@given(scored())
def test_ece_is_the_weighted_distance_over_bins_closed_on_the_right(case):
    labels, probabilities, threshold, _ = case
    expected = 0.0
    for low in range(5):
        inside = (probabilities > low / 5) & (probabilities <= (low + 1) / 5) | (probabilities == 0) & (low == 0)
        if inside.any():
            expected += inside.mean() * abs(labels[inside].mean() - probabilities[inside].mean())
    assert compute_metrics(labels, probabilities, threshold, bins=5)["ece"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("label", "undefined"), [(0, {"roc_auc", "pr_auc", "recall"}), (1, {"roc_auc"})], ids=["none", "all"]
)
def test_with_one_class_only_some_metrics_are_not_defined(label, undefined):
    metrics = compute_metrics(np.full(5, label, dtype=np.int8), np.linspace(0.1, 0.9, 5), 0.5, bins=15)
    assert {name for name, value in metrics.items() if np.isnan(value)} == undefined


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], [], "no accidents"),
        ([0, 1], [0.5], "do not fit"),
        ([0, -1, 1], [0.1, 0.2, 0.3], "1 of 3 labels are neither 0 nor 1.*first is -1 in row 1"),
        ([0, 1], [0.1, np.nan], "1 of 2 probabilities are missing.*row 1"),
        ([0, 1], [-0.1, 1.1], "2 of 2 probabilities.*first is -0.1 in row 0"),
    ],
)
def test_invalid_input_is_refused_with_its_row(labels, probabilities, message):
    with pytest.raises(DataError, match=message):
        group_scores(np.array(labels, dtype=np.int8), np.array(probabilities, dtype=np.float64))
