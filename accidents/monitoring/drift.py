"""Drift of inputs and predictions: counts of a window against those of a reference, column by column.

A column has drifted where the difference is significant, after the correction for many columns, and at least as large
as the configured effect.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from accidents.bundle.reference import MISSING_BIN, UNKNOWN_BIN, Reference
from accidents.configuration.monitoring import MonitoringSettings
from accidents.monitoring.columns import HOUR, PROBABILITY
from accidents.monitoring.counts import Counts
from accidents.monitoring.season import (
    ANY_MONTH,
    Cells,
    Floats,
    by_hour_alone,
    by_month_alone,
    matched_shares,
    months_without_reference,
    seasonal_shares,
)
from accidents.monitoring.statistics import (
    NO_TEST,
    SampleTest,
    compare_new_values,
    compare_share,
    compare_shares,
    false_discovery_adjusted,
)

_RARE = 0.001
"""Share of the reference below which a value is new."""

_SHOWN_VALUES = 3


class Change(StrEnum):
    """What has changed."""

    DISTRIBUTION = "distribution"
    NEW_CODES = "new codes"
    MISSING = "missing"
    UNKNOWN = "unknown"
    PREDICTIONS = "predictions"
    CALIBRATION = "calibration"
    DEPARTMENTS = "departments"
    ROC_AUC = "roc_auc"
    VOLUME = "volume"


@dataclass(frozen=True)
class ValueShare:
    """A value of a column, and its share in the reference and in the window."""

    value: int
    reference: float
    window: float


@dataclass(frozen=True)
class ColumnComparison:
    """A column of a window against the reference.

    Attributes:
        column: its name.
        tests: effect and p-value by what may have changed.
        missing: shares of values not recorded, in the reference and in the window.
        unknown: shares of values not known to callers, likewise.
        values: those whose shares differ most.
        changes: what has changed, significantly and by enough.
        seasonal: changes that another year's seasons explain.
    """

    column: str
    tests: dict[Change, SampleTest]
    missing: tuple[float, float]
    unknown: tuple[float, float]
    values: tuple[ValueShare, ...]
    changes: tuple[Change, ...] = ()
    seasonal: tuple[Change, ...] = ()

    @property
    def effect(self) -> float:
        """The effect on the distribution, Cohen's w."""
        return self.tests[Change.DISTRIBUTION].effect


@dataclass(frozen=True)
class SeasonMatch:
    """Months of the window that the reference lacks (1 to 12), and the share of accidents in them.

    `unmatched` says that there is no reference of the season; where the share is large and other months have enough
    accidents, those of the missing months are left out instead. `profile` says whether another year's seasons were
    there to explain changes.
    """

    missing_months: tuple[int, ...] = ()
    share: float = 0.0
    unmatched: bool = False
    profile: bool = False


@dataclass(frozen=True)
class InputComparison:
    """All columns of a window against the reference."""

    columns: tuple[ColumnComparison, ...]
    predictions: ColumnComparison | None
    season: SeasonMatch = field(default_factory=SeasonMatch)

    @property
    def drifted(self) -> tuple[ColumnComparison, ...]:
        """Columns that have drifted, those with the largest effect first."""
        return tuple(sorted((one for one in self.columns if self.is_drift(one)), key=lambda one: -one.effect))

    @property
    def drift_share(self) -> float:
        """Share of the columns that have drifted."""
        return len(self.drifted) / max(len(self.columns), 1)

    def is_drift(self, column: ColumnComparison) -> bool:
        """Whether a column has changed in a way that the season does not leave open."""
        return any(self.is_certain(column, change) for change in column.changes)

    def is_certain(self, column: ColumnComparison, change: Change) -> bool:
        """Whether no season can be the reason of a change."""
        if not self.season.unmatched or change in {Change.MISSING, Change.UNKNOWN}:
            return True
        return change is Change.NEW_CODES and self.season.profile and change not in column.seasonal


def compare_inputs(
    window: Counts,
    columns: Sequence[str],
    reference: Reference,
    settings: MonitoringSettings,
    profile: Callable[[], Reference] | None = None,
) -> InputComparison:
    """Compare a window with the reference, matched by season and hour.

    Args:
        window: its counts.
        columns: names of the columns of `window`.
        reference: that of the model.
        settings: least effects, false discovery rate, season.
        profile: gives counts of another year, where the reference has none of the season.
    """
    months = reference.counts[0].sum(axis=(1, 2))[:ANY_MONTH].astype(float)
    accidents = window[0].sum(axis=2).astype(float)
    absent, share = months_without_reference(accidents, months, settings.season.accidents_of_month_at_least)
    unmatched = share > settings.season.unmatched_at_most
    if unmatched and (1 - share) * accidents.sum() >= settings.accidents_at_least:
        window, unmatched = window.copy(), False  # the others say enough
        window[:, [month - 1 for month in absent]] = 0
    compared = [name for name in columns if name in reference.columns]
    positions = {name: (columns.index(name), reference.columns.index(name)) for name in compared}

    def compare(name: str, other: Reference | None) -> ColumnComparison:
        own, theirs = positions[name]
        seasons = other.counts[other.columns.index(name)] if other and name in other.columns else None
        return _compare_column(name, window[own], reference, theirs, months if unmatched else None, seasons)

    results = _decide([compare(name, None) for name in compared], settings)
    season = SeasonMatch(tuple(absent), share, unmatched, unmatched and profile is not None)
    if unmatched and profile is not None:
        results = _explain(results, compare, profile(), settings)
    inputs = tuple(one for one in results if one.column != PROBABILITY)
    predictions = next((one for one in results if one.column == PROBABILITY), None)
    return InputComparison(inputs, predictions, season)


