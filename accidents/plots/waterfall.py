"""One prediction as a waterfall: from what the model says on average to what it says of this accident."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from accidents.explanation.waterfall import Course
from accidents.plots.style import BLUE, GRID, INK, MUTED, ORANGE, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST = 46  # characters in a line of a label


def waterfall(course: Course, shown: int, source: str) -> Figure:
    """The strongest reasons for one prediction, the others together, and where they lead.

    Args:
        course: what `accidents.explanation.waterfall.course` gives.
        shown: most reasons to draw on their own.
        source: what `style.credit` gives.
    """
    strongest, others = course.reasons[:shown], course.reasons[shown:]
    steps = [(reason.text, reason.contribution) for reason in strongest]
    if others:
        steps.append((f"{len(others)} other facts", sum(reason.contribution for reason in others)))
    steps.reverse()
    verdict = "priority" if course.probability >= course.threshold else "no priority"
    title = f"Why {course.probability:.0%}: {verdict} (threshold {course.threshold:.0%})"
    figure, (axes,) = canvas(title, source, size=(8.2, 1.7 + 0.33 * len(steps)))
    axes.use_sticky_edges = False
    at = course.average
    for place, (_, size) in enumerate(steps, start=1):
        axes.barh(place, size, left=at, color=ORANGE if size > 0 else BLUE, height=0.62)
        axes.vlines(at, place - 1, place + 0.31, color=MUTED, linewidth=0.7)
        end = (max(at, at + size), place)
        axes.annotate(f"{size:+.2f}", end, (4, -2.5), textcoords="offset points", fontsize=7.5, color=INK)
        at += size
    last = len(steps) + 1
    axes.vlines(at, last - 1, last, color=MUTED, linewidth=0.7)
    axes.plot([course.average, at], [0, last], "o", color=INK, markersize=5)
    labels = ["on average", *(textwrap.fill(text, _LONGEST) for text, _ in steps), "this accident"]
    axes.set(yticks=range(last + 1), yticklabels=labels, ylim=(-0.7, last + 0.7))
    axes.axvline(0, color=GRID, linewidth=1.2)
    axes.set_xlabel(f"{course.unit} of priority before calibration; blue against, orange for priority")
    axes.margins(x=0.12)
    axes.tick_params(axis="y", labelsize=7.5)
    axes.grid(axis="y", visible=False)
    return figure
