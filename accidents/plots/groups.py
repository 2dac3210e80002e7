"""Metrics of one model by group: department, road category, light or month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from accidents.evaluation.metrics import METRIC_NAMES
from accidents.evaluation.results import Evaluation, GroupMetrics
from accidents.plots import style
from accidents.plots.style import BLUE, GRID, INK, MUTED, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SORTED_ABOVE = 20
"""Number of groups above which they are sorted by their recorded share."""

_ANNOTATED = 4  # groups at either end that `group_calibration` annotates
_LINE = 0.045  # height of an annotation, in shares


def group_metrics(groups: Sequence[GroupMetrics], evaluation: Evaluation, name: str, source_note: str) -> Figure:
    """Plot recorded and predicted share of priority, ROC-AUC and F1, one row a group; grey lines mark all accidents.

    Args:
        groups: the groups, from the top down.
        evaluation: of all accidents.
        name: of the column, such as `road category`.
        source_note: from `style.source_note`.
    """
    many = len(groups) > SORTED_ABOVE
    rows = sorted(groups, key=lambda group: group.prevalence) if many else list(groups)
    size = (8.6, 1.6 + (0.15 if many else 0.27) * len(rows))
    figure, (share, auc, f1) = style.subplots(f"By {name}", source_note, size=size, columns=3, share_y=True)
    for axes, metric in ((share, "prevalence"), (auc, "roc_auc"), (f1, "f1")):
        if (overall := getattr(evaluation, metric)) is not None:
            axes.axvline(overall, color=MUTED, linewidth=0.8)
        values = [(getattr(row, metric), getattr(row, f"{metric}_interval")) for row in rows]
        style.interval_dots(axes, values, markersize=4, label="recorded")
        axes.set_xlabel(METRIC_NAMES[metric])
        axes.grid(axis="y", visible=False)
        style.limit_ticks(axes.xaxis)
    predicted = [row.mean_probability for row in rows]
    share.plot(predicted, range(len(rows)), "D", color=ORANGE, markersize=4, fillstyle="none", label="mean predicted")
    style.label_rows(share, [f"{row.name}  ({row.n:,})" for row in rows], 6.5 if many else 8)
    style.legend_above(share, columns=2)
    return figure


def group_calibration(groups: Sequence[GroupMetrics], name: str, source_note: str) -> Figure:
    """Plot recorded share against mean predicted probability of priority, one dot a group, sized by accidents.

    The groups of least and greatest recorded share are annotated.
    """
    figure, (axes,) = style.subplots(f"Recorded and predicted share by {name}", source_note)
    rows = sorted(groups, key=lambda group: group.prevalence)
    predicted, recorded = [row.mean_probability for row in rows], [row.prevalence for row in rows]
    low, high = zip(*(row.prevalence_interval for row in rows), strict=True)
    largest = max(row.n for row in rows)
    axes.plot((0, 1), (0, 1), color=GRID, linewidth=1.2)
    axes.vlines(predicted, low, high, color=BLUE, linewidth=1, alpha=0.25)
    axes.scatter(predicted, recorded, s=[6 + 60 * row.n / largest for row in rows], color=BLUE, alpha=0.75, linewidth=0)
    for end in (rows[:_ANNOTATED], rows[_ANNOTATED:][-_ANNOTATED:]):
        _annotate(axes, end)
    axes.set(xlabel="mean predicted probability", ylabel="recorded share of priority")
    style.unit_axis(axes, "x", "y")
    return figure


def _annotate(axes: Axes, rows: Sequence[GroupMetrics]) -> None:
    """Write the names of groups, in ascending order of share, beside their dots without overlap."""
    lowest = 0.0
    for row in rows:
        height = max(row.prevalence, lowest)
        axes.text(row.mean_probability + 0.03, height, row.name, fontsize=7.5, color=INK, va="center")
        lowest = height + _LINE
