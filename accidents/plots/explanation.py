"""SHAP plots: feature importance with intervals, beeswarm of many accidents, waterfall of one prediction."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from accidents.explanation.reasons import Waterfall
from accidents.explanation.topics import feature_name
from accidents.features.catalogue import CATALOGUE
from accidents.features.specification import FeatureKind
from accidents.plots.style import BLUE, GRID, INK, MUTED, ORANGE, label_rows, legend_above, limit_ticks, subplots

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MIDDLE, _CODE, _MISSING = "#c6bfd0", "#8d959e", INK  # middle of the scale, codes in no order, missing values
_BAR = "#73b1d5"  # the blue, light enough for an interval on it; a transparent bar would show the grid
_WIDTH = 5.4  # inches
_LABEL_WIDTH, _WATERFALL_LABEL_WIDTH = 42, 46  # characters in a line of a label
_SPREAD = 0.36  # greatest height of a swarm to either side, in rows


def importance(ranked: pd.DataFrame, unit: str, shown: int, title: str, source_note: str) -> Figure:
    """Plot the `shown` features of greatest mean absolute SHAP value, with bootstrap intervals.

    Args:
        ranked: from `accidents.explanation.importance.rank_importance`.
        unit: of the importance.
        shown: greatest number of rows.
        title: of the figure.
        source_note: from `style.source_note`.
    """
    rows = ranked.head(shown)
    places = range(len(rows))
    figure, (axes,) = subplots(title, source_note, size=(_WIDTH, 1.5 + 0.25 * len(rows)))
    axes.barh(places, rows["importance"], color=_BAR, height=0.62)
    axes.hlines(places, rows["low"], rows["high"], color=INK, linewidth=1.1, label="bootstrap interval")
    for place, high, share in zip(places, rows["high"], rows["share"], strict=True):
        axes.annotate(f"{share:.0%}", (high, place), (4, -2.5), textcoords="offset points", fontsize=7.5, color=MUTED)
    label_rows(axes, _wrapped(rows["feature"]), 6.8)
    legend_above(axes, columns=1)
    axes.set_xlabel(f"mean absolute SHAP value ({unit})\nper cent: share of the sum over all rows, shown or not")
    axes.margins(x=0.1)
    return figure


def beeswarm(values: pd.DataFrame, contributions: pd.DataFrame, unit: str, shown: int, source_note: str) -> Figure:
    """Plot the SHAP value of each feature, one dot an accident, coloured by the value of the feature.

    Features whose values are codes in no order have one colour.

    Args:
        values: features, one row an accident, under their names for users; NaN (not recorded) is drawn dark.
        contributions: SHAP values with the same rows and columns.
        unit: of the SHAP values.
        shown: greatest number of features, those of greatest mean absolute value.
        source_note: from `style.source_note`.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    colours = LinearSegmentedColormap.from_list("value", (BLUE, _MIDDLE, ORANGE))
    strongest = contributions.abs().mean().sort_values(ascending=False, kind="stable").index[:shown]
    title = "What each feature adds, accident by accident"
    figure, (axes,) = subplots(title, source_note, size=(_WIDTH, 1.5 + 0.31 * len(strongest)))
    axes.axvline(0, color=MUTED, linewidth=0.8)
    sizes, features = contributions[strongest].to_numpy(np.float64), values[strongest].to_numpy(np.float64)
    for row, (name, size, value) in enumerate(zip(strongest, sizes.T, features.T, strict=True)):
        recorded = to_rgba(_CODE) if name in _category_names() else colours(_rank(value))
        colour = np.where(np.isnan(value)[:, None], to_rgba(_MISSING), recorded)
        axes.scatter(size, row + _swarm(size), c=colour, s=3.5, linewidth=0, alpha=0.8, rasterized=True)
    label_rows(axes, _wrapped(strongest), 6.8)
    for name, tint in {"low": BLUE, "high": ORANGE, "code, in no order": _CODE, "not recorded": _MISSING}.items():
        axes.plot([], [], "o", markersize=4, color=tint, label=name)
    legend_above(axes, columns=2)
    limit_ticks(axes.xaxis, 5)
    axes.set_xlabel(f"SHAP value ({unit})")
    return figure


def waterfall(prediction: Waterfall, shown: int, source_note: str) -> Figure:
    """Plot the contributions to one prediction from base value to raw score, the weaker reasons as one bar.

    Args:
        prediction: from `accidents.explanation.reasons.explain_prediction`.
        shown: greatest number of reasons with a bar of their own.
        source_note: from `style.source_note`.
    """
    strongest, others = prediction.reasons[:shown], prediction.reasons[shown:]
    steps = [(reason.text, reason.contribution) for reason in strongest]
    if others:
        steps.append((f"{len(others)} other reasons", sum(reason.contribution for reason in others)))
    steps.reverse()
    verdict = "priority" if prediction.probability >= prediction.threshold else "no priority"
    title = f"Why {prediction.probability:.0%}: {verdict} (threshold {prediction.threshold:.0%})"
    figure, (axes,) = subplots(title, source_note, size=(8.2, 1.7 + 0.33 * len(steps)))
    axes.use_sticky_edges = False
    at = prediction.base_value
    for place, (_, size) in enumerate(steps, start=1):
        axes.barh(place, size, left=at, color=ORANGE if size > 0 else BLUE, height=0.62)
        axes.vlines(at, place - 1, place + 0.31, color=MUTED, linewidth=0.7)
        end = (max(at, at + size), place)
        axes.annotate(f"{size:+.2f}", end, (4, -2.5), textcoords="offset points", fontsize=7.5, color=INK)
        at += size
    last = len(steps) + 1
    axes.vlines(at, last - 1, last, color=MUTED, linewidth=0.7)
    axes.plot([prediction.base_value, at], [0, last], "o", color=INK, markersize=5)
    labels = ["base value", *(textwrap.fill(text, _WATERFALL_LABEL_WIDTH) for text, _ in steps), "raw score"]
    label_rows(axes, labels, 7.5)
    axes.set_ylim(-0.7, last + 0.7)  # from the bottom up
    axes.axvline(0, color=GRID, linewidth=1.2)
    axes.set_xlabel(f"{prediction.unit} of priority before calibration; blue against, orange for priority")
    axes.margins(x=0.12)
    return figure


def _wrapped(names: Iterable[str]) -> list[str]:
    return [textwrap.fill(name, _LABEL_WIDTH) for name in names]


@cache
def _category_names() -> frozenset[str]:
    """Return the names for users of the features whose values are codes in no order."""
    return frozenset(feature_name(name) for name, feature in CATALOGUE.items() if feature.kind is FeatureKind.CATEGORY)


def _rank(values: np.ndarray) -> np.ndarray:
    """Rank values from 0 to 1, ties alike; 0.5 where there is one distinct value, NaN where the value is NaN."""
    distinct, place = np.unique(values, return_inverse=True)
    last = np.count_nonzero(~np.isnan(distinct)) - 1
    return np.where(np.isnan(values), np.nan, place / last) if last > 0 else np.full(len(values), 0.5)


def _swarm(sizes: np.ndarray) -> np.ndarray:
    """Return heights that spread dots of about the same size, alternately above and below the row."""
    bins = np.digitize(sizes, np.linspace(sizes.min(), sizes.max() + 1e-12, 80))
    order = np.argsort(bins, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(bins))])[bins[order]]
    turn = np.arange(len(sizes)) - first
    heights = np.empty(len(sizes))
    heights[order] = (turn + 1) // 2 * np.where(turn % 2, 1, -1)
    return heights * min(0.03, _SPREAD / max(np.abs(heights).max(), 1))
