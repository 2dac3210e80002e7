"""Plots of what a model gains as more becomes known of an accident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from accidents.plots.style import MUTED, SERIES_STYLES, legend_above, subplots

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def question_curve(scores: Mapping[str, Sequence[float]], everything: float, source_note: str) -> Figure:
    """Plot the Brier score by the number of questions asked, one line an order of questions.

    Args:
        scores: Brier scores after 0, 1, … questions by name of the order.
        everything: Brier score where everything is known.
        source_note: from `style.source_note`.
    """
    figure, (axes,) = subplots("What questions gain", source_note)
    for line, (name, values) in zip(SERIES_STYLES, scores.items(), strict=False):
        axes.plot(range(len(values)), values, **line, linewidth=1.6, marker="o", markersize=4, label=name)
    axes.axhline(everything, color=MUTED, linewidth=1)
    axes.annotate(
        "everything known", (0, everything), xytext=(0, 3), textcoords="offset points", fontsize=8, color=MUTED
    )
    axes.set(xlabel="questions asked", ylabel="Brier score (less is better)")
    axes.set_xticks(range(max(map(len, scores.values()))))
    legend_above(axes, columns=len(scores))
    return figure
