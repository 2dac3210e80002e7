"""Plots of the costs of decision thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from accidents.evaluation.curves import cheapest_threshold, cost_curve
from accidents.evaluation.results import Evaluation
from accidents.plots.style import INK, MUTED, SERIES_STYLES, legend_above, subplots, unit_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MISS_WEIGHTS = (1, 2, 5, 10)
"""Costs of a false negative, in false positives, that `threshold_costs` compares."""

_NEAR = 0.04  # probability; about half the width of an annotation


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
