"""Plots of data quality: missing values by column, and rows that broke a rule."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from accidents.plots.style import BLUE, GREEN, MUTED, ORANGE, PINK, SKY, label_rows, legend_above, subplots

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
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
    _coloured_bars(axes, rows["share"], rows["table"], _TABLES, "{:.1%}")
    label_rows(axes, [f"{row.meaning} ({row.column})" for row in rows.itertuples()], 7)
    axes.set(xlabel="share of values that are not recorded", xlim=(0, 1.08), xticks=(0, 0.25, 0.5, 0.75, 1))
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
    _coloured_bars(axes, rows["rows"], rows["action"], _ACTIONS, "{:,}")
    cells = zip(rows["file"], rows["column"], rows["check"], strict=True)
    label_rows(axes, [_rule_label(*row) for row in cells], 7)
    axes.set(xlabel="rows (logarithmic)", xscale="log", xlim=(0.8, max([10, *(4 * rows["rows"])])))
    return figure


def _coloured_bars(axes: Axes, values: pd.Series, kinds: pd.Series, colours: Mapping[str, str], text: str) -> None:
    """Draw a bar a row in the colour of its kind, with its value as text; the legend shows the kinds that occur."""
    bars = axes.barh(range(len(values)), values, color=[colours[kind] for kind in kinds], height=0.62)
    axes.bar_label(bars, [text.format(value) for value in values], padding=4, fontsize=7, color=MUTED)
    for kind in [kind for kind in colours if kind in set(kinds)]:
        axes.barh([0], [0], color=colours[kind], label=kind)
    if len(values):
        legend_above(axes, columns=len(colours))


def _rule_label(file: str, column: str, check: str) -> str:
    """Return a rule in at most two lines."""
    text = f"{file}, {column}: {check}" if column else f"{file}: {check}"
    return "\n".join(textwrap.wrap(text, _LABEL_WIDTH, max_lines=_LABEL_LINES, placeholder=" …"))
