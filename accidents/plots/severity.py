"""Heat maps of the share of priority: by hour and weekday, road and light, parties to the accident."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from accidents.plots.style import INK, add_colorbar, sequential_colormap, subplots

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

MIN_ACCIDENTS = 20
"""Least number of accidents for which a square shows a share."""

_DARK = 0.5  # of the greatest share; above it text is white
_CENTRED: dict[str, Any] = {"textcoords": "offset points", "ha": "center"}
_SHARE = f"share of priority accidents; white: fewer than {MIN_ACCIDENTS} accidents"


def by_hour_and_weekday(shares: pd.DataFrame, source_note: str) -> Figure:
    """Plot the number of accidents and the share of priority by hour of the week.

    Args:
        shares: from `accidents.plots.exploration.priority_by_hour_and_weekday`.
        source_note: from `style.source_note`.
    """
    figure, (number, share) = subplots("The hours of the week", source_note, size=(8.2, 4.6), heights=(1, 1))
    hours = np.arange(0, 25, 3)
    for axes, value, least, label in (
        (number, "n", 0, "accidents"),
        (share, "share", MIN_ACCIDENTS, "share of priority"),
    ):
        add_colorbar(_heat_map(axes, shares, "weekday", "hour", value, least), axes, label, beside=True)
        axes.set_ylabel(label)
        axes.set_xticks(hours, () if axes is number else [f"{hour}:00" for hour in hours])
    share.set_xlabel(f"hour (local time); white: fewer than {MIN_ACCIDENTS} accidents")
    return figure


def by_road_and_light(shares: pd.DataFrame, source_note: str) -> Figure:
    """Plot the share of priority by road category and light, with the number of accidents."""
    return _annotated_heat_map(shares, ("road", "light"), "Priority by road and light", source_note, size=(8.2, 4.6))


def by_parties(shares: pd.DataFrame, source_note: str) -> Figure:
    """Plot the share of priority by the lightest and the heaviest party, with the number of accidents."""
    return _annotated_heat_map(
        shares, ("lightest", "heaviest"), "Priority by lightest and heaviest party", source_note, size=(8.2, 4.4)
    )


def _annotated_heat_map(
    shares: pd.DataFrame, names: tuple[str, str], title: str, source_note: str, *, size: tuple[float, float]
) -> Figure:
    row, column = names
    figure, (axes,) = subplots(title, source_note, size=size)
    mesh = _heat_map(axes, shares, row, column, "share", MIN_ACCIDENTS)
    add_colorbar(mesh, axes, _SHARE)
    rows, columns = _categories(shares, row), _categories(shares, column)
    shown = shares[shares["n"] >= MIN_ACCIDENTS]
    for place, across, n, share in zip(shown[row], shown[column], shown["n"], shown["share"], strict=True):
        where = (columns.index(across) + 0.5, rows.index(place) + 0.5)
        colour = "white" if share > _DARK * shown["share"].max() else INK
        axes.annotate(f"{share:.0%}", where, (0, 1), **_CENTRED, fontsize=8.5, color=colour)
        axes.annotate(f"{n:,}", where, (0, -8), **_CENTRED, fontsize=6.5, color=colour)
    axes.set(xlabel=column if column == "light" else f"{column} party", ylabel=row if row == "road" else f"{row} party")
    return figure


def _heat_map(axes: Axes, shares: pd.DataFrame, row: str, column: str, value: str, least: int) -> QuadMesh:
    """Draw coloured squares, the first row on top; those of fewer than `least` accidents stay white."""
    rows, columns = _categories(shares, row), _categories(shares, column)
    grid = np.full((len(rows), len(columns)), np.nan)
    enough = shares[shares["n"] >= least]
    grid[[rows.index(name) for name in enough[row]], [columns.index(name) for name in enough[column]]] = enough[value]
    mesh = axes.pcolormesh(grid, cmap=sequential_colormap(), vmin=0, edgecolor="white", linewidth=0.8)
    axes.set(ylim=(len(rows), 0), yticks=np.arange(len(rows)) + 0.5, yticklabels=rows)
    axes.set(xticks=np.arange(len(columns)) + 0.5, xticklabels=[textwrap.fill(str(name), 14) for name in columns])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    return mesh


def _categories(shares: pd.DataFrame, name: str) -> list[object]:
    """Return the values that occur: categories in their own order, others sorted."""
    values = shares[name]
    present = set(values)
    if hasattr(values, "cat"):
        return [value for value in values.cat.categories if value in present]
    return sorted(present)
