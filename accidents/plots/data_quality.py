"""Plots of data quality: missing values by column, and rows that broke a rule."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from accidents.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, PINK, SKY, legend_above, subplots

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_TABLES = {"caracteristiques": BLUE, "lieux": ORANGE, "vehicules": GREEN, "usagers": PINK}
_ACTIONS = {"stopped": PINK, "quarantined": ORANGE, "set to missing": BLUE, "corrected": GREEN, "ignored": SKY}
_LABEL_WIDTH = 62  # characters in a line of a label
_LABEL_LINES = 2


def missing_values(shares: pd.DataFrame, shown: int, source_note: str) -> Figure:
    """Plot the columns of the greatest share of missing values, coloured by their table.

    Args:
        shares: from `accidents.plots.exploration.missing_values`.
        shown: greatest number of columns.
        source_note: from `style.source_note`.
    """
    rows = shares.sort_values("share", ascending=False, kind="stable").head(shown)
    figure, (axes,) = subplots("Missing values", source_note, size=(8.2, 1.6 + 0.21 * len(rows)))
    for place, (table, share) in enumerate(zip(rows["table"], rows["share"], strict=True)):
        axes.barh(place, share, color=_TABLES[table], height=0.66)
        axes.annotate(f"{share:.1%}", (share, place), (4, -2.5), textcoords="offset points", fontsize=7, color=MUTED)
    for table, colour in _TABLES.items():
        axes.barh([0], [0], color=colour, label=table)
    labels = [f"{meaning} ({column})" for meaning, column in zip(rows["meaning"], rows["column"], strict=True)]
    axes.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.08))
    axes.set(xlabel="share of values that are not recorded", xticks=(0, 0.25, 0.5, 0.75, 1))
    axes.tick_params(axis="y", labelsize=7)
    axes.grid(axis="y", visible=False)
    legend_above(axes, columns=4)
    return figure


def rule_violations(report: pd.DataFrame, shown: int, source_note: str) -> Figure:
    """Plot the number of rows that broke each rule (logarithmic), coloured by the action taken.

    Args:
        report: the report of an ingestion (`accidents.reading.issues.REPORT_COLUMNS`).
        shown: greatest number of rules.
        source_note: from `style.source_note`.
    """
    rows = report[report["rows"] > 0].sort_values("rows", ascending=False, kind="stable").head(shown)
    figure, (axes,) = subplots("Rows that broke a rule", source_note, size=(8.2, 1.9 + 0.36 * len(rows)))
    for place, (number, action) in enumerate(zip(rows["rows"], rows["action"], strict=True)):
        axes.barh(place, number, color=_ACTIONS[action], height=0.6)
        axes.annotate(f"{number:,}", (number, place), (4, -2.5), textcoords="offset points", fontsize=7.5, color=INK)
    for action in [name for name in _ACTIONS if name in set(rows["action"])]:
        axes.barh([0], [0], color=_ACTIONS[action], label=action)
    labels = [_rule_label(*cells) for cells in zip(rows["file"], rows["column"], rows["check"], strict=True)]
    axes.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.4, -0.6), xlabel="rows (logarithmic)")
    axes.set_xscale("log")
    axes.set_xlim(left=0.8, right=max(10, 4 * rows["rows"].max()) if len(rows) else 10)
    axes.tick_params(axis="y", labelsize=7)
    axes.grid(axis="y", visible=False)
    if len(rows):
        legend_above(axes, columns=5)
    return figure


def _rule_label(file: str, column: str, check: str) -> str:
    """Return a rule in at most two lines."""
    text = f"{file}, {column}: {check}" if column else f"{file}: {check}"
    return "\n".join(textwrap.wrap(text, _LABEL_WIDTH, max_lines=_LABEL_LINES, placeholder=" …"))
