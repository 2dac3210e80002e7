"""What moves a model: importance of features with intervals, and how their values push single accidents."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from accidents.explanation.topics import describe
from accidents.features.catalogue import CATALOGUE
from accidents.features.specification import FeatureKind
from accidents.plots.style import BLUE, INK, MUTED, ORANGE, canvas, few_ticks, legend_above

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BETWEEN, _CODE, _NOT_RECORDED = "#c6bfd0", "#8d959e", INK
_BAR = "#73b1d5"  # the blue, light enough for an interval on it; a transparent bar would show the grid
_WIDTH = 5.4  # inches
_LONGEST = 42  # characters in a line of a label
_SPREAD = 0.36  # rows that a swarm may reach to either side


def importance(ranked: pd.DataFrame, unit: str, shown: int, title: str, source: str) -> Figure:
    """The `shown` features of greatest mean absolute SHAP value, with intervals.

    Args:
        ranked: `feature`, `importance`, `low`, `high`, `share`, the greatest first.
        unit: of the importance.
        shown: most rows to draw.
        title: what is ranked.
        source: what `style.credit` gives.
    """
    rows = ranked.head(shown)
    places = range(len(rows))
    figure, (axes,) = canvas(title, source, size=(_WIDTH, 1.5 + 0.25 * len(rows)))
    axes.barh(places, rows["importance"], color=_BAR, height=0.62)
    axes.hlines(places, rows["low"], rows["high"], color=INK, linewidth=1.1, label="bootstrap interval")
    for place, high, share in zip(places, rows["high"], rows["share"], strict=True):
        axes.annotate(f"{share:.0%}", (high, place), (4, -2.5), textcoords="offset points", fontsize=7.5, color=MUTED)
    _label_rows(axes, rows["feature"])
    legend_above(axes, columns=1)
    axes.set_xlabel(f"mean absolute SHAP value ({unit})\nper cent: share of the sum over all facts, shown or not")
    axes.margins(x=0.1)
    axes.grid(axis="y", visible=False)
    return figure


def beeswarm(values: pd.DataFrame, contributions: pd.DataFrame, unit: str, shown: int, source: str) -> Figure:
    """One dot an accident: what each feature adds to its prediction, coloured by the value of the feature.

    Features whose values are codes in no order have one colour.

    Args:
        values: features, one row an accident, named as they shall be shown; NaN is not recorded and drawn dark.
        contributions: SHAP values with the same rows and columns.
        unit: of the SHAP values.
        shown: most features to draw, those of greatest mean absolute value.
        source: what `style.credit` gives.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    colours = LinearSegmentedColormap.from_list("value", (BLUE, _BETWEEN, ORANGE))
    strongest = contributions.abs().mean().sort_values(ascending=False, kind="stable").index[:shown]
    title = "What each feature adds, accident by accident"
    figure, (axes,) = canvas(title, source, size=(_WIDTH, 1.5 + 0.31 * len(strongest)))
    axes.axvline(0, color=MUTED, linewidth=0.8)
    sizes, features = contributions[strongest].to_numpy(np.float64), values[strongest].to_numpy(np.float64)
    for row, (name, size, value) in enumerate(zip(strongest, sizes.T, features.T, strict=True)):
        recorded = to_rgba(_CODE) if name in _codes() else colours(_rank(value))
        colour = np.where(np.isnan(value)[:, None], to_rgba(_NOT_RECORDED), recorded)
        axes.scatter(size, row + _swarm(size), c=colour, s=3.5, linewidth=0, alpha=0.8, rasterized=True)
    _label_rows(axes, strongest)
    for name, tint in {"low": BLUE, "high": ORANGE, "code, in no order": _CODE, "not recorded": _NOT_RECORDED}.items():
        axes.plot([], [], "o", markersize=4, color=tint, label=name)
    legend_above(axes, columns=2)
    few_ticks(axes, "x", most=5)
    axes.set_xlabel(f"SHAP value ({unit})")
    axes.grid(axis="y", visible=False)
    return figure


def _label_rows(axes: Axes, names: Iterable[str]) -> None:
    """Names of the rows from the top down, long ones in two lines."""
    labels = [textwrap.fill(name, _LONGEST) for name in names]
    axes.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.4, -0.6))
    axes.tick_params(axis="y", labelsize=6.8)


@cache
def _codes() -> frozenset[str]:
    """Names for users of the features whose values are codes in no order."""
    return frozenset(describe(name) for name, each in CATALOGUE.items() if each.kind is FeatureKind.CATEGORY)


def _rank(values: np.ndarray) -> np.ndarray:
    """Values as ranks from 0 to 1, equal values alike; one half where there is one value alone. NaN has no rank."""
    distinct, place = np.unique(values, return_inverse=True)
    last = np.count_nonzero(~np.isnan(distinct)) - 1
    return np.where(np.isnan(values), np.nan, place / last) if last > 0 else np.full(len(values), 0.5)


def _swarm(sizes: np.ndarray) -> np.ndarray:
    """Heights at which dots of about the same size lie beside each other, alternately above and below the row."""
    bins = np.digitize(sizes, np.linspace(sizes.min(), sizes.max() + 1e-12, 80))
    order = np.argsort(bins, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(bins))])[bins[order]]
    turn = np.arange(len(sizes)) - first
    heights = np.empty(len(sizes))
    heights[order] = (turn + 1) // 2 * np.where(turn % 2, 1, -1)
    return heights * min(0.03, _SPREAD / max(np.abs(heights).max(), 1))
