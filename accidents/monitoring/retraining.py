"""Whether a model is to be trained again, by the policy of `configs/monitoring.yaml`, and why."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accidents.configuration.monitoring import RetrainingSettings
from accidents.monitoring.drift import Change

_OF_LABEL = {Change.CALIBRATION, Change.DEPARTMENTS}


@dataclass(frozen=True)
class RetrainingDecision:
    """Whether to train again; the reasons for it, or, where there are none, what was looked at."""

    retrain: bool
    reasons: tuple[str, ...]


def decide_retraining(
    monitoring: Mapping[str, Any] | None,
    trained_at: str,
    trained_months: Collection[str],
    source_months: Collection[str],
    now: datetime,
    policy: RetrainingSettings,
) -> RetrainingDecision:
    """Decide by the last monitoring of the model, its age, and the months of the source.

    Args:
        monitoring: summary of the last monitoring of the model; None without one.
        trained_at: time of its training, ISO 8601; empty where it is not known.
        trained_months: months that it has learned from, such as `2024-01`.
        source_months: months of the source that it would be trained on.
        now: the present, with a time zone.
        policy: the reasons that count.
    """
    checks = [
        *_monitored(monitoring, policy),
        _age(trained_at, now, policy),
        _new_months(trained_months, source_months, policy),
    ]
    reasons = tuple(text for applies, text in checks if applies)
    return RetrainingDecision(bool(reasons), reasons or tuple(text for _, text in checks))


def _monitored(monitoring: Mapping[str, Any] | None, policy: RetrainingSettings) -> Iterator[tuple[bool, str]]:
    if monitoring is None:
        yield False, "the model has not been monitored: python run.py --monitoring"
        return
    found = {finding["change"] for finding in monitoring["findings"]}
    alarms = [finding for finding in monitoring["findings"] if finding["alarm"]]
    if policy.on_label_change:
        label = "; ".join(finding["text"] for finding in alarms if finding["change"] in _OF_LABEL)
        yield monitoring["label_changed"], f"the label has changed: {label}" if label else "the label has not changed"
    if policy.on_drift_with_loss:
        lost = monitoring["inputs_changed"] and Change.ROC_AUC in found
        if lost:
            texts = [finding["text"] for finding in alarms if finding["change"] not in _OF_LABEL]
            yield True, f"drift costs performance: {'; '.join(texts)}"
        else:
            share = monitoring["drift_share"]
            yield False, f"drift (share of columns {share:.2f}) that costs performance was not found"
    outcomes = monitoring["outcomes"]
    if outcomes is None:
        yield False, "too few outcomes are known to judge performance"
        return
    if auc := outcomes["roc_auc"]:
        low, least = auc["high"] < policy.roc_auc_at_least, policy.roc_auc_at_least
        interval = f"{auc['low']:.3f} to {auc['high']:.3f}"
        text = f"ROC-AUC in operation is {auc['value']:.3f} ({interval}, {'below' if low else 'not below'} {least:.3f})"
        yield low, text
    error, by_chance, most = outcomes["ece"], outcomes.get("ece_by_chance", 0.0), policy.calibration_error_at_most
    high = error - by_chance > most
    text = f"calibration error in operation is {error:.3f}, of which chance gives {by_chance:.3f}"
    yield high, f"{text}; the rest is {'above' if high else 'at most'} {most:.3f}"


def _age(trained_at: str, now: datetime, policy: RetrainingSettings) -> tuple[bool, str]:
    try:
        days = (now - datetime.fromisoformat(trained_at)).total_seconds() / 86_400
    except (ValueError, TypeError):
        return False, "when the model was trained is not known"
    old = days > policy.days_at_most
    return old, f"the model is {days:.0f} days old, {'more than' if old else 'at most'} {policy.days_at_most:g}"


def _new_months(trained: Collection[str], source: Collection[str], policy: RetrainingSettings) -> tuple[bool, str]:
    new = sorted({*source} - {*trained})
    enough = len(new) >= policy.new_months_at_least
    shown = f", {new[0]} to {new[-1]}" if new else ""
    relation = "at least" if enough else "fewer than"
    text = f"the source has {len(new)} months that the model has not learned from{shown}"
    return enough, f"{text}, {relation} {policy.new_months_at_least}"
