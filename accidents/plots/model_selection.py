"""Plots for model selection: learning curve, threshold costs, and evaluation protocols side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from accidents.evaluation.curves import cheapest_threshold, cost_curve
from accidents.evaluation.metrics import METRIC_NAMES
from accidents.evaluation.results import Evaluation
from accidents.plots.style import BLUE, INK, MUTED, ORANGE, SERIES_STYLES, legend_above, subplots, unit_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MISS_WEIGHTS = (1, 2, 5, 10)
"""Costs of a false negative, in false positives, that `threshold_costs` compares."""

PROTOCOLS = {"classic": "classic, as reported", "random person": "classic, random person", "honest": "this project"}
"""Evaluation protocols of `benchmarks.classic_protocol` and their names."""

_MARKERS: dict[str, tuple[str, Any, str, float]] = {
    "classic": ("o", "none", ORANGE, 7),
    "random person": ("o", "full", ORANGE, -13),
    "honest": ("D", "full", BLUE, 7),
}
"""Marker, fill style and colour by protocol, and the offset of its annotation in points."""

_NEAR = 0.04  # probability; about half the width of an annotation

_PROTOCOL_METRICS = ("roc_auc", "f1")


def learning_curve(curves: pd.DataFrame, name: str, source_note: str) -> Figure:
    """Plot ROC-AUC on the training set and on the test set by the number of training accidents.

    Args:
        curves: from `accidents.training.learning.learning_curve`.
        name: of the model.
        source_note: from `style.source_note`.
    """
    figure, (axes,) = subplots(f"{name}: would more accidents help?", source_note)
    for line, column, label in zip(SERIES_STYLES, ("learned", "test"), ("training set", "test set"), strict=False):
        axes.plot(curves["accidents"], curves[column], **line, marker="o", markersize=4, linewidth=1.6, label=label)
    last = curves.iloc[-1]
    axes.annotate(
        f"{last['test']:.3f}", (last["accidents"], last["test"]), (0, -13), textcoords="offset points", ha="center",
        fontsize=8, color=INK,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set(xticks=curves["accidents"], xlabel="training accidents (logarithmic)", ylabel="ROC-AUC")
    axes.set_xticklabels([f"{number:,}" for number in curves["accidents"]])
    axes.minorticks_off()
    axes.margins(x=0.08, y=0.12)
    legend_above(axes, columns=2)
    return figure


def threshold_costs(evaluation: Evaluation, source_note: str, miss_weights: Sequence[float] = MISS_WEIGHTS) -> Figure:
    """Plot the cost of each decision threshold, one line a miss weight; dots mark the cheapest thresholds.

    Args:
        evaluation: evaluation of a model.
        source_note: from `style.source_note`.
        miss_weights: costs of a false negative, in false positives.
    """
    figure, (axes,) = subplots("What a threshold costs", source_note)
    for line, weight in zip(SERIES_STYLES, miss_weights, strict=False):
        curve, (threshold, cost) = cost_curve(evaluation, weight), cheapest_threshold(evaluation, weight)
        axes.plot(curve["threshold"], curve["cost"], **line, linewidth=1.6, label=f"a miss costs {weight:g}")
        axes.plot(threshold, cost, "o", color=line["color"], markersize=5)
        axes.annotate(f"{threshold:.2f}", (threshold, cost), **_annotation_place(threshold, evaluation.threshold))
    axes.axvline(evaluation.threshold, color=MUTED, linewidth=1)
    top = 100 * max(1 - evaluation.prevalence, 2.2 * evaluation.prevalence)
    axes.text(evaluation.threshold + 0.012, 0.97 * top, "in use", fontsize=8, color=INK, va="top")
    axes.set(
        xlabel="decision threshold (probability)", ylabel="cost per 100 accidents (false positives)", ylim=(0, top)
    )
    unit_axis(axes, "x")
    legend_above(axes, columns=2)
    return figure


def _annotation_place(threshold: float, line: float) -> dict[str, Any]:
    """Place the annotation of a dot above it, or beside it on the far side of a vertical line that is near."""
    place: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": INK}
    if abs(threshold - line) > _NEAR:
        return place | {"xytext": (0, 6), "ha": "center"}
    side = -1 if threshold <= line else 1
    return place | {"xytext": (4 * side, 6), "ha": "right" if side < 0 else "left"}


def protocols(metrics: pd.DataFrame, source_note: str) -> Figure:
    """Plot ROC-AUC and F1 of models by evaluation protocol, on the same test accidents.

    Args:
        metrics: `model`, `protocol` (a key of `PROTOCOLS`), `roc_auc`, `f1`.
        source_note: from `style.source_note`.
    """
    models = list(dict.fromkeys(metrics["model"]))
    figure, panels = subplots(
        "Classic and honest protocol", source_note, size=(8.2, 2.2 + 0.5 * len(models)), columns=2, share_y=True
    )
    for axes, metric in zip(panels, _PROTOCOL_METRICS, strict=True):
        values = metrics.set_index(["model", "protocol"])[metric].unstack().loc[models]  # noqa: PD010  # nothing to aggregate
        axes.hlines(range(len(models)), values.min(axis=1), values.max(axis=1), color=MUTED, linewidth=0.8)
        for protocol, (marker, fill, colour, above) in _MARKERS.items():
            style: dict[str, Any] = {"fillstyle": fill, "color": colour, "markersize": 7, "label": PROTOCOLS[protocol]}
            axes.plot(values[protocol], range(len(models)), marker, **style)
            for row, value in enumerate(values[protocol]):
                place: dict[str, Any] = {"xytext": (0, above), "textcoords": "offset points", "ha": "center"}
                axes.annotate(f"{value:.3f}".lstrip("0"), (value, row), **place, fontsize=7, color=INK)
        axes.set(
            xlabel=METRIC_NAMES[metric], yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.5, -0.7)
        )
        axes.margins(x=0.15)
        axes.grid(axis="y", visible=False)
    legend_above(panels[0], columns=1)
    return figure
