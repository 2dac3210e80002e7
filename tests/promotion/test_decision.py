"""Promotion rule: compared with an oracle in whole thousandths, and single cases."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.configuration.promotion import PromotionSettings
from accidents.evaluation.results import MetricDifference
from accidents.promotion.decision import DepartmentMetrics, ModelMetrics, PromotionDecision, decide

HIGHER = ("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy")
LOWER = ("brier", "ece")
CASES = 600
NAN = float("nan")

Thousandths = int | float | None
"""A figure in thousandths; NaN, or None for one that is missing."""


def thousandth(value: Thousandths) -> float | None:
    return None if value is None else value / 1000


def value_at_limit(draw: st.DrawFn, limit: int, sign: int, fault: str) -> Thousandths:
    """A value at a limit or better in the direction of `sign`; or with a fault: beyond it, missing, or NaN."""
    if fault:
        return {"beyond": limit - sign, "missing": None, "no number": NAN}[fault]
    return limit + sign * draw(st.sampled_from([0, 1, 40]))


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """A rule in thousandths."""
    return {
        "floors": draw(st.dictionaries(st.sampled_from(HIGHER), st.integers(1, 999), max_size=3)),
        "ceilings": draw(st.dictionaries(st.sampled_from(LOWER), st.integers(1, 999), max_size=2)),
        "metric": draw(st.sampled_from(HIGHER + LOWER)),
        "at_least": draw(st.sampled_from([0, 0, 10, -10, 7])),
        "significant": draw(st.booleans()),
        "ece": draw(st.sampled_from([0, 5, 7])),
        "department": draw(st.sampled_from([0, 30, 33])),
    }


COMPARED = ("gain", "low", "old_ece", "department")


@st.composite
def cases(draw: st.DrawFn, faults: tuple[str, ...] = ("beyond", "missing", "no number")) -> dict[str, Any]:
    """A rule and figures that keep to it, many of them at their limits, but for a few with a fault."""
    rule = draw(rules())
    limits = {"low": rule["at_least"] + 1, "gain": rule["at_least"]} | rule["floors"] | rule["ceilings"]
    wrong = draw(st.dictionaries(st.sampled_from(HIGHER + LOWER + COMPARED), st.sampled_from(faults), max_size=2))
    values = {
        name: value_at_limit(draw, limits.get(name, 500), -1 if name in LOWER else 1, wrong.get(name, ""))
        for name in (*HIGHER, *LOWER, "gain", "low")
    }
    ece = values["ece"] if is_number(values["ece"]) else 500
    old_department = draw(st.none() | st.integers(100, 900))
    return {
        "rule": rule,
        "metrics": {name: values[name] for name in HIGHER + LOWER},
        "incumbent": draw(st.sampled_from(["other", "other", "other", "none", "itself"])),
        "old_ece": value_at_limit(draw, ece - rule["ece"], 1, wrong.get("old_ece", "")),
        "old_department": old_department,
        "has_department": (old_department is not None) != (draw(st.integers(0, 19)) == 19),
        "department": value_at_limit(
            draw, (old_department or 500) - rule["department"], 1, wrong.get("department", "")
        ),
        "compared": draw(st.integers(0, 19)) < 19,
        "gain": values["gain"],
        "low": values["low"],
    }


def is_number(*values: Thousandths) -> bool:
    return all(isinstance(value, int) for value in values)


def oracle(case: dict[str, Any]) -> bool:
    """The rule once more, in whole numbers."""
    rule, metrics = case["rule"], case["metrics"]
    within = all(is_number(metrics[name]) and metrics[name] >= floor for name, floor in rule["floors"].items()) and all(
        is_number(metrics[name]) and metrics[name] <= ceiling for name, ceiling in rule["ceilings"].items()
    )
    if case["incumbent"] != "other":
        return within and case["incumbent"] == "none"
    gained = case["compared"] and is_number(case["gain"]) and case["gain"] >= rule["at_least"]
    surely = not rule["significant"] or (is_number(case["low"]) and case["low"] > rule["at_least"])
    calibrated = is_number(metrics["ece"], case["old_ece"]) and metrics["ece"] - case["old_ece"] <= rule["ece"]
    if not case["has_department"] or case["old_department"] is None:
        fair = not case["has_department"] and case["old_department"] is None
    else:
        fair = is_number(case["department"]) and case["old_department"] - case["department"] <= rule["department"]
    return within and gained and surely and calibrated and fair


def settings_of(rule: dict[str, Any]) -> PromotionSettings:
    return PromotionSettings.model_validate(
        {
            "floors": {name: value / 1000 for name, value in rule["floors"].items()},
            "ceilings": {name: value / 1000 for name, value in rule["ceilings"].items()},
            "improvement": {
                "metric": rule["metric"],
                "at_least": rule["at_least"] / 1000,
                "significant": rule["significant"],
            },
            "guards": {
                "ece_worse_by_at_most": rule["ece"] / 1000,
                "worst_department_worse_by_at_most": rule["department"] / 1000,
            },
        }
    )


def difference_of(gain: Thousandths, low: Thousandths, sign: int) -> MetricDifference:
    """Of a gain and the lower end of its interval; `sign` is -1 for a metric of which less is better."""
    ends = None if low is None else sorted([sign * low / 1000, sign * (low + 9) / 1000])
    return MetricDifference(value=None if gain is None else sign * gain / 1000, interval=ends)


def decide_case(case: dict[str, Any]) -> PromotionDecision:
    metrics = {name: thousandth(value) for name, value in case["metrics"].items() if value is not None}
    department = DepartmentMetrics("75", thousandth(case["department"]), 300) if case["has_department"] else None
    candidate = ModelMetrics("new", metrics, department)
    rule = settings_of(case["rule"])
    if case["incumbent"] == "none":
        return decide(candidate, None, None, rule)
    if case["incumbent"] == "itself":
        return decide(candidate, candidate, None, rule)
    before = case["old_department"]
    incumbent = ModelMetrics(
        "old",
        {"ece": thousandth(case["old_ece"])},
        None if before is None else DepartmentMetrics("13", thousandth(before), 300),
    )
    difference = difference_of(case["gain"], case["low"], 1 if case["rule"]["metric"] in HIGHER else -1)
    return decide(candidate, incumbent, {case["rule"]["metric"]: difference} if case["compared"] else None, rule)


@pytest.mark.slow
@given(cases())
@settings(deadline=None, max_examples=CASES)
def test_approval_equals_that_of_the_oracle(case: dict[str, Any]) -> None:
    decision = decide_case(case)
    assert decision.approved == oracle(case), decision.reasons
    assert decision.reasons
    assert all(reason.strip() for reason in decision.reasons)
    assert "NaN" not in json.dumps(decision.figures, allow_nan=False)


@pytest.mark.slow
@given(cases())
@settings(deadline=None, max_examples=CASES)
def test_every_broken_limit_is_refused_and_has_a_reason(case: dict[str, Any]) -> None:
    rule, metrics = case["rule"], case["metrics"]
    broken = [name for name, floor in rule["floors"].items() if not is_number(metrics[name]) or metrics[name] < floor]
    broken += [name for name, top in rule["ceilings"].items() if not is_number(metrics[name]) or metrics[name] > top]
    decision = decide_case(case)
    if broken:
        assert not decision.approved
    assert sum("the floor of" in one or "the ceiling of" in one for one in decision.reasons) == (
        len(broken) if not decision.approved else len(rule["floors"]) + len(rule["ceilings"])
    )


def improved(case: dict[str, Any], steps: dict[str, int]) -> dict[str, Any]:
    """The same case with a candidate that is better, by its figures and by all that is compared."""

    def moved(name: str, value: Thousandths) -> Thousandths:
        return value if value is None else value + steps.get(name, 0) * (-1 if name in LOWER else 1)

    metrics = {name: moved(name, value) for name, value in case["metrics"].items()}
    return case | {"metrics": metrics} | {name: moved(name, case[name]) for name in ("gain", "low", "department")}


STEPS = st.dictionaries(st.sampled_from([*HIGHER, *LOWER, "gain", "low", "department"]), st.integers(0, 40))


@pytest.mark.slow
@given(cases(faults=("beyond",)), STEPS)
@settings(deadline=None, max_examples=CASES)
def test_approval_is_monotone_in_the_metrics(case: dict[str, Any], steps: dict[str, int]) -> None:
    assert decide_case(improved(case, steps)).approved or not decide_case(case).approved


@pytest.mark.parametrize("metric", HIGHER + LOWER)
@pytest.mark.parametrize("limit", [1, 300, 573, 999])
def test_every_limit_just_below_at_and_above(metric: str, limit: int) -> None:
    kind = "floors" if metric in HIGHER else "ceilings"
    rule = PromotionSettings.model_validate({"floors": {}, "ceilings": {}} | {kind: {metric: limit / 1000}})
    exact = limit / 1000
    figures = {"below": exact - 1e-9, "at": exact, "above": exact + 1e-9}
    approved = {
        name: decide(ModelMetrics("new", {metric: value}), None, None, rule).approved for name, value in figures.items()
    }
    assert approved == {"below": kind == "ceilings", "at": True, "above": kind == "floors"}
    for missing in ({}, {metric: None}, {metric: NAN}, {metric: float("inf")}):
        refusal = decide(ModelMetrics("new", missing), None, None, rule)
        assert not refusal.approved
        assert "is not defined" in refusal.reasons[0]


OPEN = {"floors": {"f1": 0.65}, "ceilings": {}}


def decide_against(
    difference: MetricDifference | None,
    new: dict[str, float | None] | None = None,
    rule: dict[str, Any] | None = None,
    departments: tuple[DepartmentMetrics | None, DepartmentMetrics | None] = (None, None),
) -> PromotionDecision:
    candidate = ModelMetrics("new", {"f1": 0.712, "ece": 0.013} | (new or {}), departments[0])
    incumbent = ModelMetrics("old", {"f1": 0.712, "ece": 0.013}, departments[1])
    differences = {"f1": difference} if difference else None
    return decide(candidate, incumbent, differences, PromotionSettings.model_validate(OPEN | (rule or {})))


TIE = MetricDifference(value=0.0, interval=(0.0, 0.0))


def test_a_tie_is_enough_unless_the_gain_has_to_be_significant() -> None:
    assert decide_against(TIE).approved
    refusal = decide_against(TIE, rule={"improvement": {"significant": True}})
    assert refusal.reasons == ("the interval of the gain in F1 over old begins at +0.000, not above +0.000",)
    sure = MetricDifference(value=0.004, interval=(0.001, 0.007))
    assert decide_against(sure, rule={"improvement": {"significant": True}}).approved


@pytest.mark.parametrize("interval", [None, (NAN, 0.02), (0.005, NAN), (NAN, NAN)])
def test_an_interval_without_both_ends_is_no_sign_of_a_gain(interval: tuple[float, float] | None) -> None:
    found = MetricDifference(value=0.01, interval=interval)
    assert decide_against(found).approved
    refusal = decide_against(found, rule={"improvement": {"significant": True}})
    assert not refusal.approved
    assert "interval" in refusal.reasons[0]


def test_a_gain_of_less_is_a_fall_of_an_error() -> None:
    fall = {"ece": MetricDifference(value=-0.002, interval=(-0.003, -0.001))}
    for at_least, significant, approved in [(0.002, False, True), (0.0021, False, False), (0.0005, True, True)]:
        rule = PromotionSettings.model_validate(
            OPEN | {"improvement": {"metric": "ece", "at_least": at_least, "significant": significant}}
        )
        new, old = ModelMetrics("new", {"f1": 0.7, "ece": 0.011}), ModelMetrics("old", {"f1": 0.7, "ece": 0.013})
        assert decide(new, old, fall, rule).approved == approved


def test_an_empty_stage_is_named() -> None:
    decision = decide(ModelMetrics("new", {"f1": 0.712}), None, None, PromotionSettings.model_validate(OPEN))
    assert decision.approved
    assert decision.reasons == (
        "F1 0.712 is at least the floor of 0.650",
        "no other version of this model is in Production: nothing to beat",
    )
    both = PromotionSettings.model_validate(OPEN | {"improvement": {"over": ["Staging", "Production"]}})
    assert "Staging or Production" in decide(ModelMetrics("new", {"f1": 0.712}), None, None, both).reasons[1]


def test_a_model_does_not_replace_itself() -> None:
    model = ModelMetrics("v3", {"f1": 0.6, "ece": 0.01})
    decision = decide(model, model, {"f1": TIE}, PromotionSettings.model_validate(OPEN))
    assert decision.reasons == ("F1 0.600 is below the floor of 0.650", "v3 is already there")


def test_every_failed_check_has_a_reason() -> None:
    worse = MetricDifference(value=-0.112, interval=(-0.13, -0.09))
    decision = decide_against(
        worse,
        {"f1": 0.6, "ece": 0.0181},
        {"improvement": {"significant": True}},
        (DepartmentMetrics("75", 0.7, 300), DepartmentMetrics("13", 0.74, 300)),
    )
    assert not decision.approved
    assert decision.reasons == (
        "F1 0.600 is below the floor of 0.650",
        "the gain in F1 over old is -0.112, less than +0.000",
        "the interval of the gain in F1 over old begins at -0.130, not above +0.000",
        "calibration error (ECE) rises from 0.013 to 0.018, by 0.0051, more than 0.0050",
        "ROC-AUC of the worst department falls from 0.740 to 0.700, by 0.040, more than 0.030",
    )


def test_a_department_of_one_model_alone_is_not_enough() -> None:
    one = DepartmentMetrics("75", 0.8, 300)
    assert decide_against(TIE, departments=(one, one)).approved
    assert not decide_against(TIE, departments=(one, None)).approved
    assert not decide_against(TIE, departments=(None, one)).approved
    assert not decide_against(TIE, departments=(DepartmentMetrics("75", None, 300), one)).approved
    assert "none is compared" in decide_against(TIE).reasons[-1]


def test_figures_are_json_with_none_for_nan() -> None:
    unsure = MetricDifference(value=0.01, interval=(NAN, 0.02))
    figures = decide_against(unsure, {"roc_auc": NAN}, departments=(DepartmentMetrics("75", NAN, 300), None)).figures
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["candidate"]["metrics"] == {"f1": 0.712, "ece": 0.013, "roc_auc": None}
    assert figures["candidate"]["worst_department"] == {"code": "75", "roc_auc": None, "n": 300}
    assert figures["incumbent"]["name"] == "old"
    assert figures["difference"] == {"f1": {"value": 0.01, "interval": [None, 0.02]}}


def test_what_does_not_get_worse_is_said_not_to() -> None:
    departments = DepartmentMetrics("75", 0.72, 300), DepartmentMetrics("13", 0.7, 300)
    reasons = decide_against(TIE, {"ece": 0.011}, departments=departments).reasons
    assert "calibration error (ECE) is not worse: 0.011 after 0.013" in reasons
    assert "ROC-AUC of the worst department is not worse: 0.720 after 0.700" in reasons


@pytest.mark.parametrize("value", [None, NAN])
def test_a_difference_that_is_not_defined_is_refused(value: float | None) -> None:
    refusal = decide_against(MetricDifference(value=value, interval=None))
    assert refusal.reasons == ("the difference in F1 from old is not defined: it cannot be compared with +0.000",)
    assert not refusal.approved
