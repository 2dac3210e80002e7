"""Power and false alarms of monitoring: windows with effects fixed beforehand, and windows without any.

    python -m benchmarks.drift --windows 200 --seed 1
    python -m benchmarks.drift --windows 200 --seed 1 --source path/to/baac/2024
    python -m benchmarks.drift --source path/to/baac/2024 --other path/to/baac/2017
    python -m benchmarks.drift --years 2021-2025

Synthetic: five LightGBM models of 2024 (20,000 accidents each) against the seasons of years as large, 2021 to 2025, of
which each group of four windows has one of its own. Real: half of the accidents of a source for the model, and windows
of consecutive accidents of the other half, over five splits. Smaller windows are drawn from the same accidents. What is
predicted is that of the unchanged accidents. With --results FILE each group is a line of that file, and another call
goes on with those that it lacks. The interval is that of Clopper and Pearson (95 %).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from accidents.configuration.loading import load_configuration
from accidents.configuration.monitoring import MonitoringSettings, RetrainingSettings
from accidents.monitoring.monitor import MonitoringResult, Window, monitor
from accidents.monitoring.reference import season_profile
from accidents.monitoring.retraining import decide_retraining
from accidents.monitoring.summary import summarise
from benchmarks.common import argument_parser, load_accidents, print_markdown
from benchmarks.drift.effects import EFFECTS, LEVEL, changes, take
from benchmarks.drift.windows import (
    SIZE,
    Group,
    compared,
    fit_model,
    part,
    real_groups,
    synthetic_groups,
    synthetic_year,
)

_SIZES = (SIZE, 1000, 200)
_WINDOWS_AT_LEAST = 5  # one a season, or one a split


def measure(
    groups: Sequence[Callable[[], Group]], name: str, seed: int, settings: MonitoringSettings, results: Path | None
) -> list[dict[str, Any]]:
    """Windows, and in how many of them each effect was found, by group."""
    lines = results.read_text().splitlines() if results and results.is_file() else []
    known = [line for line in map(json.loads, lines) if (line["source"], line["seed"]) == (name, seed)]
    for number, group in enumerate(groups):
        if any(line["group"] == number for line in known):
            continue
        known.append({"source": name, "seed": seed, "group": number, **_found(group(), settings, [seed, number])})
        if results:
            with results.open("a") as file:
                file.write(json.dumps(known[-1]) + "\n")
    return known


def _found(group: Group, settings: MonitoringSettings, seed: list[int]) -> dict[str, Any]:
    found: dict[str, dict[int, int]] = {name: dict.fromkeys(_SIZES, 0) for name in EFFECTS}
    rng = np.random.default_rng(seed)
    for rows in group.rows:
        for size in _SIZES:
            window = _smaller(take(group.accidents, rows), size, rng)
            volume = group.reference.volume * [len(window.days) / len(rows), 1, 1]
            for name, (effect, sought) in EFFECTS.items():
                changed = replace(effect(window, group.reference, rng), volume=volume)
                result = monitor(changed, group.reference, LEVEL, settings)
                found[name][size] += bool(changes(result) & sought)
    return {"windows": len(group.rows), "found": found}


def _smaller(window: Window, size: int, rng: np.random.Generator) -> Window:
    """Some of the accidents, of all of its days."""
    if size >= SIZE:
        return window
    return take(window, np.sort(rng.permutation(len(window.days))[:size]))


def _print_table(groups: Sequence[dict[str, Any]]) -> None:
    from scipy.stats import binomtest

    windows = sum(group["windows"] for group in groups)
    found: dict[tuple[str, int], int] = defaultdict(int)
    for group in groups:
        for name, by_size in group["found"].items():
            for size, count in by_size.items():
                found[name, int(size)] += count

    def share(name: str, size: int) -> str:
        interval = binomtest(found[name, size], windows).proportion_ci()
        return f"{found[name, size] / windows:.1%} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"

    print(f"{windows} windows")
    print_markdown({"effect": name} | {f"{size:,} accidents": share(name, size) for size in _SIZES} for name in EFFECTS)


def _other_season_and_year(source: str, other: str, settings: MonitoringSettings) -> None:
    """July to September against January to June of a source, with the seasons of another year; and that year itself."""
    own, year = load_accidents(source), load_accidents(other)
    month = own.accidents["mois"].to_numpy()
    bundle, reference = fit_model(part(own, month <= 6), 0)
    summer = compared(bundle, part(own, (month >= 7) & (month <= 9)))
    profile = season_profile(year, LEVEL)
    _describe(f"July to September of {source}", monitor(summer, reference, LEVEL, settings, lambda: profile))
    bundle, reference = fit_model(own, 0)
    _describe(other, monitor(compared(bundle, year), reference, LEVEL, settings, lambda: profile))


def _consecutive_years(years: str, seed: int, settings: MonitoringSettings) -> None:
    """Each synthetic year against a model of the one before."""
    first, last = map(int, years.split("-"))
    before = synthetic_year(first, seed)
    for year in range(first + 1, last + 1):
        bundle, reference = fit_model(before, seed)
        before = synthetic_year(year, seed)
        _describe(f"{year} against {year - 1}", monitor(compared(bundle, before), reference, LEVEL, settings))


def _describe(name: str, result: MonitoringResult) -> None:
    now = datetime.now(UTC)
    decision = decide_retraining(summarise(result, name), now.isoformat(), (), (), now, RetrainingSettings())
    print(f"\n{name}: {result.verdict} Share of drifted columns {result.inputs.drift_share:.2f}")
    for finding in result.findings:
        print(f"  {'alarm' if finding.alarm else 'note '} {finding.change} {finding.subject}: {finding.text}")
    if outcomes := result.outcomes:
        print(f"  by inputs {outcomes.by_inputs:+.3f}, by label {outcomes.by_label.value:+.3f}, ", end="")
        print(f"ROC-AUC {outcomes.roc_auc}, ECE {outcomes.expected_calibration_error:.3f}")
    print("  train again:", "; ".join(decision.reasons) if decision.retrain else "no")


def main() -> None:
    """Print the table."""
    parser = argument_parser(__doc__)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of models, years, splits and effects")
    parser.add_argument("--source", help="folder of real files; synthetic years without it")
    parser.add_argument("--other", help="folder of another year, to look at in place of windows of --source")
    parser.add_argument("--years", metavar="FROM-TO", help="synthetic years, each against the one before, likewise")
    parser.add_argument("--results", type=Path, metavar="FILE", help="JSON lines, to go on with")
    options = parser.parse_args()
    if options.windows < _WINDOWS_AT_LEAST:
        parser.error(f"argument --windows: {options.windows} is fewer than {_WINDOWS_AT_LEAST}")
    settings = load_configuration().monitoring.model_copy(update={"accidents_at_least": 50})  # a third of 200 is gone
    if options.other:
        _other_season_and_year(options.source, options.other, settings)
        return
    if options.years:
        _consecutive_years(options.years, options.seed, settings)
        return
    groups = (
        real_groups(options.source, options.seed, options.windows)
        if options.source
        else synthetic_groups(options.seed, options.windows)
    )
    name = options.source or "synthetic"
    _print_table(measure(groups, name, options.seed, settings, options.results))


if __name__ == "__main__":
    main()
