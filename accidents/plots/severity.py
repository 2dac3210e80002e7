"""How often accidents are priority: by hour and weekday, by road and light, by the parties to them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from accidents.plots.style import INK, canvas, colour_bar, sequential

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

FEW = 20
"""Accidents below which a cell shows no share, which would be chance."""

_DARK = 0.5  # of the greatest share: cells from which on text is white
_CENTRED: dict[str, Any] = {"textcoords": "offset points", "ha": "center"}
_SHARE = f"share of priority accidents; white: fewer than {FEW} accidents"


def by_hour_and_weekday(cells: pd.DataFrame, source: str) -> Figure:
    """Number of accidents and share of priority in every hour of the week.

    Args:
        cells: what `accidents.plots.exploration.by_hour_and_weekday` gives.
        source: what `style.credit` gives.
    """
    figure, (number, share) = canvas("The hours of the week", source, size=(8.2, 4.6), heights=(1, 1))
    mesh = _grid(number, cells, "weekday", "hour", "n", 0)
    colour_bar(figure, mesh, number, "accidents", beside=True)
    mesh = _grid(share, cells, "weekday", "hour", "share", FEW)
    colour_bar(figure, mesh, share, "share of priority", beside=True)
    number.set(ylabel="accidents")
    share.set(ylabel="share of priority", xlabel=f"hour (local time); white: fewer than {FEW} accidents")
    for axes in (number, share):
        axes.set_xticks(np.arange(0, 25, 3), () if axes is number else [f"{hour}:00" for hour in range(0, 25, 3)])
    return figure


def by_road_and_light(cells: pd.DataFrame, source: str) -> Figure:
    """Share of priority by road category and light, with the number of accidents in each cell."""
    return _table(cells, ("road", "light"), "Priority by road and light", source, size=(8.2, 4.6))


def by_parties(cells: pd.DataFrame, source: str) -> Figure:
    """Share of priority by the lightest and the heaviest party, with the number of accidents in each cell."""
    return _table(cells, ("lightest", "heaviest"), "Priority by who met whom", source, size=(8.2, 4.4))


def _table(
    cells: pd.DataFrame, names: tuple[str, str], title: str, source: str, *, size: tuple[float, float]
) -> Figure:
    row, column = names
    figure, (axes,) = canvas(title, source, size=size)
    mesh = _grid(axes, cells, row, column, "share", FEW)
    colour_bar(figure, mesh, axes, _SHARE)
    rows, columns = _members(cells, row), _members(cells, column)
    shown = cells[cells["n"] >= FEW]
    for place, across, n, share in zip(shown[row], shown[column], shown["n"], shown["share"], strict=True):
        where = (columns.index(across) + 0.5, rows.index(place) + 0.5)
        colour = "white" if share > _DARK * shown["share"].max() else INK
        axes.annotate(f"{share:.0%}", where, (0, 1), **_CENTRED, fontsize=8.5, color=colour)
        axes.annotate(f"{n:,}", where, (0, -8), **_CENTRED, fontsize=6.5, color=colour)
    axes.set(xlabel=column if column == "light" else f"{column} party", ylabel=row if row == "road" else f"{row} party")
    return figure


def _grid(axes: Axes, cells: pd.DataFrame, row: str, column: str, value: str, least: int) -> QuadMesh:
    """Cells as coloured squares, the first row on top; those of fewer than `least` accidents stay white."""
    rows, columns = _members(cells, row), _members(cells, column)
    grid = np.full((len(rows), len(columns)), np.nan)
    enough = cells[cells["n"] >= least]
    grid[[rows.index(name) for name in enough[row]], [columns.index(name) for name in enough[column]]] = enough[value]
    mesh = axes.pcolormesh(grid, cmap=sequential(), vmin=0, edgecolor="white", linewidth=0.8)
    axes.set(ylim=(len(rows), 0), yticks=np.arange(len(rows)) + 0.5, yticklabels=rows)
    axes.set(xticks=np.arange(len(columns)) + 0.5, xticklabels=[_broken(name) for name in columns])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    return mesh


def _members(cells: pd.DataFrame, name: str) -> list[object]:
    """The groups that occur: categories in their own order, others sorted."""
    values = cells[name]
    present = set(values)
    if hasattr(values, "cat"):
        return [each for each in values.cat.categories if each in present]
    return sorted(present)


def _broken(name: object) -> str:
    """A long name in two or three lines."""
    return textwrap.fill(str(name), 14)