def _explain(
    results: Sequence[ColumnComparison],
    compare: Callable[[str, Reference | None], ColumnComparison],
    profile: Reference,
    settings: MonitoringSettings,
) -> list[ColumnComparison]:
    """Mark the changes that are gone once the seasons of another year are taken into account."""
    adjusted = _decide([compare(one.column, profile) for one in results], settings)
    return [
        replace(one, seasonal=tuple(change for change in one.changes if change not in other.changes))
        for one, other in zip(results, adjusted, strict=True)
    ]


def _compare_column(
    name: str,
    window: npt.NDArray[np.int64],
    reference: Reference,
    position: int,
    months: Floats | None,
    profile: npt.NDArray[np.int64] | None,
) -> ColumnComparison:
    """Compare one column; `months` are those of the reference where it lacks those of the window."""
    counts, design_effect = reference.counts[position], float(reference.design_effects[position])

    def expected(kept: Callable[[npt.NDArray[np.int64]], Floats]) -> tuple[Floats, float, Floats]:
        own = kept(window)
        cells: Cells = own.sum(axis=2)
        if name == HOUR:
            cells = by_month_alone(cells)
        if months is None:
            return *matched_shares(kept(counts), cells), own.sum(axis=(0, 1))
        if profile is None:
            return *matched_shares(kept(counts), by_hour_alone(cells)), own.sum(axis=(0, 1))
        return *seasonal_shares(kept(counts), kept(profile), cells, months), own.sum(axis=(0, 1))

    shares, size, values = expected(lambda all_counts: all_counts[:, :, :MISSING_BIN].astype(float))
    states, states_size, by_state = expected(_states)
    whole = counts[:, :, :MISSING_BIN].sum(axis=(0, 1))
    rows, rare = values.sum(), (shares < _RARE) & (whole < _RARE * whole.sum())
    tests = {
        Change.DISTRIBUTION: compare_shares(values, shares, size, design_effect),
        Change.NEW_CODES: compare_new_values(values, shares, size, rare, design_effect),
        Change.MISSING: compare_share(by_state[1], by_state.sum(), states[1], states_size, design_effect),
        Change.UNKNOWN: compare_share(by_state[2], by_state.sum(), states[2], states_size, design_effect),
    }
    if name == PROBABILITY:  # no value is new, and only held-out accidents have one
        tests |= dict.fromkeys((Change.NEW_CODES, Change.MISSING, Change.UNKNOWN), NO_TEST)
    observed = values / max(rows, 1)
    largest = np.argsort(-np.abs(observed - shares), kind="stable")[:_SHOWN_VALUES] if rows else ()
    total = max(by_state.sum(), 1)
    return ColumnComparison(
        name,
        tests,
        (float(states[1]), float(by_state[1] / total)),
        (float(states[2]), float(by_state[2] / total)),
        tuple(ValueShare(int(value), float(shares[value]), float(observed[value])) for value in largest),
    )


def _states(counts: npt.NDArray[np.int64]) -> Floats:
    """Counts of recorded, missing and unknown values."""
    recorded = counts[:, :, :MISSING_BIN].sum(axis=2)
    return np.stack([recorded, counts[:, :, MISSING_BIN], counts[:, :, UNKNOWN_BIN]], axis=2).astype(float)


def _decide(results: Sequence[ColumnComparison], settings: MonitoringSettings) -> list[ColumnComparison]:
    """Add to each column what has changed."""
    effects = settings.effects
    limits = {
        Change.DISTRIBUTION: effects.distribution,
        Change.NEW_CODES: effects.new_codes,
        Change.MISSING: effects.missing,
        Change.UNKNOWN: effects.unknown,
    }
    changes: list[list[Change]] = [[] for _ in results]
    for change, limit in limits.items():
        adjusted = false_discovery_adjusted([one.tests[change].p_value for one in results])
        for position, (one, value) in enumerate(zip(results, adjusted, strict=True)):
            least = effects.predictions if one.column == PROBABILITY else limit
            if value <= settings.false_discovery_rate and abs(one.tests[change].effect) >= least:
                changes[position].append(change)
    return [replace(one, changes=tuple(own)) for one, own in zip(results, changes, strict=True)]
