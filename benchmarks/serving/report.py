"""Tables of results, and performance goals of the service."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.serving.comparison import BATCH, CLIENTS, Comparison, median, ratio
from benchmarks.serving.in_process import StepTimes
from benchmarks.serving.servers import BARE, MLFLOW, MLFLOW_FRAMES, SERVICE

_BOOSTERS = ("lightgbm", "xgboost")
_LIBRARIES = ("fastapi", "lightgbm", "mlflow", "numpy", "orjson", "uvicorn", "xgboost-cpu")


@dataclass(frozen=True)
class Goal:
    """A limit, what was measured, and whether the limit holds."""

    what: str
    limit: str
    measured: float
    reached: bool


def goals(step_times: Mapping[str, StepTimes], comparisons: Mapping[str, Comparison]) -> list[Goal]:
    """All goals for each model type."""
    goals_in_process = [
        _at_most(f"JSON to probability in process, {name}, ms", step_times[name].total, 0.3)
        for name in _BOOSTERS
        if name in step_times
    ]
    return goals_in_process + [
        replace(goal, what=f"{name}: {goal.what}") for name, one in comparisons.items() for goal in _over_http(one)
    ]


def _over_http(comparison: Comparison) -> list[Goal]:
    own = median(comparison.rounds[SERVICE])
    start = statistics.median(comparison.seconds[SERVICE])
    over_bare = ratio(comparison, SERVICE, BARE, "many_p99")
    return [
        _at_most("one client, p50, ms", own.p50, 1.5),
        _at_least(f"{CLIENTS} clients, requests/s", own.rate, 800),
        _at_most(f"{CLIENTS} clients, p99 over that of the booster alone", over_bare, 3),
        *(
            _at_least(
                f"{CLIENTS} clients, requests/s over those of {name}", ratio(comparison, SERVICE, name, "rate"), 12
            )
            for name in (MLFLOW_FRAMES, MLFLOW)
        ),
        _at_least(f"batches of {BATCH:,}, accidents/s", own.accidents, 10_000),
        _at_most("start to ready, s", start, 5),
        _at_most("mlflow imported", float(comparison.mlflow_imported), 0),
        _at_most("greatest difference of a probability", max(comparison.differences.values()), 1e-9),
    ]


def _at_most(what: str, measured: float, most: float) -> Goal:
    return Goal(what, f"at most {most:,g}", measured, measured <= most)


def _at_least(what: str, measured: float, least: float) -> Goal:
    return Goal(what, f"at least {least:,g}", measured, measured >= least)


def steps_table(step_times: Mapping[str, StepTimes]) -> str:
    """Milliseconds in process by model type."""
    head = ("ms in process", "JSON", "validation", "features", "model", "together", "p99")
    rows = [(name, *(f"{value:.3f}" for value in vars(one).values())) for name, one in step_times.items()]
    return table(head, rows)


def comparison_table(comparison: Comparison, served: str) -> str:
    """Medians of the rounds by server."""
    head = (
        f"over HTTP, {served}",
        "ready, s",
        "1 client p50, ms",
        "p99",
        f"{CLIENTS} clients, 1/s",
        "p50, ms",
        "p99",
        "processor, ms",
        f"batch {BATCH:,}, accidents/s",
        "client load",
        "largest |Δ|",
    )
    rows = []
    for name, rounds in comparison.rounds.items():
        one = median(rounds)
        rows.append(
            (
                name,
                f"{statistics.median(comparison.seconds[name]):.1f}",
                f"{one.p50:.2f}",
                f"{one.p99:.2f}",
                f"{one.rate:,.0f}",
                f"{one.many_p50:.2f}",
                f"{one.many_p99:.2f}",
                f"{one.processor:.2f}",
                f"{one.accidents:,.0f}",
                f"{one.client_load:.0%}",
                f"{comparison.differences[name]:.0e}" if name in comparison.differences else "",
            )
        )
    return table(head, rows)


def goals_table(goals: Sequence[Goal]) -> str:
    """One row a goal."""
    rows = [(goal.what, goal.limit, f"{goal.measured:,.3g}", "yes" if goal.reached else "NO") for goal in goals]
    return table(("goal", "limit", "measured", "reached"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An aligned Markdown table."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join((first.strip().ljust(widths[0]), *others))} |"

    rule = "|".join(f"{'-' * (width + 1)}{':' if place else '-'}" for place, width in enumerate(widths))
    return "\n".join(["", line(head), f"|{rule}|", *map(line, rows)])


def machine() -> dict[str, str]:
    """Processor and versions of libraries."""
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.is_file() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }
