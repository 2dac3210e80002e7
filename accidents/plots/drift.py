"""Plots of monitored windows, from their results as JSON (`accidents.monitoring.summary`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accidents.geography.departments import department_codes
from accidents.plots.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    SERIES_STYLES,
    label_rows,
    legend_above,
    limit_ticks,
    subplots,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Summary = Mapping[str, Any]

_SHOWN_COLUMNS, _NAMED_DEPARTMENTS = 12, 8
_SIGNIFICANT = 0.05


def windows_over_time(windows: Sequence[Summary], source_note: str) -> Figure:
    """Plot observed and predicted share of priority, and the share of drifted columns; those with an alarm are shaded.

    Args:
        windows: results in their order.
        source_note: from `style.source_note`.
    """
    figure, (shares, drift) = subplots("Windows one after the other", source_note, size=(6.6, 4.6), heights=(3, 1))
    outcomes = [(number, one["outcomes"]) for number, one in enumerate(windows, 1) if one["outcomes"]]
    for style, name in zip(SERIES_STYLES, ("observed", "predicted"), strict=False):
        values = [one[name] for _, one in outcomes]
        shares.plot([number for number, _ in outcomes], values, **style, linewidth=1.6, marker="o", ms=4, label=name)
    drift.bar(range(1, len(windows) + 1), [one["drift_share"] for one in windows], width=0.5, color=BLUE)
    for number, one in enumerate(windows, 1):
        if one["alarm"]:
            for axes in (shares, drift):
                axes.axvspan(number - 0.5, number + 0.5, color=ORANGE, alpha=0.12, linewidth=0)
    for axes in (shares, drift):
        axes.set(xlim=(0.5, len(windows) + 0.5), xticks=range(1, len(windows) + 1))
    shares.set_ylabel("share of priority")
    drift.set(xlabel="window (shaded: alarm)", ylabel="drift share", ylim=(0, None))
    limit_ticks(drift.yaxis)
    legend_above(shares, columns=2)
    return figure


def column_effects(before: Summary, after: Summary, least: float, source_note: str) -> Figure:
    """Plot the effect of each column in two windows, the largest ones first, and the least effect that counts.

    Args:
        before: an earlier window.
        after: a later one.
        least: `effects.distribution` of the configuration.
        source_note: from `style.source_note`.
    """
    names = sorted(after["columns"], key=lambda name: -after["columns"][name]["effect"])[:_SHOWN_COLUMNS]
    figure, (axes,) = subplots("Columns with the largest effects", source_note, size=(6.6, 0.9 + 0.26 * len(names)))
    rows = range(len(names))
    axes.plot(
        [before["columns"][name]["effect"] for name in names], rows, "o", c=BLUE, ms=8, mfc="none", label="before"
    )
    axes.plot([after["columns"][name]["effect"] for name in names], rows, "o", c=ORANGE, ms=5, label="after")
    for row, name in enumerate(names):
        if changes := after["columns"][name]["changes"]:
            _annotate(axes, ", ".join(changes), (after["columns"][name]["effect"], row))
    axes.axvline(least, color=MUTED, linewidth=1)
    axes.margins(x=0.3)  # for the annotations
    label_rows(axes, names, 8)
    axes.set(xlabel="effect on the distribution, Cohen's w (line: least effect that counts)")
    axes.set_xlim(left=-0.01)
    legend_above(axes, columns=2)
    return figure


def department_outcomes(window: Summary, source_note: str) -> Figure:
    """Plot observed against predicted share of priority by department, sized by accidents.

    Significant differences are orange, and the clearest ones named.

    Args:
        window: a result with outcomes.
        source_note: from `style.source_note`.
    """
    figure, (axes,) = subplots("Observed and predicted by department", source_note)
    rows = sorted(window["outcomes"]["departments"], key=lambda one: one["p_value"])
    predicted, observed = [one["predicted"] for one in rows], [one["observed"] for one in rows]
    significant = [one["p_value"] <= _SIGNIFICANT for one in rows]
    axes.axline((0, 0), slope=1, color=MUTED, linewidth=1)
    axes.scatter(
        predicted,
        observed,
        [2 * one["accidents"] for one in rows],
        [ORANGE if one else BLUE for one in significant],
        alpha=0.6,
        linewidths=0,
    )
    for one, named in list(zip(rows, significant, strict=True))[:_NAMED_DEPARTMENTS]:
        if named:
            _annotate(axes, department_codes()[one["department"]], (one["predicted"], one["observed"]))
    axes.set(xlabel="mean predicted probability", ylabel="observed share of priority")
    return figure


def _annotate(axes: Axes, text: str, place: tuple[float, float]) -> None:
    axes.annotate(text, place, xytext=(6, 0), textcoords="offset points", fontsize=7.5, color=INK, va="center")
