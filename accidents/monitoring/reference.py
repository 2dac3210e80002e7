"""Counts the training data of a model as its reference."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle.reference import BANDS, MONTHS, PROBABILITY_BINS, Reference
from accidents.features.arrays import Arrays, to_arrays
from accidents.monitoring.columns import departments, monitored_columns
from accidents.monitoring.counts import bin_accidents, design_effects
from accidents.tables import Accidents

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


def build_reference(accidents: Accidents, predictions: pd.DataFrame, level: str) -> Reference:
    """Count the accidents of a training.

    Args:
        accidents: of the training data.
        predictions: `TrainingResult.predictions`; those of the test set are the reference of probabilities.
        level: of the model.
    """
    test = predictions[predictions["subset"] == "test"].set_index("Num_Acc")
    ids = accidents.accidents["Num_Acc"]
    probability = ids.map(test["probability"]).to_numpy(np.float64)
    labels = ids.map(test["label"]).to_numpy(np.float64)
    return count_reference(to_arrays(accidents), probability, labels, level, days_of(accidents.accidents))


def train_with_reference(
    train: Callable[..., T], *arguments: Any, details: Accidents, level: str, **options: Any
) -> tuple[T, Reference]:
    """Train a model, and count its reference where the accidents are in memory already.

    Args:
        train: `accidents.training.train`, or a function like it.
        *arguments: its arguments.
        details: accidents of the training.
        level: of the model.
        **options: its other options.
    """
    trained: Any = train(*arguments, details=details, level=level, **options)
    return trained, build_reference(details, trained.predictions, level)


def season_profile(accidents: Accidents, level: str) -> Reference:
    """Counts of another year, whose seasons stand in for those that a reference lacks; without predictions."""
    none = np.full(len(accidents.accidents), np.nan)
    return count_reference(to_arrays(accidents), none, none, level, days_of(accidents.accidents))


def count_inputs(parts: Iterable[Arrays], level: str) -> Reference:
    """Count the inputs of accidents alone, part by part, so that memory is that of one part.

    Args:
        parts: the accidents, at least one.
        level: of the model.
    """
    columns = monitored_columns(level)
    counts, effects, accidents = np.zeros(1, np.int64), np.zeros(len(columns)), 0
    for arrays in parts:
        binned = bin_accidents(arrays, columns, None)
        counts = counts + binned.count()
        effects += len(binned) * design_effects(binned)
        accidents += len(binned)
    none = np.zeros((0, 5))
    return Reference(
        tuple(column.name for column in columns),
        counts,
        effects / accidents,
        calibration=np.zeros((PROBABILITY_BINS, 4)),
        departments=none,
        volume=np.zeros((MONTHS - 1, 3)),
        roc_auc=np.array(roc_auc(none, none)),
    )


def count_reference(
    arrays: Arrays, probability: Floats, labels: Floats, level: str, days: npt.NDArray[np.int64]
) -> Reference:
    """Count accidents.

    Args:
        arrays: the accidents.
        probability: of each, float64 (n), NaN where the model has learned from it.
        labels: of each, float64 (n), NaN where it is not to be compared.
        level: of the model.
        days: day of each, in days since 1970, int64 (n), -1 where it is missing.
    """
    coded = bin_accidents(arrays, monitored_columns(level), probability)
    outcome = np.isfinite(probability) & np.isfinite(labels)
    p, y = probability[outcome], labels[outcome]
    sums = np.column_stack([np.ones_like(p), p, p * (1 - p), y])
    bins = np.clip((p * PROBABILITY_BINS).astype(np.int64), 0, PROBABILITY_BINS - 1)
    own = departments(arrays)[outcome]
    present = np.unique(own)
    return Reference(
        columns=coded.columns,
        counts=coded.count(),
        design_effects=design_effects(coded),
        calibration=sum_by(bins, sums, PROBABILITY_BINS),
        departments=np.column_stack([present, sum_by(np.searchsorted(present, own), sums, len(present))]),
        volume=daily_volume(days),
        roc_auc=np.array(roc_auc(y, p)),
    )


def reference_table(reference: Reference) -> pd.DataFrame:
    """The counts as a table for people: column, month and band of hours (0: not recorded), value, and rows."""
    column, month, band, value = np.nonzero(reference.counts)
    return pd.DataFrame(
        {
            "column": np.array(reference.columns, dtype=object)[column],
            "month": (month + 1) % MONTHS,
            "hours": (band + 1) % BANDS,
            "value": value,
            "rows": reference.counts[column, month, band, value],
        }
    )


def days_of(accidents: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Day of each accident in days since 1970, int64 (n), -1 where the date is missing."""
    parts = {"year": accidents["an"], "month": accidents["mois"], "day": accidents["jour"]}
    dates = pd.to_datetime(pd.DataFrame(parts), errors="coerce").to_numpy("datetime64[D]")
    return np.where(np.isnat(dates), -1, dates.astype(np.int64))


def sum_by(groups: npt.NDArray[np.int64], values: Floats, count: int) -> Floats:
    """Sums of the columns of `values` by group, float64 (count, columns)."""
    columns = [np.bincount(groups, weights=column, minlength=count) for column in values.T]
    return np.column_stack(columns) if len(groups) else np.zeros((count, values.shape[1]))


def roc_auc(labels: Floats, probability: Floats) -> tuple[float, float]:
    """ROC-AUC and its standard error by DeLong, DeLong and Clarke-Pearson (1988); 0.5 and 0.5 without both classes."""
    from scipy.stats import rankdata

    positive, negative = probability[labels == 1], probability[labels == 0]
    m, n = len(positive), len(negative)
    if min(m, n) < 2:
        return 0.5, 0.5
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - rankdata(positive)) / n
    below = 1 - (ranks[m:] - rankdata(negative)) / m
    return float(above.mean()), float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))


def daily_volume(days: npt.NDArray[np.int64]) -> Floats:
    """Volume of a `Reference`; a month that has any accident counts with all its days.

    Args:
        days: of the accidents in days since 1970, int64 (n), negative where it is missing.
    """
    volume = np.zeros((MONTHS - 1, 3))
    number, counts = np.unique(days[days >= 0], return_counts=True)
    months = number.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    for month in np.unique(months):
        first, after = (np.datetime64(int(one), "M").astype("datetime64[D]") for one in (month, month + 1))
        every = np.zeros(int((after - first).astype(int)))
        own = months == month
        every[number[own] - first.astype(np.int64)] = counts[own]
        volume[month % 12, :2] += every.sum(), len(every)
        volume[month % 12, 2] = max(volume[month % 12, 2], every.var(ddof=1) / every.mean())
    return volume
