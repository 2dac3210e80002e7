"""Performance where outcomes are known: calibration, departments and ROC-AUC against those of the test set.

The probability of an accident follows from its inputs. So the mean probability says how inputs alone have changed the
share of priority accidents; what is left is a change of the label: other outcomes of like accidents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.bundle.reference import PROBABILITY_BINS, Reference
from accidents.configuration.monitoring import MonitoringSettings
from accidents.monitoring.drift import Change
from accidents.monitoring.reference import roc_auc, sum_by
from accidents.monitoring.statistics import false_discovery_adjusted, normal_p_value

Floats = npt.NDArray[np.float64]

_LEAST_OF_CLASS = 10
_LEAST_VARIANCE = 4.0
"""Expected variance of the number of priority accidents from which on a department is judged."""

_PRIOR_ACCIDENTS = 100
"""Accidents by which the calibration of a department in the test set is shrunk to that of all."""


@dataclass(frozen=True)
class Estimate:
    """A value with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DepartmentOutcome:
    """A department: its position, accidents, share of priority and mean probability, and difference of the two.

    The difference is that beyond the test set, and `p_value` is adjusted for the number of departments.
    """

    department: int
    accidents: int
    observed: float
    predicted: float
    difference: float
    p_value: float


@dataclass(frozen=True)
class OutcomeComparison:
    """Outcomes of a window against the probabilities, and both against the test set.

    Attributes:
        accidents: with outcome and probability.
        observed: share of priority accidents.
        predicted: mean probability.
        reference_observed: share of priority accidents of the test set.
        by_inputs: part of the difference of these two shares that changed inputs explain.
        by_label: the rest, with its interval: a change of the label, or of the model's calibration.
        roc_auc: on the window; None with too few accidents of a class.
        reference_roc_auc: on the test set.
        departments: those that are judged, by position.
        calibration: by bin of the probability with accidents: accidents, mean probability, share of priority.
        changes: what has changed.
    """

    accidents: int
    observed: float
    predicted: float
    reference_observed: float
    by_inputs: float
    by_label: Estimate
    roc_auc: Estimate | None
    reference_roc_auc: Estimate
    departments: tuple[DepartmentOutcome, ...]
    calibration: tuple[tuple[int, float, float], ...]
    changes: tuple[Change, ...]

    @property
    def label_changed(self) -> bool:
        """Whether like accidents have other outcomes than before."""
        return bool({Change.CALIBRATION, Change.DEPARTMENTS} & {*self.changes})

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of observed and predicted share over the bins."""
        return float(sum(n * abs(p - y) for n, p, y in self.calibration) / max(self.accidents, 1))

    @property
    def calibration_error_by_chance(self) -> float:
        """What that distance is expected to be if every probability is right: the fewer accidents, the larger."""
        return float(sum(np.sqrt(2 / np.pi * n * p * (1 - p)) for n, p, _ in self.calibration) / max(self.accidents, 1))


def compare_outcomes(
    probability: Floats,
    labels: Floats,
    departments: npt.NDArray[np.int64],
    reference: Reference,
    settings: MonitoringSettings,
) -> OutcomeComparison | None:
    """Compare outcomes with probabilities.

    Args:
        probability: of each accident, float64 (n), NaN where there is none.
        labels: 1, 0, or NaN where the outcome is not known, float64 (n).
        departments: positions as of `columns.departments`, int64 (n).
        reference: that of the model.
        settings: least effects, false discovery rate, confidence, least number of accidents.

    Returns:
        None where too few outcomes are known, or the reference has none.
    """
    known = np.isfinite(probability) & np.isfinite(labels)
    p, y, own = probability[known], labels[known], departments[known]
    test = reference.calibration.sum(axis=0)
    if len(p) < settings.accidents_at_least or test[0] < settings.accidents_at_least:
        return None
    sums = np.column_stack([np.ones_like(p), p, p * (1 - p), y])
    total, effects = sums.sum(axis=0), settings.effects
    observed, predicted = total[3] / total[0], total[1] / total[0]
    reference_observed, reference_predicted = test[3] / test[0], test[1] / test[0]
    by_label = (observed - predicted) - (reference_observed - reference_predicted)
    error = float(np.sqrt(total[2] / total[0] ** 2 + test[2] / test[0] ** 2))
    score = _quantile(settings.confidence)
    by_department = _departments(own, sums, reference)
    auc = _roc_auc(y, p, score)
    reference_auc = _estimate(float(reference.roc_auc[0]), float(reference.roc_auc[1]), score)
    changes = []
    if abs(by_label) >= effects.calibration and normal_p_value(by_label / error) <= settings.false_discovery_rate:
        changes.append(Change.CALIBRATION)
    rate = settings.false_discovery_rate
    if any(one.p_value <= rate and abs(one.difference) >= effects.departments for one in by_department):
        changes.append(Change.DEPARTMENTS)
    if auc is not None and _has_fallen(auc, reference, effects.roc_auc, settings):
        changes.append(Change.ROC_AUC)
    bins = sum_by(np.clip((p * PROBABILITY_BINS).astype(np.int64), 0, PROBABILITY_BINS - 1), sums, PROBABILITY_BINS)
    return OutcomeComparison(
        accidents=len(p),
        observed=float(observed),
        predicted=float(predicted),
        reference_observed=float(reference_observed),
        by_inputs=float(predicted - reference_predicted),
        by_label=_estimate(float(by_label), error, score),
        roc_auc=auc,
        reference_roc_auc=reference_auc,
        departments=by_department,
        calibration=tuple((int(n), float(s / n), float(o / n)) for n, s, _, o in bins if n),
        changes=tuple(changes),
    )


def _departments(own: npt.NDArray[np.int64], sums: Floats, reference: Reference) -> tuple[DepartmentOutcome, ...]:
    """Departments with enough accidents, each against its own calibration in the test set.

    The usual difference of a department is the posterior mean of a normal model, in which it varies around that of all
    as the mean of `_PRIOR_ACCIDENTS` of its accidents does; the posterior variance counts, too.
    """
    count = int(max(own.max(initial=-1), reference.departments[:, 0].max(initial=-1))) + 1
    window = sum_by(own[own >= 0], sums[own >= 0], count)
    test = np.zeros((count, 4))
    known = reference.departments[:, 0] >= 0
    test[reference.departments[known, 0].astype(np.intp)] = reference.departments[known, 1:]
    tested, all_predicted, _, all_observed = reference.calibration.sum(axis=0)
    offset = (all_observed - all_predicted) / tested
    weight = test[:, 0] / (test[:, 0] + _PRIOR_ACCIDENTS)
    usual = offset + weight * ((test[:, 3] - test[:, 1]) / np.maximum(test[:, 0], 1) - offset)
    chosen = np.flatnonzero(window[:, 2] >= _LEAST_VARIANCE)
    if not len(chosen):
        return ()
    n, predicted, own_variance, observed = window[chosen].T
    difference = (observed - predicted) / n - usual[chosen]
    errors = np.sqrt(own_variance / n * (1 / n + 1 / (test[chosen, 0] + _PRIOR_ACCIDENTS)))
    adjusted = false_discovery_adjusted([normal_p_value(score) for score in difference / errors])
    columns: Sequence[npt.NDArray[np.float64]] = (n, observed / n, predicted / n, difference)
    return tuple(
        DepartmentOutcome(int(at), int(number), float(rate), float(mean), float(change), p_value)
        for at, number, rate, mean, change, p_value in zip(chosen, *columns, adjusted, strict=True)
    )


def _has_fallen(auc: Estimate, reference: Reference, least: float, settings: MonitoringSettings) -> bool:
    """Whether it is lower, were the test set as lucky as chance allows: its error is the same in every window."""
    before, error = (float(value) for value in reference.roc_auc)
    own_error = (auc.high - auc.low) / (2 * _quantile(settings.confidence))
    fall = before - auc.value
    return fall >= least and normal_p_value(fall / (error + own_error)) <= settings.false_discovery_rate


def _roc_auc(labels: Floats, probability: Floats, score: float) -> Estimate | None:
    positive = int(labels.sum())
    if min(positive, len(labels) - positive) < _LEAST_OF_CLASS:
        return None
    return _estimate(*roc_auc(labels, probability), score)


def _estimate(value: float, error: float, score: float) -> Estimate:
    return Estimate(float(value), float(value - score * error), float(value + score * error))


def _quantile(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))
