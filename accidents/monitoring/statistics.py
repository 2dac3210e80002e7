"""Two-sample tests on counts, with effect sizes and a correction for many tests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LEAST_EXPECTED = 5.0
"""Expected number in the smaller sample below which a value is too rare for the chi-squared distribution.

Such values are tested as one.
"""


@dataclass(frozen=True)
class SampleTest:
    """Result of a test: effect size and p-value."""

    effect: float
    p_value: float


NO_TEST = SampleTest(0.0, 1.0)
"""Result where there is too little to test."""


def compare_shares(window: Floats, expected: Floats, size: float, design_effect: float = 1.0) -> SampleTest:
    """Test whether counts have the shares of a reference, of which the uncertainty counts, too.

    The chi-squared test of two samples with the first-order correction of Rao and Scott (1984) for rows that belong
    together. Of the statistics of Pearson and of the likelihood ratio the smaller one counts: with few rows of a value
    the former is too large for an excess, the latter for a lack. The effect is Cohen's w without the part that chance
    alone is expected to give, 0 or more.

    Args:
        window: counts by value, float64 (k).
        expected: shares of the reference, float64 (k), which sum to 1.
        size: number of independent rows that would know these shares as well as the reference does.
        design_effect: variance of a share over that of independent rows.

    >>> compare_shares(np.array([50.0, 50.0]), np.array([0.5, 0.5]), 1000).effect
    0.0
    >>> compare_shares(np.array([90.0, 10.0]), np.array([0.5, 0.5]), 1000).effect > 0.5
    True
    """
    rows = window.sum()
    if rows <= 0 or size <= 0:
        return NO_TEST
    together, smaller = (window + size * expected) / (rows + size), min(rows, size)
    rare = smaller * together < _LEAST_EXPECTED
    counts, shares = window[~rare], expected[~rare]
    if smaller * together[rare].sum() >= _LEAST_EXPECTED:
        counts, shares = np.append(counts, window[rare].sum()), np.append(shares, expected[rare].sum())
    if len(shares) < 2 or counts.sum() <= 0:
        return NO_TEST
    from scipy.special import rel_entr
    from scipy.stats import chi2

    observed, shares, rows = counts / counts.sum(), shares / shares.sum(), counts.sum()
    pooled = (rows * observed + size * shares) / (rows + size)
    distance = float(((observed - shares) ** 2 / pooled).sum())
    unit, freedom = design_effect * (1 / rows + 1 / size), len(shares) - 1
    effect = np.sqrt(max(distance - freedom * unit, 0.0))
    likelihood_ratio = 2 * (rows * rel_entr(observed, pooled).sum() + size * rel_entr(shares, pooled).sum())
    statistic = min(distance / unit, likelihood_ratio / design_effect)
    return SampleTest(float(effect), float(chi2.sf(statistic, freedom)))


def compare_share(count: float, rows: float, expected: float, size: float, design_effect: float = 1.0) -> SampleTest:
    """Test whether a share is that of a reference, by a z-test; the effect is the difference of the shares.

    Args:
        count: rows of the window that have the value.
        rows: all rows of the window.
        expected: share in the reference.
        size: as in `compare_shares`.
        design_effect: as in `compare_shares`.
    """
    if rows <= 0 or size <= 0:
        return NO_TEST
    share = count / rows
    pooled = (count + expected * size + 0.5) / (rows + size + 1)
    error = np.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / size) * design_effect)
    return SampleTest(share - expected, normal_p_value((share - expected) / error))


def compare_new_values(
    window: Floats, expected: Floats, size: float, rare: npt.NDArray[np.bool_], design_effect: float = 1.0
) -> SampleTest:
    """Test whether values that a reference has hardly or not at all are more frequent in a window.

    If both were drawn from the same accidents, the number of rows of a value in each of them would be binomial. The
    p-value is the smallest one of the rare values, times the number of values (Bonferroni). So what a small reference
    lacks by chance is not new. The effect is the share of all rare values.

    Args:
        window: as in `compare_shares`.
        expected: as in `compare_shares`.
        size: as in `compare_shares`.
        rare: values of which the reference has hardly any or none, bool (k).
        design_effect: as in `compare_shares`.

    >>> shares, rare = np.array([1.0, 0.0]), np.array([False, True])
    >>> compare_new_values(np.array([97.0, 3.0]), shares, 10_000, rare).p_value < 0.001
    True
    >>> compare_new_values(np.array([97.0, 3.0]), shares, 50, rare).p_value < 0.001
    False
    """
    rows, new = window.sum(), rare & (window > 0)
    if rows <= 0 or size <= 0 or not new.any():
        return NO_TEST
    from scipy.special import betainc

    few = betainc(window[new] / design_effect, expected[new] * size / design_effect + 1, rows / (rows + size))
    values = np.count_nonzero((window > 0) | (expected > 0))
    return SampleTest(float(window[new].sum() / rows), float(min(values * few.min(), 1.0)))


def normal_p_value(score: float) -> float:
    """Two-sided p-value of a standard normal score.

    >>> round(normal_p_value(1.96), 3)
    0.05
    """
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(score)))


def false_discovery_adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of Benjamini and Hochberg (1995): rejecting those up to q keeps the false discovery rate at q.

    >>> false_discovery_adjusted([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.03]
    """
    if not p_values:
        return []
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(np.clip(p_values, 0, 1))]
