"""Metrics by the values of a BAAC column, such as department, road category, light or month."""

import calendar
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.columns import MISSING, TABLES, Column
from accidents.configuration.evaluation import EvaluationSettings
from accidents.errors import DataError
from accidents.evaluation.bootstrap import bootstrap_metrics, confidence_interval
from accidents.evaluation.metrics import Floats, group_scores
from accidents.evaluation.results import GroupMetrics

DEPARTMENT = "dep"
"""BAAC column of the department."""

OTHERS = "others"
"""Value of the group into which all groups are merged that are too small to be measured."""


def evaluate_groups(
    labels: npt.NDArray[np.int8],
    probabilities: Floats,
    threshold: float,
    values: "pd.Series[int] | pd.Series[str]",
    settings: EvaluationSettings,
) -> tuple[GroupMetrics, ...]:
    """Evaluate a model by the values of a column.

    Args:
        labels: int8 (n), 1 priority, 0 not.
        probabilities: of priority, float64 (n).
        threshold: probability from which on an accident is predicted priority.
        values: a BAAC column under its published name, n rows in the same order.
        settings: smallest group, resamples, confidence, seed.

    Returns:
        The groups in the order of their values; those with too few accidents are merged into the last one.

    Raises:
        DataError: the lengths differ, or no table has a column of that name.
    """
    if len(values) != len(labels):
        raise DataError(f"the groups '{values.name}' have {len(values)} rows, the labels {len(labels)}")
    filled = values.astype(object).where(values.notna(), MISSING).to_numpy()
    codes, present = pd.factorize(filled, sort=False)
    small = np.bincount(codes) < settings.smallest_group
    large = [code for code in range(len(present)) if not small[code]]
    large.sort(key=lambda code: (present[code] != MISSING, present[code]))
    members = {(str(present[code]), value_name(str(values.name), present[code])): codes == code for code in large}
    if small.any():
        members[OTHERS, f"{small.sum()} smaller group{'s' if small.sum() > 1 else ''}"] = small[codes]
    return tuple(
        GroupMetrics(value=value, name=name, **_metrics(labels[rows], probabilities[rows], threshold, settings))
        for (value, name), rows in members.items()
    )


def value_name(column: str, value: object) -> str:
    """Return the name of a value of a BAAC column for users: the meaning of a code, the name of a month."""
    if value == MISSING:
        return "not recorded"
    if column == "mois":
        return calendar.month_name[int(str(value))]
    codes = find_column(column).codes
    return codes.get(int(value), str(value)) if isinstance(value, int | np.integer) else str(value)


def find_column(name: str) -> Column:
    """Return the specification of a BAAC column, from the first table that has it.

    Raises:
        DataError: no table has it.
    """
    column = next((columns[name] for columns in TABLES.values() if name in columns), None)
    if column is None:
        raise DataError(f"metrics by '{name}' cannot be shown: no table has a column of that name")
    return column


def _metrics(
    labels: npt.NDArray[np.int8], probabilities: Floats, threshold: float, settings: EvaluationSettings
) -> dict[str, Any]:
    """Compute the fields of `GroupMetrics` by name."""
    scores = group_scores(labels, probabilities)
    bins = settings.calibration_bins
    metrics = scores.metrics(threshold, bins)
    resampled = bootstrap_metrics(scores, threshold, bins=bins, resamples=settings.group_resamples, seed=settings.seed)
    result: dict[str, Any] = {"n": len(labels), "mean_probability": float(probabilities.mean())}
    for name in ("prevalence", "roc_auc", "f1"):
        value = float(metrics[name][0])
        result[name] = value if np.isfinite(value) else None
        result[f"{name}_interval"] = confidence_interval(value, resampled[name], settings.confidence)
    return result
