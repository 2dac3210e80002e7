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
    together. The effect is Cohen's w without the part that chance alone is expected to give, 0 or more.

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
    from scipy.stats import chi2

    observed, shares, rows = counts / counts.sum(), shares / shares.sum(), counts.sum()
    pooled = (rows * observed + size * shares) / (rows + size)
    distance = float(((observed - shares) ** 2 / pooled).sum())
    unit, freedom = design_effect * (1 / rows + 1 / size), len(shares) - 1
    effect = np.sqrt(max(distance - freedom * unit, 0.0))
    return SampleTest(float(effect), float(chi2.sf(distance / unit, freedom)))


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
    count: float, rows: float, expected: float, size: float, unseen: float, design_effect: float = 1.0
) -> SampleTest:
    """Test whether values that the reference has hardly or not at all are more frequent, by a one-sided binomial test.

    Arguments are those of `compare_share`; the effect is the share of these values. `unseen` is the share of values
    that the reference lacks by chance: that of the values which it has once (Good, 1953).

    >>> compare_new_values(20, 100, 0.0, 1000, unseen=0.0).p_value < 0.001
    True
    >>> compare_new_values(20, 100, 0.0, 1000, unseen=0.2).p_value < 0.001
    False
    """
    if rows <= 0 or size <= 0:
        return NO_TEST
    from scipy.stats import binom

    expected += unseen
    highest = min(expected + 3 * np.sqrt(expected / size) + 3 / size, 1.0)  # the reference may have met few by chance
    found, independent = np.floor(count / design_effect), np.ceil(rows / design_effect)
    return SampleTest(count / rows, float(binom.sf(found - 1, independent, highest)))


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
