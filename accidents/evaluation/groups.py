"""Metrics by department, road category, light and month: the same model looked at where it is used."""

import calendar
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.columns import MISSING, TABLES, Column
from accidents.configuration.evaluation import EvaluationSettings
from accidents.errors import DataError
from accidents.evaluation.bootstrap import interval, resample
from accidents.evaluation.metrics import Floats, measure, scores
from accidents.evaluation.results import Group

OTHERS = "others"
"""Value of the group that holds the accidents of all groups too small to be measured."""


def by_group(
    labels: npt.NDArray[np.int8],
    probabilities: Floats,
    threshold: float,
    values: "pd.Series[int] | pd.Series[str]",
    settings: EvaluationSettings,
) -> tuple[Group, ...]:
    """Measure the accidents of each value; those of values with too few accidents are put together as the last group.

    Args:
        labels: int8 (n), 0 or 1.
        probabilities: float64 (n).
        threshold: from which probability on the prediction is 1.
        values: column of the accidents, in the same order; its name is that of a published column.
        settings: smallest group, resamples, confidence, seed.

    Raises:
        DataError: there is not one value an accident.
    """
    if len(values) != len(labels):
        raise DataError(f"the groups '{values.name}' have {len(values)} rows, the labels {len(labels)}")
    named = values.astype(object).where(values.notna(), MISSING).to_numpy()
    codes, present = pd.factorize(named, sort=False)
    small = np.bincount(codes) < settings.smallest_group
    large = [code for code in range(len(present)) if not small[code]]
    large.sort(key=lambda code: (present[code] != MISSING, present[code]))
    rows = {(str(present[code]), words(str(values.name), present[code])): codes == code for code in large}
    if small.any():
        rows[OTHERS, f"{small.sum()} smaller group{'s' if small.sum() > 1 else ''}"] = small[codes]
    return tuple(
        Group(value=value, words=text, **_measured(labels[chosen], probabilities[chosen], threshold, settings))
        for (value, text), chosen in rows.items()
    )


def words(column: str, value: object) -> str:
    """A value of a published column as users read it: the meaning of a code, the name of a month."""
    if value == MISSING:
        return "not recorded"
    if column == "mois":
        return calendar.month_name[int(str(value))]
    return column_of(column).codes.get(int(value), str(value)) if isinstance(value, int | np.integer) else str(value)


def column_of(name: str) -> Column:
    """The specification of a published column of `caracteristiques` or `lieux`, or of any other table.

    Raises:
        DataError: no table has it.
    """
    found = next((columns[name] for columns in TABLES.values() if name in columns), None)
    if found is None:
        raise DataError(f"metrics by '{name}' cannot be shown: no table has a column of that name")
    return found


def _measured(
    labels: npt.NDArray[np.int8], probabilities: Floats, threshold: float, settings: EvaluationSettings
) -> dict[str, Any]:
    """The fields of `Group` that are computed."""
    scored = scores(labels, probabilities)
    bins = settings.calibration_bins
    measured = measure(scored.distinct, scored.counts(), threshold, bins)
    resampled = resample(scored, threshold, bins=bins, resamples=settings.group_resamples, seed=settings.seed)
    figures = {name: float(measured[name][0]) for name in ("prevalence", "roc_auc", "f1")}
    return {
        "n": len(labels),
        "mean_probability": float(probabilities.mean()),
        **{name: figure if np.isfinite(figure) else None for name, figure in figures.items()},
        **{
            f"{name}_interval": interval(figure, resampled[name], settings.confidence)
            for name, figure in figures.items()
        },
    }
