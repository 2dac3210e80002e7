"""The tables that are printed, and the goals that the service is held to."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.serving.contenders import BARE, MLFLOW, MLFLOW_FRAMES, SERVICE
from benchmarks.serving.in_process import Parts
from benchmarks.serving.rounds import BATCH, CLIENTS, Contest, median, ratio

_BOOSTERS = ("lightgbm", "xgboost")
_LIBRARIES = ("fastapi", "lightgbm", "mlflow", "numpy", "orjson", "uvicorn", "xgboost-cpu")


@dataclass(frozen=True)
class Goal:
    """What is wanted, what was measured, and whether that is reached."""

    what: str
    wanted: str
    measured: float
    reached: bool


def goals(parts: Mapping[str, Parts], contests: Mapping[str, Contest]) -> list[Goal]:
    """Every goal of the service, for each model type."""
    found = [
        _at_most(f"JSON to probability in process, {name}, ms", parts[name].total, 0.3)
        for name in _BOOSTERS
        if name in parts
    ]
    return found + [
        replace(goal, what=f"{name}: {goal.what}") for name, one in contests.items() for goal in _over_http(one)
    ]


def _over_http(contest: Contest) -> list[Goal]:
    own = median(contest.rounds[SERVICE])
    start = statistics.median(contest.seconds[SERVICE])
    over_bare = ratio(contest, SERVICE, BARE, "many_p99")
    return [
        _at_most("one client, p50, ms", own.p50, 1.5),
        _at_least(f"{CLIENTS} clients, requests/s", own.rate, 800),
        _at_most(f"{CLIENTS} clients, p99 over that of the booster alone", over_bare, 3),
        *(
            _at_least(f"{CLIENTS} clients, requests/s over those of {name}", ratio(contest, SERVICE, name, "rate"), 12)
            for name in (MLFLOW_FRAMES, MLFLOW)
        ),
        _at_least(f"batches of {BATCH:,}, accidents/s", own.accidents, 10_000),
        _at_most("start to ready, s", start, 5),
        _at_most("mlflow imported", float(contest.mlflow_imported), 0),
        _at_most("greatest difference of a probability", max(contest.differences.values()), 1e-9),
    ]


def _at_most(what: str, measured: float, most: float) -> Goal:
    return Goal(what, f"at most {most:,g}", measured, measured <= most)


def _at_least(what: str, measured: float, least: float) -> Goal:
    return Goal(what, f"at least {least:,g}", measured, measured >= least)


def parts_table(parts: Mapping[str, Parts]) -> str:
    """Milliseconds in process by model type."""
    head = ("ms in process", "JSON", "validation", "features", "model", "together", "p99")
    rows = [(name, *(f"{value:.3f}" for value in vars(one).values())) for name, one in parts.items()]
    return table(head, rows)


def contest_table(contest: Contest, served: str) -> str:
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
        "asking",
        "largest |Δ|",
    )
    rows = []
    for name, rounds in contest.rounds.items():
        one = median(rounds)
        rows.append(
            (
                name,
                f"{statistics.median(contest.seconds[name]):.1f}",
                f"{one.p50:.2f}",
                f"{one.p99:.2f}",
                f"{one.rate:,.0f}",
                f"{one.many_p50:.2f}",
                f"{one.many_p99:.2f}",
                f"{one.processor:.2f}",
                f"{one.accidents:,.0f}",
                f"{one.asking:.0%}",
                f"{contest.differences[name]:.0e}" if name in contest.differences else "",
            )
        )
    return table(head, rows)


def goals_table(goals: Sequence[Goal]) -> str:
    """Goals, line by line."""
    rows = [(goal.what, goal.wanted, f"{goal.measured:,.3g}", "yes" if goal.reached else "NO") for goal in goals]
    return table(("goal", "wanted", "measured", "reached"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns in line."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join((first.strip().ljust(widths[0]), *others))} |"

    rule = "|".join(f"{'-' * (width + 1)}{':' if place else '-'}" for place, width in enumerate(widths))
    return "\n".join(["", line(head), f"|{rule}|", *map(line, rows)])


def machine() -> dict[str, str]:
    """Where it was measured."""
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.is_file() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }
