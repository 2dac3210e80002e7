"""Maps in plain coordinates: where accidents are, how often they are priority, and what a model expects there.

Accidents draw the country by themselves, so that a map needs no outline and asks no server for one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from accidents.plots.style import canvas, colour_bar, sequential
from accidents.tables import LABEL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

MAINLAND = {"xlim": (-5.4, 9.8), "ylim": (41.2, 51.3)}
"""Degrees of longitude and latitude of the accidents that a map shows."""

FEW = 5
"""Accidents below which a place shows no share, which would be chance."""

_ACROSS = (16, 46)  # fewest and most hexagons from west to east
_SIZE: dict[str, Any] = {"size": (8.2, 4.9), "columns": 2}
_STRETCH = 1 / math.cos(math.radians(46.5))


def accidents(rows: pd.DataFrame, source: str) -> Figure:
    """Where accidents are, and the share of them that is priority, side by side.

    Args:
        rows: `Accidents.accidents`.
        source: what `style.credit` gives.
    """
    known = rows[rows[LABEL] >= 0]
    figure, (number, share) = canvas("Where accidents are, and how often they are priority", source, **_SIZE)
    drawn = _hexagons(number, known, None, least=1)
    colour_bar(figure, drawn, number, "accidents in a hexagon (logarithmic)")
    drawn = _hexagons(share, known, known[LABEL].to_numpy(), least=FEW)
    colour_bar(figure, drawn, share, f"recorded share of priority ({FEW} accidents or more)")
    _name(number, known)
    _name(share, known)
    return figure


def risk(rows: pd.DataFrame, probability: np.ndarray, source: str) -> Figure:
    """The recorded share of priority and the mean probability that a model gives the same accidents.

    Args:
        rows: `Accidents.accidents` of accidents that the model has not learned from.
        probability: of priority, in the same order.
        source: what `style.credit` gives.
    """
    known = (rows[LABEL] >= 0).to_numpy()
    shown = rows[known]
    figure, (recorded, predicted) = canvas("Recorded and predicted risk", source, **_SIZE)
    values = shown[LABEL].to_numpy(), np.asarray(probability)[known]
    for axes, quantity, label in zip(
        (recorded, predicted), values, ("recorded share", "mean probability"), strict=True
    ):
        drawn = _hexagons(axes, shown, quantity, least=FEW, highest=1)
        colour_bar(figure, drawn, axes, f"{label} of priority ({FEW} accidents or more)")
        _name(axes, shown)
    return figure


def _hexagons(
    axes: Axes, rows: pd.DataFrame, values: np.ndarray | None, *, least: int, highest: float | None = None
) -> PolyCollection:
    """Means of `values` in hexagons, or numbers of accidents on a logarithmic scale where there are none."""
    (west, east), (south, north) = MAINLAND["xlim"], MAINLAND["ylim"]
    longitude, latitude = rows["long"].to_numpy(), rows["lat"].to_numpy()
    inside = (longitude > west) & (longitude < east) & (latitude > south) & (latitude < north)
    across = int(np.clip(np.sqrt(inside.sum()) / 4, *_ACROSS))
    down = round(across * (north - south) * _STRETCH / (east - west) / math.sqrt(3))
    drawn = axes.hexbin(
        longitude[inside],
        latitude[inside],
        None if values is None else values[inside],
        gridsize=(across, down),
        extent=(west, east, south, north),
        mincnt=least,
        bins="log" if values is None else None,
        vmin=None if values is None else 0,
        vmax=highest,
        cmap=sequential(),
        linewidth=0.1,
        rasterized=True,
    )
    beside, above = (east - west) / across / 2, (north - south) / down / 3  # what hexagons on the border reach over it
    axes.set(xlim=(west - beside, east + beside), ylim=(south - above, north + above), aspect=_STRETCH)
    return drawn


def _name(axes: Axes, rows: pd.DataFrame) -> None:
    (west, east), (south, north) = MAINLAND["xlim"], MAINLAND["ylim"]
    inside = rows["long"].between(west, east) & rows["lat"].between(south, north)
    axes.set_ylabel("latitude (degrees)")
    axes.set_xlabel(f"longitude (degrees); {inside.sum():,} accidents, {(~inside).sum():,} elsewhere", fontsize=8)
