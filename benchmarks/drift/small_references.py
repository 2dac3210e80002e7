"""Alarms without drift where the reference is small, as in `/v1/evaluate`, whose callers give a reference of their own.

    python -m benchmarks.drift.small_references --windows 200 --seed 1

Reference and window are drawn from one synthetic year (20,000 accidents), without an accident in both. A window counts
where a column has drifted; the interval is that of Clopper and Pearson (95 %). A vehicle
that the year hardly has is in 3 % of the rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from accidents.configuration.monitoring import MonitoringSettings, SeasonSettings
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, Entity
from accidents.features.arrays import Arrays, to_arrays
from accidents.monitoring.drift import compare_inputs
from accidents.monitoring.reference import count_inputs
from benchmarks.common import argument_parser, print_markdown
from benchmarks.drift.effects import LEVEL
from benchmarks.drift.windows import synthetic_year

_REFERENCES, _WINDOWS = (100, 200, 300, 500, 1000, 3000), (300, 5000)
_SETTINGS = MonitoringSettings(season=SeasonSettings(accidents_of_month_at_least=1))
_CATV = COLUMN_POSITIONS[Entity.VEHICLES]["catv"]


def _rows(arrays: Arrays, windows: int, rng: np.random.Generator) -> Iterator[dict[str, str]]:
    kinds = ARRAY_COLUMNS[Entity.VEHICLES]["catv"].categories
    new = min(sorted(kinds), key=lambda kind: (arrays.vehicles[:, _CATV] == kind).sum())
    for size in _REFERENCES:
        row = {"reference": f"{size:,}"}
        for length in _WINDOWS:
            unchanged, changed = [], []
            for _ in range(windows):
                drawn = rng.permutation(len(arrays.accident))
                reference, window = arrays.take(np.sort(drawn[:size])), arrays.take(drawn[size : size + length])
                unchanged.append(_drifts(reference, window))
                changed.append(_drifts(reference, _with_vehicle(window, new, rng)))
            row[f"nothing, {length:,} accidents"] = _share(unchanged)
            row[f"new vehicle, {length:,}"] = _share(changed)
        yield row


def _drifts(reference: Arrays, window: Arrays) -> bool:
    counts, others = (count_inputs([one], LEVEL) for one in (window, reference))
    return bool(compare_inputs(counts.counts, counts.columns, others, _SETTINGS).drifted)


def _with_vehicle(window: Arrays, kind: int, rng: np.random.Generator) -> Arrays:
    vehicles = window.vehicles.copy()
    vehicles[rng.random(len(vehicles)) < 0.03, _CATV] = kind
    return replace(window, vehicles=vehicles)


def _share(results: Sequence[bool]) -> str:
    from scipy.stats import binomtest

    interval = binomtest(sum(results), len(results)).proportion_ci()
    return f"{np.mean(results):.1%} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def main() -> None:
    """Print the table."""
    parser = argument_parser(__doc__)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    arrays = to_arrays(synthetic_year(2024, options.seed))
    print_markdown(_rows(arrays, options.windows, np.random.default_rng(options.seed)))


if __name__ == "__main__":
    main()
