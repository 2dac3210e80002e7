"""Evaluation of trained models on held-out accidents: which accidents are used, and the metrics."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from accidents.errors import DataError, ModelError
from accidents.evaluation.metrics import METRICS
from accidents.promotion.decision import ModelMetrics, decide
from accidents.promotion.held_out_evaluation import HeldOutEvaluation, best_model, evaluate_held_out
from accidents.training.held_out import held_out_rows
from tests.promotion.conftest import RULE, SETTINGS, Frames, Train, bundles, year

pytestmark = pytest.mark.slow


def ids(frames: Frames, rows: np.ndarray) -> set[int]:
    return set(frames[0]["Num_Acc"].to_numpy()[rows])


def labelled_ids(frames: Frames) -> set[int]:
    return set(frames[1].loc[frames[1]["priority"] >= 0, "Num_Acc"])


def ids_of_test_set(model: object) -> set[int]:
    """Accident ids of the test set of a training."""
    return set(model.predictions.query("subset == 'test'")["Num_Acc"])  # type: ignore[attr-defined]


def test_the_accidents_of_one_model_are_its_own_test_set(sample: Frames, trained: Train) -> None:
    model = trained()
    assert ids(sample, held_out_rows(bundles(model), *sample)) == ids_of_test_set(model)


def test_models_of_different_seeds_share_only_what_both_left_out(sample: Frames, trained: Train) -> None:
    first, second = trained(seed=0), trained(seed=1)
    shared = ids(sample, held_out_rows(bundles(first, second), *sample))
    assert shared == ids_of_test_set(first) & ids_of_test_set(second)
    assert 0.05 < len(shared) / len(sample[0]) < 0.14


@pytest.mark.parametrize("split", [{"test_share": 0.2}, {"test_from": "2024-10-01"}])
def test_a_temporal_split_counts_its_latest_days(sample: Frames, trained: Train, split: dict[str, object]) -> None:
    latest, drawn = trained(kind="temporal", **split), trained()
    assert ids(sample, held_out_rows(bundles(latest), *sample)) == ids_of_test_set(latest)
    assert ids(sample, held_out_rows(bundles(drawn, latest), *sample)) == ids_of_test_set(latest) & ids_of_test_set(
        drawn
    )


def test_a_share_of_the_latest_days_is_refused_on_other_accidents(sample: Frames, trained: Train) -> None:
    latest, dated = trained(kind="temporal", test_share=0.2), trained(kind="temporal", test_from="2024-10-01")
    early = (sample[1]["mois"] <= 10).to_numpy()
    fewer = sample[0][early].reset_index(drop=True), sample[1][early].reset_index(drop=True)
    with pytest.raises(DataError, match=r"m1: was trained on all but the latest 20% .* training.split.test_from"):
        held_out_rows(bundles(trained(), latest), *fewer)
    assert ids(fewer, held_out_rows(bundles(dated), *fewer)) <= ids_of_test_set(dated)


@pytest.mark.parametrize("split", [{}, {"kind": "temporal", "test_share": 0.2}])
def test_another_year_counts_whole(sample: Frames, trained: Train, split: dict[str, object]) -> None:
    other, model = year(2023, 1000), trained(**split)
    both = tuple(pd.concat(pair, ignore_index=True) for pair in zip(other, sample, strict=True))
    assert ids(other, held_out_rows(bundles(model), *other)) == labelled_ids(other)
    assert ids(both, held_out_rows(bundles(model), *both)) == labelled_ids(other) | ids_of_test_set(model)


def test_one_accident_is_enough_unless_more_are_needed(trained: Train) -> None:
    other, model = year(2023, 1000), trained()
    first = int(np.flatnonzero(other[1]["priority"] >= 0)[0])
    single = other[0].iloc[[first]].reset_index(drop=True), other[1].iloc[[first]].reset_index(drop=True)
    assert held_out_rows(bundles(model), *single).tolist() == [0]
    with pytest.raises(DataError, match="2 are needed"):
        held_out_rows(bundles(model), *single, 2)


def test_without_a_record_of_months_another_year_is_drawn_in_the_same_way(trained: Train) -> None:
    other = year(2023, 1000)
    models = [replace(trained(seed=seed).bundle, months=()) for seed in (0, 1)]
    first, second = (ids(other, held_out_rows({"m": model}, *other)) for model in models)
    assert 0.25 < len(first) / len(other[0]) < 0.35
    assert ids(other, held_out_rows({"m0": models[0], "m1": models[1]}, *other)) == first & second


def test_an_accident_without_a_date_may_have_been_learned_from(sample: Frames, trained: Train) -> None:
    features, accidents = sample
    undated = accidents.assign(jour=np.int8(-1))
    assert ids(sample, held_out_rows(bundles(trained()), features, undated)) == ids_of_test_set(trained())


def test_accidents_without_a_label_do_not_count(sample: Frames, trained: Train) -> None:
    features, accidents = sample
    hidden = accidents.assign(priority=accidents["priority"].where(accidents["mois"] > 3, -1))
    rows = held_out_rows(bundles(trained()), features, hidden)
    assert ids(sample, rows) == ids_of_test_set(trained()) & set(accidents.loc[accidents["mois"] > 3, "Num_Acc"])


def evaluated(sample: Frames, trained: Train) -> HeldOutEvaluation:
    return evaluate_held_out(bundles(trained(), trained("logistic_regression")), *sample, SETTINGS, RULE)


def test_metrics_equal_those_of_the_training(sample: Frames, trained: Train) -> None:
    evaluation = evaluated(sample, trained)
    assert evaluation.candidate == "m0"
    assert evaluation.accidents == len(ids_of_test_set(trained()))
    for name, model in {"m0": trained(), "m1": trained("logistic_regression")}.items():
        assert list(evaluation.models[name].metrics) == list(METRICS)
        assert evaluation.models[name].metrics == pytest.approx(model.bundle.metrics["test"])


def test_differences_are_the_candidate_less_each_other(sample: Frames, trained: Train) -> None:
    evaluation = evaluated(sample, trained)
    assert list(evaluation.differences) == ["m1"]
    for name, difference in evaluation.differences["m1"].items():
        gap = evaluation.models["m0"].metrics[name] - evaluation.models["m1"].metrics[name]
        assert difference.value == pytest.approx(gap)
        assert difference.interval[0] <= difference.value <= difference.interval[1]


def test_the_order_of_rows_changes_nothing(sample: Frames, trained: Train) -> None:
    order = np.random.default_rng(0).permutation(len(sample[0]))
    features, accidents = (frame.iloc[order].reset_index(drop=True) for frame in sample)
    pair = bundles(trained(), trained("logistic_regression"))
    assert evaluate_held_out(pair, features, accidents, SETTINGS, RULE) == evaluated(sample, trained)


def test_the_worst_department_is_the_lowest_of_those_large_enough(sample: Frames, trained: Train) -> None:
    from sklearn.metrics import roc_auc_score

    least = RULE.guards.department_accidents_at_least
    model = trained().predictions.query("subset == 'test'")
    test = model.merge(sample[1][["Num_Acc", "dep"]], on="Num_Acc")
    aucs = {
        code: roc_auc_score(group["label"], group["probability"])
        for code, group in test.groupby("dep")
        if len(group) >= least and group["label"].nunique() == 2
    }
    worst = evaluated(sample, trained).models["m0"].worst_department
    assert worst is not None
    assert worst.n >= least
    assert (worst.code, worst.roc_auc) == (min(aucs, key=aucs.__getitem__), pytest.approx(min(aucs.values())))
    strict = RULE.model_copy(update={"guards": RULE.guards.model_copy(update={"department_accidents_at_least": 5000})})
    assert evaluate_held_out(bundles(trained()), *sample, SETTINGS, strict).models["m0"].worst_department is None


def test_accidents_without_a_department_or_of_small_ones_are_no_department(sample: Frames, trained: Train) -> None:
    """However badly the model does on them."""
    features, accidents = sample
    model = trained().bundle
    wrong = (model.predict(features) >= model.threshold) != accidents["priority"].astype(bool)
    for code in (None, "2A"):
        moved = accidents.assign(dep=accidents["dep"].mask(wrong, code))
        least = 10_000 if code else 10
        guards = RULE.guards.model_copy(update={"department_accidents_at_least": least})
        rule = RULE.model_copy(update={"guards": guards})
        worst = evaluate_held_out({"m": model}, features, moved, SETTINGS, rule).models["m"].worst_department
        assert worst is None if code else worst is not None and worst.code in {*accidents["dep"]}


def test_too_few_accidents_are_refused_with_the_remedy(sample: Frames, trained: Train) -> None:
    pair = bundles(trained(seed=0), trained(seed=1))
    count = len(held_out_rows(pair, *sample))
    enough = RULE.model_copy(update={"accidents_at_least": count})
    assert evaluate_held_out(pair, *sample, SETTINGS, enough).accidents == count
    more = RULE.model_copy(update={"accidents_at_least": count + 1})
    with pytest.raises(DataError, match=rf"{count} are new to every model \(m0, m1\).*split and seed"):
        evaluate_held_out(pair, *sample, SETTINGS, more)
    nothing = sample[1].assign(priority=np.int8(-1))
    with pytest.raises(DataError, match=r"no accident has a label; .* grav"):
        held_out_rows(pair, sample[0], nothing)


@pytest.mark.parametrize("split", [{}, {"kind": "by hand"}])
def test_a_model_that_does_not_record_its_split_is_refused(
    sample: Frames, trained: Train, split: dict[str, object]
) -> None:
    unknown = replace(trained().bundle, split=split)
    with pytest.raises(ModelError, match="old: does not record how"):
        evaluate_held_out({"new": trained().bundle, "old": unknown}, *sample, SETTINGS, RULE)


def test_frames_of_other_accidents_are_refused(sample: Frames, trained: Train) -> None:
    with pytest.raises(DataError, match="do not fit"):
        evaluate_held_out(bundles(trained()), sample[0], sample[1].iloc[::-1], SETTINGS, RULE)


def test_the_best_model_has_the_best_defined_metric() -> None:
    figures = {"a": 0.7, "b": 0.72, "c": None, "d": float("nan")}
    models = {name: ModelMetrics(name, {"f1": value, "ece": value}) for name, value in figures.items()}
    evaluation = HeldOutEvaluation("a", 10, models, {})
    assert best_model(evaluation, [*figures], "f1") is models["b"]
    assert best_model(evaluation, [*figures], "ece") is models["a"]
    assert best_model(evaluation, ["c", "d"], "f1") is models["c"]
    assert best_model(evaluation, [], "f1") is None


def test_a_model_with_a_bad_threshold_does_not_replace_a_good_one(sample: Frames, trained: Train) -> None:
    good = trained().bundle
    evaluation = evaluate_held_out({"new": replace(good, threshold=0.9), "old": good}, *sample, SETTINGS, RULE)
    decision = decide(evaluation.models["new"], evaluation.models["old"], evaluation.differences["old"], RULE)
    assert not decision.approved
    assert any("the gain in F1 over old is -" in reason for reason in decision.reasons)


def test_the_same_model_under_another_name_is_a_tie(sample: Frames, trained: Train) -> None:
    good = trained().bundle
    evaluation = evaluate_held_out({"new": good, "old": good}, *sample, SETTINGS, RULE)
    assert all(one.value == 0 and one.interval == (0, 0) for one in evaluation.differences["old"].values())
