"""Number of accidents a day, against that of the same months before. A change is reported; it is no drift."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.configuration.monitoring import MonitoringSettings
from accidents.monitoring.statistics import normal_p_value

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VolumeComparison:
    """Accidents of a window, days that it covers, the number expected in them, and whether the ratio has changed."""

    accidents: int
    days: int
    expected: float
    changed: bool

    @property
    def ratio(self) -> float:
        """Accidents over those expected."""
        return self.accidents / self.expected


def compare_volume(
    days: npt.NDArray[np.int64], reference: Floats, settings: MonitoringSettings
) -> VolumeComparison | None:
    """Compare the number of accidents between the first and the last day.

    Args:
        days: of the accidents in days since 1970, int64 (n), negative where it is missing.
        reference: `volume` of a `Reference`, or `daily_volume` of an earlier time.
        settings: least effect, false discovery rate.

    Returns:
        None without days, or where the reference lacks a month of them.
    """
    valid = days[days >= 0]
    if not len(valid):
        return None
    period = np.arange(valid.min(), valid.max() + 1)
    months = period.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    if np.any(reference[months, 1] == 0):
        return None
    rates = reference[:, 0] / np.maximum(reference[:, 1], 1)
    expected = float(rates[months].sum())
    dispersion = max(float(reference[months, 2].max()), 1.0)
    of_month = np.bincount(months, minlength=12) / np.maximum(reference[:, 1], 1)
    variance = dispersion * (expected + float((of_month**2 * reference[:, 0]).sum()))
    ratio, score = len(valid) / expected, (len(valid) - expected) / np.sqrt(variance)
    significant = normal_p_value(float(score)) <= settings.false_discovery_rate
    return VolumeComparison(
        len(valid), len(period), expected, bool(significant and abs(ratio - 1) >= settings.effects.volume)
    )
