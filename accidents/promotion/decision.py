"""Promotion rule: whether a candidate may replace the incumbent, decided on their metrics alone.

A metric that equals its limit passes. A metric that is missing or NaN fails every check that needs it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, get_args

from accidents.configuration.promotion import Higher, Lower, PromotionSettings
from accidents.evaluation.metrics import METRIC_NAMES
from accidents.evaluation.results import MetricDifference

_ROUNDING = 1e-12  # tolerance of a comparison of two differences

_RELATIONS = {"floor": ("is below", "is at least"), "ceiling": ("is above", "is at most")}


@dataclass(frozen=True)
class DepartmentMetrics:
    """A department: its code, the ROC-AUC of its accidents, and their number `n`."""

    code: str
    roc_auc: float | None
    n: int


@dataclass(frozen=True)
class ModelMetrics:
    """Metrics of a model on held-out accidents.

    Attributes:
        name: of the model.
        metrics: by name of `accidents.evaluation.metrics.METRICS`, None where one is not defined.
        worst_department: of lowest ROC-AUC; None where no department has enough accidents of both classes.
    """

    name: str
    metrics: Mapping[str, float | None]
    worst_department: DepartmentMetrics | None = None


@dataclass(frozen=True)
class PromotionDecision:
    """Whether the candidate may take the stage, and why.

    Attributes:
        approved: whether every check passed.
        reasons: the checks that failed, or all checks where none failed, as sentences; never empty.
        figures: metrics of both models, ready for JSON.
    """

    approved: bool
    reasons: tuple[str, ...]
    figures: dict[str, Any]


class _Check(NamedTuple):
    passed: bool
    reason: str


def decide(
    candidate: ModelMetrics,
    incumbent: ModelMetrics | None,
    difference: Mapping[str, MetricDifference] | None,
    rule: PromotionSettings,
) -> PromotionDecision:
    """Decide whether the candidate may replace the incumbent.

    It has to reach every floor and stay within every ceiling. Where there is an incumbent, it also has to improve on it
    by `at_least`, and may not be worse than the guards allow. With `at_least` 0 a tie is enough; with `significant` the
    lower end of the paired interval has to be above `at_least`, so that a tie is not.

    Args:
        candidate: metrics of the candidate.
        incumbent: metrics of the model to improve on, under the candidate's name if it is the candidate itself; None
            where the stage is empty.
        difference: candidate minus incumbent by metric; None without incumbent.
        rule: floors, ceilings, improvement, guards.
    """
    checks = [*_limits(candidate, rule), *_comparison(candidate, incumbent, difference, rule)]
    failed = tuple(check.reason for check in checks if not check.passed)
    return PromotionDecision(
        approved=not failed,
        reasons=failed or tuple(check.reason for check in checks),
        figures=_jsonable(
            {
                "candidate": asdict(candidate),
                "incumbent": asdict(incumbent) if incumbent else None,
                "difference": {name: metric.model_dump() for name, metric in (difference or {}).items()} or None,
            }
        ),
    )


def signed(metric: Higher | Lower, value: float) -> float:
    """Return a metric, or a difference of it, with the sign by which greater is better.

    Examples:
        >>> signed("roc_auc", 0.8), signed("brier", 0.15)
        (0.8, -0.15)
    """
    return -value if metric in get_args(Lower) else value


def finite_or_none(value: float | None) -> float | None:
    """Return a metric as float; None where it is missing, NaN or infinite."""
    return None if value is None or not math.isfinite(value) else float(value)


def _limits(candidate: ModelMetrics, rule: PromotionSettings) -> Iterator[_Check]:
    for metric, floor in rule.floors.items():
        yield _limit(candidate, metric, "floor", floor)
    for other, ceiling in rule.ceilings.items():
        yield _limit(candidate, other, "ceiling", ceiling)


def _limit(candidate: ModelMetrics, metric: Higher | Lower, kind: str, limit: float) -> _Check:
    name, value = METRIC_NAMES[metric], finite_or_none(candidate.metrics.get(metric))
    if value is None:
        return _Check(False, f"{name} is not defined: it cannot be compared with the {kind} of {limit:.3f}")
    passed = signed(metric, value) >= signed(metric, limit)
    relation = _RELATIONS[kind][passed]
    shown, of = _format_pair(value, limit)
    return _Check(passed, f"{name} {shown} {relation} the {kind} of {of}")


def _comparison(
    candidate: ModelMetrics,
    incumbent: ModelMetrics | None,
    difference: Mapping[str, MetricDifference] | None,
    rule: PromotionSettings,
) -> Iterator[_Check]:
    if incumbent is None:
        yield _Check(
            True, f"no other version of this model is in {' or '.join(rule.improvement.over)}: nothing to beat"
        )
    elif incumbent.name == candidate.name:
        yield _Check(False, f"{candidate.name} is already there")
    else:
        yield from _improvement(incumbent.name, difference or {}, rule)
        yield _calibration_guard(candidate, incumbent, rule)
        yield _department_guard(candidate, incumbent, rule)


def _improvement(
    incumbent: str, differences: Mapping[str, MetricDifference], rule: PromotionSettings
) -> Iterator[_Check]:
    metric, required = rule.improvement.metric, rule.improvement.at_least
    difference, name = differences.get(metric), METRIC_NAMES[metric]
    value = finite_or_none(difference.value) if difference else None
    if value is None:
        undefined = f"the difference in {name} from {incumbent} is not defined"
        yield _Check(False, f"{undefined}: it cannot be compared with {required:+.3f}")
    else:
        gain = signed(metric, value)
        passed = gain >= required - _ROUNDING
        shown, of = _format_pair(gain, required, "+")
        relation = "at least" if passed else "less than"
        yield _Check(passed, f"the gain in {name} over {incumbent} is {shown}, {relation} {of}")
    if rule.improvement.significant:
        yield _significance(incumbent, difference, rule)


def _significance(incumbent: str, difference: MetricDifference | None, rule: PromotionSettings) -> _Check:
    metric, required = rule.improvement.metric, rule.improvement.at_least
    ends = [finite_or_none(end) for end in difference.interval or ()] if difference else []
    name, gains = METRIC_NAMES[metric], [signed(metric, end) for end in ends if end is not None]
    if len(gains) < 2:
        return _Check(False, f"the interval of the difference in {name} from {incumbent} is not defined")
    passed = min(gains) > required + _ROUNDING
    shown, of = _format_pair(min(gains), required, "+")
    relation = "above" if passed else "not above"
    return _Check(passed, f"the interval of the gain in {name} over {incumbent} begins at {shown}, {relation} {of}")


def _calibration_guard(candidate: ModelMetrics, incumbent: ModelMetrics, rule: PromotionSettings) -> _Check:
    new, old = finite_or_none(candidate.metrics.get("ece")), finite_or_none(incumbent.metrics.get("ece"))
    return _guard(METRIC_NAMES["ece"], old, new, "rises", rule.guards.ece_worse_by_at_most)


def _department_guard(candidate: ModelMetrics, incumbent: ModelMetrics, rule: PromotionSettings) -> _Check:
    new, old, least = candidate.worst_department, incumbent.worst_department, rule.guards.department_accidents_at_least
    if new is None and old is None:
        return _Check(True, f"no department has {least} accidents of both labels: none is compared")
    before, after = (finite_or_none(department.roc_auc) if department else None for department in (old, new))
    at_most = rule.guards.worst_department_worse_by_at_most
    return _guard("ROC-AUC of the worst department", before, after, "falls", at_most)


def _guard(name: str, old: float | None, new: float | None, worse: str, at_most: float) -> _Check:
    if old is None or new is None:
        return _Check(False, f"{name} is not defined for both models: it cannot be compared")
    loss = new - old if worse == "rises" else old - new
    if loss <= 0:
        return _Check(True, f"{name} is not worse: {new:.3f} after {old:.3f}")
    passed, (shown, of) = loss <= at_most + _ROUNDING, _format_pair(loss, at_most)
    relation = "at most" if passed else "more than"
    return _Check(passed, f"{name} {worse} from {old:.3f} to {new:.3f}, by {shown}, {relation} {of}")


def _format_pair(value: float, limit: float, sign: str = "") -> tuple[str, str]:
    """Format value and limit with three decimals, or with as many as it takes to tell them apart."""
    for decimals in range(3, 10):
        texts = f"{value:{sign}.{decimals}f}", f"{limit:{sign}.{decimals}f}"
        if texts[0] != texts[1] or value == limit:
            return texts
    return texts


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    return finite_or_none(value) if isinstance(value, float) else value
