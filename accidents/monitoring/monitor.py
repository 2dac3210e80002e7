"""One look at a window of accidents: inputs, predictions, outcomes and volume against the reference of a model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.bundle.reference import Reference
from accidents.configuration.monitoring import MonitoringSettings
from accidents.errors import DataError
from accidents.features.arrays import Arrays
from accidents.geography.departments import department_codes
from accidents.monitoring.columns import PROBABILITY, MonitoredColumn, departments, monitored_columns
from accidents.monitoring.counts import bin_accidents
from accidents.monitoring.drift import Change, ColumnComparison, InputComparison, compare_inputs
from accidents.monitoring.performance import OutcomeComparison, compare_outcomes
from accidents.monitoring.volume import VolumeComparison, compare_volume

Floats = npt.NDArray[np.float64]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Window:
    """Accidents to compare.

    Attributes:
        arrays: the accidents.
        probability: predicted for each, float64 (n), NaN where there is none of this model.
        labels: 1, 0, or NaN where the outcome is not known, float64 (n).
        days: day of each accident in days since 1970, int64 (n), negative where it is not known.
        volume: accidents a day before, as `Reference.volume`; None: those of the reference.
    """

    arrays: Arrays
    probability: Floats
    labels: Floats
    days: npt.NDArray[np.int64]
    volume: Floats | None = None


@dataclass(frozen=True)
class Finding:
    """Something that has changed.

    Attributes:
        change: what.
        subject: column, or empty.
        text: a sentence for people.
        alarm: whether it calls for somebody; what a season may explain and the volume do not.
    """

    change: Change
    subject: str
    text: str
    alarm: bool


@dataclass(frozen=True)
class MonitoringResult:
    """Everything that a window shows.

    Attributes:
        accidents: number of accidents.
        reference_accidents: number of those of the reference.
        inputs: columns, predictions, season.
        outcomes: None where too few are known.
        volume: None where it cannot be compared.
        findings: those that call for somebody first.
    """

    accidents: int
    reference_accidents: int
    inputs: InputComparison
    outcomes: OutcomeComparison | None
    volume: VolumeComparison | None
    findings: tuple[Finding, ...]

    @property
    def alarm(self) -> bool:
        """Whether a finding calls for somebody."""
        return any(finding.alarm for finding in self.findings)

    @property
    def inputs_changed(self) -> bool:
        """Whether a column has drifted."""
        return bool(self.inputs.drifted)

    @property
    def label_changed(self) -> bool:
        """Whether like accidents have other outcomes than before."""
        return self.outcomes is not None and self.outcomes.label_changed

    @property
    def verdict(self) -> str:
        """What has changed, in a sentence."""
        season = self.inputs.season
        what = [
            name
            for name, changed in (("the inputs", self.inputs_changed), ("the label", self.label_changed))
            if changed
        ]
        if what:
            text = f"{' and '.join(what).capitalize()} {'have' if self.inputs_changed else 'has'} changed"
        elif self.alarm:
            text = "Predictions or performance have changed; inputs and label have not been found to"
        else:
            text = "Nothing has changed that calls for somebody"
        months = ", ".join(_MONTHS[month - 1] for month in season.missing_months)
        return text + (f"; the reference has no accidents of this season ({months})" if season.unmatched else "") + "."


def monitor(
    window: Window,
    reference: Reference,
    level: str,
    settings: MonitoringSettings,
    profile: Callable[[], Reference] | None = None,
) -> MonitoringResult:
    """Compare a window with the reference of a model.

    Args:
        window: the accidents.
        reference: that of the model.
        level: of the model.
        settings: least effects, false discovery rate, season.
        profile: gives counts of another year, if the reference has none of the season.

    Raises:
        DataError: too few accidents.
    """
    count = len(window.probability)
    if count < settings.accidents_at_least:
        raise DataError(
            f"{count:,} accidents are too few to compare with {reference.accidents:,}; {settings.accidents_at_least:,} "
            "are needed (accidents_at_least in configs/monitoring.yaml): wait for more, or take a longer time"
        )
    columns = monitored_columns(level)
    coded = bin_accidents(window.arrays, columns, window.probability)
    inputs = compare_inputs(coded.count(), coded.columns, reference, settings, profile)
    own = departments(window.arrays)
    outcomes = compare_outcomes(window.probability, window.labels, own, reference, settings)
    volume = compare_volume(window.days, reference.volume if window.volume is None else window.volume, settings)
    findings = [
        *_input_findings(inputs, columns),
        *(_outcome_findings(outcomes) if outcomes else ()),
        *(_volume_findings(volume) if volume else ()),
    ]
    findings.sort(key=lambda finding: not finding.alarm)
    return MonitoringResult(count, reference.accidents, inputs, outcomes, volume, tuple(findings))


def _input_findings(inputs: InputComparison, columns: tuple[MonitoredColumn, ...]) -> Iterator[Finding]:
    by_name = {column.name: column for column in columns}
    for one in sorted(inputs.columns, key=lambda one: -one.effect):
        for change in one.changes:
            certain = inputs.is_certain(one, change)
            text = _describe(one, change, by_name[one.column]) + _season(one, change, inputs)
            yield Finding(change, one.column, text, certain)
    if inputs.predictions and Change.DISTRIBUTION in inputs.predictions.changes:
        text = f"predicted probabilities are distributed differently (w {inputs.predictions.effect:.2f})"
        explained = _season(inputs.predictions, Change.DISTRIBUTION, inputs)
        yield Finding(Change.PREDICTIONS, PROBABILITY, text + explained, not inputs.season.unmatched)


def _season(column: ColumnComparison, change: Change, inputs: InputComparison) -> str:
    if change in column.seasonal:
        return "; another year's seasons explain it"
    if inputs.is_certain(column, change):
        return ""
    return "; no reference of this season" + ("; another year's seasons do not explain it" * inputs.season.profile)


def _describe(one: ColumnComparison, change: Change, column: MonitoredColumn) -> str:
    if change in {Change.MISSING, Change.UNKNOWN}:
        before, now = one.missing if change is Change.MISSING else one.unknown
        what = "not recorded" if change is Change.MISSING else "not known to callers"
        return f"{column.description}: {now:.1%} of the values are {what}, {before:.1%} before"
    if change is Change.NEW_CODES:
        test = one.tests[change]
        return f"{column.description}: {test.effect:.1%} of the values have codes that are new or were very rare"
    values = ", ".join(
        f"{column.describe(value.value)} {value.window:.1%} after {value.reference:.1%}" for value in one.values
    )
    return f"{column.description}: other values (w {one.effect:.2f}): {values}"


def _outcome_findings(outcomes: OutcomeComparison) -> Iterator[Finding]:
    if Change.CALIBRATION in outcomes.changes:
        label = outcomes.by_label
        text = (
            f"like accidents are priority more or less often than before: {outcomes.observed:.1%} observed, "
            f"{outcomes.predicted:.1%} predicted, a change of the label of {label.value:+.1%} "
            f"({label.low:+.1%} to {label.high:+.1%}); inputs explain {outcomes.by_inputs:+.1%}"
        )
        yield Finding(Change.CALIBRATION, "", text, alarm=True)
    if Change.DEPARTMENTS in outcomes.changes:
        codes = department_codes()
        worst = sorted(outcomes.departments, key=lambda one: one.p_value)[:5]
        shown = ", ".join(
            f"{codes[one.department]} {one.observed:.0%} observed, {one.predicted:.0%} predicted" for one in worst
        )
        yield Finding(Change.DEPARTMENTS, "accident.dep", f"the label has changed by department: {shown}", alarm=True)
    if Change.ROC_AUC in outcomes.changes and outcomes.roc_auc:
        now, before = outcomes.roc_auc, outcomes.reference_roc_auc
        text = f"ROC-AUC {now.value:.3f} ({now.low:.3f} to {now.high:.3f}) after {before.value:.3f} on the test set"
        yield Finding(Change.ROC_AUC, "", text, alarm=True)


def _volume_findings(volume: VolumeComparison) -> Iterator[Finding]:
    if volume.changed:
        text = (
            f"{volume.accidents:,} accidents in {volume.days} days, {volume.ratio:.0%} of the {volume.expected:,.0f} "
            "expected: more or less traffic, or accidents that are not sent"
        )
        yield Finding(Change.VOLUME, "", text, alarm=False)
