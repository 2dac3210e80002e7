"""A result of monitoring as JSON: figures for metadata, MLflow, the service, and the decision to train again."""

from dataclasses import asdict
from typing import Any

from accidents.monitoring.monitor import MonitoringResult
from accidents.monitoring.performance import OutcomeComparison


def summarise(result: MonitoringResult, source: str) -> dict[str, Any]:
    """The result, ready for JSON.

    Args:
        result: of a window.
        source: where the accidents come from, as typed.
    """
    inputs, outcomes, volume = result.inputs, result.outcomes, result.volume
    return {
        "source": source,
        "accidents": result.accidents,
        "reference_accidents": result.reference_accidents,
        "drift_share": inputs.drift_share,
        "alarm": result.alarm,
        "verdict": result.verdict,
        "inputs_changed": result.inputs_changed,
        "label_changed": result.label_changed,
        "findings": [asdict(finding) | {"change": str(finding.change)} for finding in result.findings],
        "season": asdict(inputs.season),
        "columns": {
            one.column: {
                "effect": one.effect,
                "missing": one.missing,
                "unknown": one.unknown,
                "changes": [str(change) for change in one.changes],
                "seasonal": [str(change) for change in one.seasonal],
            }
            for one in inputs.columns
        },
        "outcomes": None if outcomes is None else _outcomes(outcomes),
        "volume": None if volume is None else asdict(volume) | {"ratio": volume.ratio},
    }


def figures(summary: dict[str, Any]) -> dict[str, float]:
    """The numbers of a summary by name, for metadata and MLflow."""
    numbers = {"accidents": summary["accidents"], "drift_share": summary["drift_share"], "alarm": int(summary["alarm"])}
    numbers["findings"] = len(summary["findings"])
    if outcomes := summary["outcomes"]:
        numbers |= {name: outcomes[name] for name in ("observed", "predicted", "by_inputs", "ece")}
        numbers["by_label"] = outcomes["by_label"]["value"]
        if outcomes["roc_auc"]:
            numbers["roc_auc"] = outcomes["roc_auc"]["value"]
    if summary["volume"]:
        numbers["volume_ratio"] = summary["volume"]["ratio"]
    return {name: float(value) for name, value in numbers.items()}


def _outcomes(outcomes: OutcomeComparison) -> dict[str, Any]:
    return asdict(outcomes) | {
        "changes": [str(change) for change in outcomes.changes],
        "ece": outcomes.expected_calibration_error,
        "ece_by_chance": outcomes.calibration_error_by_chance,
    }
