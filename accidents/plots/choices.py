"""What follows from choices: how many accidents to learn from, where to decide, and how to measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from accidents.evaluation.costs import cheapest, costs
from accidents.evaluation.results import Evaluation
from accidents.plots.style import BLUE, INK, MUTED, ORANGE, SERIES, canvas, legend_above, unit_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WEIGHTS = (1, 2, 5, 10)
"""Missed priority accidents in false alarms, as `threshold_costs` compares them."""

PROTOCOLS = {
    "classic": "classic, as reported",
    "random person": "classic, random person",
    "honest": "this project",
}
"""Protocols of `benchmarks.classic_protocol` with their names."""

_MARKS: dict[str, tuple[str, Any, str, float]] = {
    "classic": ("o", "none", ORANGE, 7),
    "random person": ("o", "full", ORANGE, -13),
    "honest": ("D", "full", BLUE, 7),
}
"""Marker, filling, colour of a protocol, and how many points above it its value stands."""

_NEAR = 0.04  # probability: half the width of a value, and a little

_METRICS = {"roc_auc": "ROC-AUC", "f1": "F1"}


def learning(curves: pd.DataFrame, name: str, source: str) -> Figure:
    """ROC-AUC on accidents that were learned and on those that were not, by the number learned from.

    Args:
        curves: what `accidents.training.learning.learning_curve` gives.
        name: of the model.
        source: what `style.credit` gives.
    """
    figure, (axes,) = canvas(f"{name}: would more accidents help?", source)
    for line, column, label in zip(SERIES, ("learned", "test"), ("training part", "test part"), strict=False):
        axes.plot(curves["accidents"], curves[column], **line, marker="o", markersize=4, linewidth=1.6, label=label)
    last = curves.iloc[-1]
    axes.annotate(
        f"{last['test']:.3f}", (last["accidents"], last["test"]), (0, -13), textcoords="offset points", ha="center",
        fontsize=8, color=INK,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set(xticks=curves["accidents"], xlabel="accidents learned from (logarithmic)", ylabel="ROC-AUC")
    axes.set_xticklabels([f"{number:,}" for number in curves["accidents"]])
    axes.minorticks_off()
    axes.margins(x=0.08, y=0.12)
    legend_above(axes, columns=2)
    return figure


def threshold_costs(evaluation: Evaluation, source: str, weights: Sequence[float] = WEIGHTS) -> Figure:
    """Cost of each decision threshold by what a missed priority accident weighs; dots mark the cheapest.

    Args:
        evaluation: a measured model.
        source: what `style.credit` gives.
        weights: how many false alarms weigh as much as one missed priority accident.
    """
    figure, (axes,) = canvas("What a threshold costs", source)
    for line, missed in zip(SERIES, weights, strict=False):
        curve, (threshold, cost) = costs(evaluation, missed), cheapest(evaluation, missed)
        axes.plot(curve["threshold"], curve["cost"], **line, linewidth=1.6, label=f"a miss weighs {missed:g}")
        axes.plot(threshold, cost, "o", color=line["color"], markersize=5)
        axes.annotate(f"{threshold:.2f}", (threshold, cost), **_beside(threshold, evaluation.threshold))
    axes.axvline(evaluation.threshold, color=MUTED, linewidth=1)
    top = 100 * max(1 - evaluation.prevalence, 2.2 * evaluation.prevalence)
    axes.text(evaluation.threshold + 0.012, 0.97 * top, "in use", fontsize=8, color=INK, va="top")
    axes.set(xlabel="decision threshold (probability)", ylabel="cost per 100 accidents (false alarms)", ylim=(0, top))
    unit_axis(axes, "x")
    legend_above(axes, columns=2)
    return figure


def _beside(threshold: float, line: float) -> dict[str, Any]:
    """Where the value of a dot stands: above it, or on the far side of a vertical line that is near."""
    place: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": INK}
    if abs(threshold - line) > _NEAR:
        return place | {"xytext": (0, 6), "ha": "center"}
    side = -1 if threshold <= line else 1
    return place | {"xytext": (4 * side, 6), "ha": "right" if side < 0 else "left"}


def protocols(measured: pd.DataFrame, source: str) -> Figure:
    """The classic protocol as reported and in earnest, beside this project, on the same test accidents.

    Args:
        measured: `model`, `protocol` (a key of `PROTOCOLS`), `roc_auc`, `f1`.
        source: what `style.credit` gives.
    """
    models = list(dict.fromkeys(measured["model"]))
    figure, panels = canvas(
        "Classic and honest protocol", source, size=(8.2, 2.2 + 0.5 * len(models)), columns=2, share_y=True
    )
    for axes, (metric, label) in zip(panels, _METRICS.items(), strict=True):
        values = measured.set_index(["model", "protocol"])[metric].unstack().loc[models]  # noqa: PD010  # nothing to aggregate
        axes.hlines(range(len(models)), values.min(axis=1), values.max(axis=1), color=MUTED, linewidth=0.8)
        for protocol, (mark, fill, colour, above) in _MARKS.items():
            style: dict[str, Any] = {"fillstyle": fill, "color": colour, "markersize": 7, "label": PROTOCOLS[protocol]}
            axes.plot(values[protocol], range(len(models)), mark, **style)
            for row, value in enumerate(values[protocol]):
                place: dict[str, Any] = {"xytext": (0, above), "textcoords": "offset points", "ha": "center"}
                axes.annotate(f"{value:.3f}".lstrip("0"), (value, row), **place, fontsize=7, color=INK)
        axes.set(xlabel=label, yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.5, -0.7))
        axes.margins(x=0.15)
        axes.grid(axis="y", visible=False)
    legend_above(panels[0], columns=1)
    return figure
