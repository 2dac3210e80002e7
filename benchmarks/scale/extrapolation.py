"""A model of time and memory, fitted to measured trainings.

Time is a constant and a part in proportion to the accidents, for the fits and for all else; memory likewise. On `c`
cores fits take `2 / (c efficiency)` of what they take on the two cores of the measurement, all else is as it was. On
`m` machines, reading, features and fits are divided by `m` times an efficiency; comparison and tracking are not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

GIB = 2**30
_MEASURED_CORES = 2
_OF_CORES, _OF_MACHINES = 0.7, 0.6  # efficiencies, assumed
_DIVIDED = ("ingest", "build_features")


def extrapolate(measured: Sequence[Mapping[str, Any]], accidents: int = 1_100_000) -> Iterator[dict[str, str]]:
    """Rows of a table: minutes and memory of so many accidents, on two and 16 cores and on ten machines of 16.

    Args:
        measured: of each training its `accidents`, `peak` in bytes, and `steps`: seconds and peak by name.
        accidents: to extrapolate to.
    """
    if len({one["accidents"] for one in measured}) < 2:
        return
    counts = [one["accidents"] for one in measured]
    fits = _line(counts, [_seconds(one, "train_") for one in measured], accidents)
    divided = _line(counts, [_seconds(one, *_DIVIDED) for one in measured], accidents)
    rest = _line(counts, [_seconds(one, "") for one in measured], accidents) - fits - divided
    memory, of_a_tenth = (_line(counts, [one["peak"] for one in measured], n) for n in (accidents, accidents // 10))
    on_16 = fits * _MEASURED_CORES / (16 * _OF_CORES)
    for name, seconds, size in (
        (f"{_MEASURED_CORES} cores", fits + divided + rest, memory),
        ("16 cores", on_16 + divided + rest, memory),
        ("10 machines of 16 cores", (on_16 + divided) / (10 * _OF_MACHINES) + rest, of_a_tenth),
    ):
        yield {
            "accidents": f"{accidents:,}",
            "on": name,
            "minutes": f"{seconds / 60:.0f}",
            "GiB a machine": f"{size / GIB:.1f}",
        }


def _line(counts: Sequence[int], values: Sequence[float], at: int) -> float:
    """Value at `at` of the least-squares line, whose slope is not negative."""
    slope, constant = np.polyfit(counts, values, 1)
    return float(constant + slope * at) if slope > 0 else float(np.mean(values))


def _seconds(one: Mapping[str, Any], *prefixes: str) -> float:
    return float(sum(seconds for name, (seconds, _) in one["steps"].items() if name.startswith(prefixes)))
