"""Hexagon maps of mainland France: number of accidents, recorded and predicted share of priority.

The accidents themselves show the outline of the country, so that no tile server is needed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from accidents.plots.style import add_colorbar, sequential_colormap, subplots
from accidents.tables import LABEL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAINLAND_EXTENT = {"xlim": (-5.4, 9.8), "ylim": (41.2, 51.3)}
"""Longitude and latitude in degrees of the accidents that a map shows."""

MIN_ACCIDENTS = 5
"""Least number of accidents for which a hexagon shows a share."""

_HEXAGONS = (16, 46)  # least and greatest number of hexagons from west to east
_SIZE: dict[str, Any] = {"size": (8.2, 4.9), "columns": 2}
_ASPECT = 1 / math.cos(math.radians(46.5))


def accident_map(rows: pd.DataFrame, source_note: str) -> Figure:
    """Map the number of accidents and the share of priority side by side.

    Args:
        rows: `Accidents.accidents`.
        source_note: from `style.source_note`.
    """
    labelled = rows[rows[LABEL] >= 0]
    figure, (number, share) = subplots("Where accidents are, and how often they are priority", source_note, **_SIZE)
    _hexagons(number, labelled, None, "accidents in a hexagon (logarithmic)")
    _hexagons(share, labelled, labelled[LABEL].to_numpy(), "recorded share")
    return figure


def risk_map(rows: pd.DataFrame, probability: np.ndarray, source_note: str) -> Figure:
    """Map the recorded share of priority and the mean predicted probability side by side.

    Args:
        rows: `Accidents.accidents` of held-out accidents.
        probability: of priority, float64, in the same order.
        source_note: from `style.source_note`.
    """
    labelled = (rows[LABEL] >= 0).to_numpy()
    shown = rows[labelled]
    figure, (recorded, predicted) = subplots("Recorded and predicted risk", source_note, **_SIZE)
    _hexagons(recorded, shown, shown[LABEL].to_numpy(), "recorded share", highest=1)
    _hexagons(predicted, shown, np.asarray(probability)[labelled], "mean probability", highest=1)
    return figure


def _hexagons(
    axes: Axes, rows: pd.DataFrame, values: np.ndarray | None, label: str, *, highest: float | None = None
) -> None:
    """Draw means of `values` in hexagons, or without values the number of accidents on a logarithmic scale."""
    (west, east), (south, north) = MAINLAND_EXTENT["xlim"], MAINLAND_EXTENT["ylim"]
    longitude, latitude = rows["long"].to_numpy(), rows["lat"].to_numpy()
    inside = (longitude > west) & (longitude < east) & (latitude > south) & (latitude < north)
    across = int(np.clip(np.sqrt(inside.sum()) / 4, *_HEXAGONS))
    down = round(across * (north - south) * _ASPECT / (east - west) / math.sqrt(3))
    drawn = axes.hexbin(
        longitude[inside],
        latitude[inside],
        None if values is None else values[inside],
        gridsize=(across, down),
        extent=(west, east, south, north),
        mincnt=1 if values is None else MIN_ACCIDENTS,
        bins="log" if values is None else None,
        vmin=None if values is None else 0,
        vmax=highest,
        cmap=sequential_colormap(),
        linewidth=0.1,
        rasterized=True,
    )
    beside, above = (east - west) / across / 2, (north - south) / down / 3  # hexagons reach over the border
    axes.set(xlim=(west - beside, east + beside), ylim=(south - above, north + above), aspect=_ASPECT)
    unit = label if values is None else f"{label} of priority ({MIN_ACCIDENTS} accidents or more)"
    add_colorbar(drawn, axes, unit)
    axes.set_ylabel("latitude (degrees)")
    axes.set_xlabel(f"longitude (degrees); {inside.sum():,} accidents, {(~inside).sum():,} elsewhere", fontsize=8)
