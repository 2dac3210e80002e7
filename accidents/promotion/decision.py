"""The rule by which a model may replace another, applied to measured figures. Knows no models and reads no data.

A figure that equals its limit has reached it. A figure that is missing or not a number has reached nothing: where the
rule names it, the model is refused.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, get_args

from accidents.configuration.promotion import Higher, Lower, PromotionSettings
from accidents.evaluation.results import Difference
from accidents.promotion.results import Decision, Measured

WORDS = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
}
"""Names of the metrics in sentences."""

_ROUNDING = 1e-12  # by so much a difference of two figures may fall short of its limit and still equal it

_RELATIONS = {"floor": ("is below", "is at least"), "ceiling": ("is above", "is at most")}


class _Check(NamedTuple):
    holds: bool
    reason: str


def decide(
    candidate: Measured,
    incumbent: Measured | None,
    difference: Mapping[str, Difference] | None,
    rule: PromotionSettings,
) -> Decision:
    """Say whether the candidate may take the place of the incumbent.

    It may if it reaches every floor, stays within every ceiling, and where there is an incumbent is better than it by
    at least what the rule asks for and worse nowhere that the rule guards. With `at_least` 0 "better" is "not worse",
    so that a tie is enough; with `significant` the lower end of the paired interval has to lie above `at_least`, so
    that a tie is not.

    Args:
        candidate: figures of the model that stands for the stage.
        incumbent: those of the model to beat on the same accidents, by the same name if it is the candidate itself;
            None where there is none.
        difference: candidate less incumbent, by metric; None where there is no incumbent.
        rule: floors, ceilings, improvement, guards.
    """
    checks = [*_limits(candidate, rule), *_comparison(candidate, incumbent, difference, rule)]
    refused = tuple(check.reason for check in checks if not check.holds)
    return Decision(
        approved=not refused,
        reasons=refused or tuple(check.reason for check in checks),
        figures=_jsonable(
            {
                "candidate": asdict(candidate),
                "incumbent": asdict(incumbent) if incumbent else None,
                "difference": {name: found.model_dump() for name, found in (difference or {}).items()} or None,
            }
        ),
    )


def better(metric: Higher | Lower, value: float) -> float:
    """A value of a metric, or a difference, turned so that more is better."""
    return -value if metric in get_args(Lower) else value


def known(value: float | None) -> float | None:
    """A figure; None for one that is no number."""
    return None if value is None or not math.isfinite(value) else float(value)


def _limits(candidate: Measured, rule: PromotionSettings) -> Iterator[_Check]:
    for metric, floor in rule.floors.items():
        yield _limit(candidate, metric, "floor", floor)
    for other, ceiling in rule.ceilings.items():
        yield _limit(candidate, other, "ceiling", ceiling)


def _limit(candidate: Measured, metric: Higher | Lower, kind: str, limit: float) -> _Check:
    name, value = WORDS[metric], known(candidate.metrics.get(metric))
    if value is None:
        return _Check(False, f"{name} is not known: it cannot be held against the {kind} of {limit:.3f}")
    holds = better(metric, value) >= better(metric, limit)
    relation = _RELATIONS[kind][holds]
    shown, of = _figures(value, limit)
    return _Check(holds, f"{name} {shown} {relation} the {kind} of {of}")


def _comparison(
    candidate: Measured,
    incumbent: Measured | None,
    difference: Mapping[str, Difference] | None,
    rule: PromotionSettings,
) -> Iterator[_Check]:
    if incumbent is None:
        yield _Check(True, f"no model is in {' or '.join(rule.improvement.over)}: nothing to beat")
    elif incumbent.name == candidate.name:
        yield _Check(False, f"{candidate.name} is already there")
    else:
        yield from _improvement(incumbent.name, difference or {}, rule)
        yield _calibration_guard(candidate, incumbent, rule)
        yield _department_guard(candidate, incumbent, rule)


def _improvement(other: str, difference: Mapping[str, Difference], rule: PromotionSettings) -> Iterator[_Check]:
    metric, asked = rule.improvement.metric, rule.improvement.at_least
    found, name = difference.get(metric), WORDS[metric]
    value = known(found.value) if found else None
    if value is None:
        yield _Check(
            False, f"the difference in {name} from {other} is not known: it cannot be held against {asked:+.3f}"
        )
    else:
        gain = better(metric, value)
        holds = gain >= asked - _ROUNDING
        shown, of = _figures(gain, asked, "+")
        relation = "at least" if holds else "less than"
        yield _Check(holds, f"the gain in {name} over {other} is {shown}, {relation} {of}")
    if rule.improvement.significant:
        yield _significance(other, found, rule)


def _significance(other: str, found: Difference | None, rule: PromotionSettings) -> _Check:
    metric, asked = rule.improvement.metric, rule.improvement.at_least
    ends = [known(end) for end in found.interval or ()] if found else []
    name, gains = WORDS[metric], [better(metric, end) for end in ends if end is not None]
    if len(gains) < 2:
        return _Check(False, f"the interval of the difference in {name} from {other} is not known")
    holds = min(gains) > asked + _ROUNDING
    shown, of = _figures(min(gains), asked, "+")
    relation = "above" if holds else "not above"
    return _Check(holds, f"the interval of the gain in {name} over {other} begins at {shown}, {relation} {of}")


def _calibration_guard(candidate: Measured, incumbent: Measured, rule: PromotionSettings) -> _Check:
    new, old = known(candidate.metrics.get("ece")), known(incumbent.metrics.get("ece"))
    return _guard(WORDS["ece"], old, new, "rises", rule.guards.ece_worse_by_at_most)


def _department_guard(candidate: Measured, incumbent: Measured, rule: PromotionSettings) -> _Check:
    new, old, least = candidate.worst_department, incumbent.worst_department, rule.guards.department_accidents_at_least
    if new is None and old is None:
        return _Check(True, f"no department has {least} accidents of both labels: none is judged")
    before, after = (known(one.roc_auc) if one else None for one in (old, new))
    at_most = rule.guards.worst_department_worse_by_at_most
    return _guard("ROC-AUC of the worst department", before, after, "falls", at_most)


def _guard(what: str, old: float | None, new: float | None, worse: str, at_most: float) -> _Check:
    if old is None or new is None:
        return _Check(False, f"{what} is not known of both models: it cannot be guarded")
    loss = new - old if worse == "rises" else old - new
    if loss <= 0:
        return _Check(True, f"{what} is not worse: {new:.3f} after {old:.3f}")
    holds, (shown, of) = loss <= at_most + _ROUNDING, _figures(loss, at_most)
    relation = "at most" if holds else "more than"
    return _Check(holds, f"{what} {worse} from {old:.3f} to {new:.3f}, by {shown}, {relation} {of}")


def _figures(value: float, limit: float, sign: str = "") -> tuple[str, str]:
    """Both as text, with as many places from three on as it takes to tell them apart, where they differ."""
    for places in range(3, 10):
        texts = f"{value:{sign}.{places}f}", f"{limit:{sign}.{places}f}"
        if texts[0] != texts[1] or value == limit:
            return texts
    return texts


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _jsonable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(one) for one in value]
    return known(value) if isinstance(value, float) else value
