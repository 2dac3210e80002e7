"""Versions side by side on held-out accidents: order, metrics and what is recommended."""

from dataclasses import replace

import pytest
from sklearn.metrics import f1_score

from accidents.configuration.source import SAMPLE
from accidents.errors import DataError
from accidents.evaluation.metrics import METRICS
from accidents.promotion.held_out_evaluation import evaluate_held_out
from accidents.promotion.version_comparison import VersionComparison, compare_versions
from accidents.training.held_out import held_out_rows
from tests.promotion.conftest import RULE, SETTINGS, Frames, Train

pytestmark = pytest.mark.slow


def compared(sample: Frames, trained: Train, **thresholds: float) -> VersionComparison:
    """The same model under several names, with thresholds of their own."""
    bundles = {name: replace(trained().bundle, threshold=threshold) for name, threshold in thresholds.items()}
    return compare_versions(bundles, *sample, SETTINGS, RULE, source="mine.csv")


def test_the_version_of_best_f1_comes_first_with_the_metrics_of_the_held_out_accidents(
    sample: Frames, trained: Train
) -> None:
    good, other = trained().bundle, trained("logistic_regression").bundle
    versions = {"weak": replace(good, threshold=0.97), "good": good, "other": other}
    found = compare_versions(versions, *sample, SETTINGS, RULE, source="mine.csv")
    expected = evaluate_held_out(versions, *sample, SETTINGS, RULE).models
    assert list(found.table.columns) == list(METRICS)
    for name, metrics in found.table.T.items():
        defined = {metric: value for metric, value in expected[str(name)].metrics.items() if value is not None}
        assert metrics.dropna().to_dict() == pytest.approx(defined)
    assert found.table["f1"].is_monotonic_decreasing
    assert found.table.index[-1] == "weak"
    rows = held_out_rows(versions, *sample)
    labels = sample[1]["priority"].to_numpy()[rows]
    decided = good.predict(sample[0].iloc[rows]) >= good.threshold
    assert found.table.loc["good", "f1"] == pytest.approx(f1_score(labels, decided))
    assert f"{len(rows):,} accidents" in found.recommendation
    assert "Synthetic accidents" not in found.html
    assert "Synthetic accidents" in compare_versions(versions, *sample, SETTINGS, RULE, source=SAMPLE).html
    assert all(name in found.html for name in versions)


def test_a_clear_winner_is_recommended(sample: Frames, trained: Train) -> None:
    good = trained().bundle.threshold
    found = compared(sample, trained, weak=0.97, good=good)
    f1 = found.table.loc["good", "f1"]
    assert found.recommendation.startswith(f"good: its F1, {f1:.3f}, is better than that of every other version")


def test_versions_that_do_not_differ_are_named(sample: Frames, trained: Train) -> None:
    good = trained().bundle.threshold
    found = compared(sample, trained, first=good, twin=good, weak=0.97)
    assert "first has the best F1" in found.recommendation
    assert "from twin (" in found.recommendation
    assert "no need to change" in found.recommendation
    assert "weak" not in found.recommendation


def test_one_version_has_nothing_to_be_compared_with(sample: Frames, trained: Train) -> None:
    found = compared(sample, trained, alone=0.5)
    assert found.table.index.tolist() == ["alone"]
    assert found.recommendation.startswith("alone is the only version")


def test_too_few_held_out_accidents_are_refused(sample: Frames, trained: Train) -> None:
    many = RULE.model_copy(update={"accidents_at_least": 10_000})
    with pytest.raises(DataError, match="are needed"):
        compare_versions({"only": trained().bundle}, *sample, SETTINGS, many, source="mine.csv")
